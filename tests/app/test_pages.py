"""Every page from Home, one interaction each, garbage in the URL, and what an empty zoo says."""

import subprocess
import sys
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from explorer.system.paths import ROOT

pytestmark = pytest.mark.reads_the_zoo
HOME = str(ROOT / "explorer" / "app.py")


@pytest.fixture
def depth_page():
    return AppTest.from_file(HOME, default_timeout=60).switch_page("../pages/depth.py").run()


def text(page):
    return " ".join(element.value for element in page.markdown)


def test_home_opens_with_the_punchline_and_its_source():
    page = AppTest.from_file(HOME, default_timeout=60).run()
    assert not page.exception
    assert "From 8 to 110 layers the plain nets' mean test error goes from 1.7 % to 91.9 %" in text(page)
    assert "measured here" in text(page)
    assert len(page.get("plotly_chart")) == 1


def test_depth_opens_with_two_charts_and_a_conclusion(depth_page):
    assert not depth_page.exception
    assert len(depth_page.get("plotly_chart")) == 2
    assert "No degradation at this depth:" in text(depth_page)
    assert depth_page.metric[3].label == "Gap in the test"


def test_sliding_to_56_layers_changes_the_sentence_and_the_figures(depth_page):
    page = depth_page.select_slider(key="depth").set_value(56).run()
    assert not page.exception
    assert "**Degradation:** plain-56 ends with 70.4 % training error, ResNet-56 with 0.0 %" in text(page)
    assert page.metric[0].value == "70.4 %"


@pytest.mark.parametrize(
    ("kind", "key", "value"),
    [
        ("button_group", "families", ["plain", "highway"]),
        ("button_group", "errors", ["train"]),
        ("button_group", "seeds", ["each"]),
        ("toggle", "logx", True),
        ("toggle", "logy", True),
        ("slider", "smooth", 5),
        ("radio", "image", "svg"),
    ],
)
def test_every_control_can_be_used(depth_page, kind, key, value):
    widget = getattr(depth_page, kind)(key=key)
    page = widget.set_value(value).run()
    assert not page.exception
    assert len(page.get("plotly_chart")) == 2


@pytest.mark.parametrize("depth", [8, 110])
def test_the_ends_of_the_slider_are_drawn(depth_page, depth):
    page = depth_page.select_slider(key="depth").set_value(depth).run()
    assert not page.exception
    assert f"plain-{depth} ends with" in text(page)


@pytest.mark.parametrize(
    "garbage",
    [
        {"depth": "21"}, {"depth": "<script>"}, {"data": "../../etc"}, {"families": "nobody"},
        {"smooth": "9999"}, {"errors": "", "seeds": "?"}, {"logy": "maybe", "unknown": "1"},
    ],
)  # fmt: skip
def test_garbage_in_the_url_gives_defaults(garbage):
    page = AppTest.from_file(HOME, default_timeout=60)
    for name, value in garbage.items():
        page.query_params[name] = value
    page = page.run().switch_page("../pages/depth.py").run()
    assert not page.exception
    assert page.select_slider(key="depth").value == 20
    assert len(page.get("plotly_chart")) == 2


def test_a_view_comes_back_from_its_url():
    page = AppTest.from_file(HOME, default_timeout=60)
    page = page.run().switch_page("../pages/depth.py")
    page.query_params["depth"] = "110"
    page.query_params["logy"] = "true"
    page = page.run()
    assert page.select_slider(key="depth").value == 110
    assert page.toggle(key="logy").value is True


@pytest.mark.own_home
@pytest.mark.parametrize("path", ["../pages/home.py", "../pages/depth.py"])
def test_without_a_zoo_the_page_says_how_to_make_one(path, tmp_path, monkeypatch):
    from explorer.runs import library

    monkeypatch.setattr(library.open_library, "__defaults__", (tmp_path / "nothing",))
    page = AppTest.from_file(HOME, default_timeout=60).switch_page(path).run()
    assert not page.exception
    assert "zoo build --dataset digits" in page.info[0].value
    assert len(page.get("plotly_chart")) == 0


@pytest.mark.own_home
def test_a_home_that_cannot_be_used_is_named_and_takes_nothing_down(tmp_path, monkeypatch):
    broken = tmp_path / "file"
    broken.write_text("")
    monkeypatch.setenv("EXPLORER_HOME", str(broken))
    page = AppTest.from_file(HOME, default_timeout=60).run()
    assert not page.exception
    assert len(page.get("plotly_chart")) == 1
    assert str(broken) in page.warning[0].value


def test_home_and_depth_leave_torch_asleep():
    script = f"""
import sys
from streamlit.testing.v1 import AppTest
page = AppTest.from_file({HOME!r}, default_timeout=60).run()
page = page.switch_page("../pages/depth.py").run()
assert not page.exception
print(sorted(set(sys.modules) & {{"torch", "captum", "sklearn"}}))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.strip() == "[]"


def test_pages_are_thin():
    for page in Path(ROOT, "pages").glob("*.py"):
        assert len(page.read_text().splitlines()) <= 60, page
