"""Every page from Home, one interaction each, garbage in the URL, and what an empty zoo says."""

import re
import subprocess
import sys

import pytest
from streamlit.testing.v1 import AppTest

from explorer.system.paths import ROOT

pytestmark = pytest.mark.reads_the_zoo
HOME = str(ROOT / "explorer" / "app.py")


@pytest.fixture
def depth_page():
    return AppTest.from_file(HOME, default_timeout=300).switch_page("../pages/depth.py").run()


def text(page):
    """All that is said, without the tags of what follows a slider in the browser."""
    told = [re.sub("<b>|</b>", "**", element.proto.body) for element in page.get("html")]
    return " ".join([*(element.value for element in page.markdown), *told])


def test_home_opens_with_the_punchline_and_its_source():
    page = AppTest.from_file(HOME, default_timeout=300).run()
    assert not page.exception
    assert "From 8 to 110 layers the plain nets' mean test error goes from 1.7 % to 91.9 %" in text(page)
    assert "measured here" in text(page)
    assert "CIFAR-10 (JPEG)" in text(page)
    assert len(page.get("plotly_chart")) == 2


def test_depth_opens_with_two_charts_and_a_conclusion(depth_page):
    assert not depth_page.exception
    assert len(depth_page.get("plotly_chart")) == 2
    assert "No degradation at this depth:" in text(depth_page)
    assert "Gap in the test" in text(depth_page)


def test_sliding_to_56_layers_changes_the_sentence_and_the_figures(depth_page):
    page = depth_page.select_slider(key="depth").set_value(56).run()
    assert not page.exception
    assert "**Degradation:** plain-56 trains worse than plain-20 (70.4 against 0.0 % training" in text(page)
    assert "plain-56 ends with 70.4 % training error, ResNet-56 with 0.0 %" in text(page)
    assert "<span>Gap in training</span>**+70.4 points**" in text(page)


def test_figures_are_subtracted_as_they_are_shown(depth_page):
    page = depth_page.select_slider(key="depth").set_value(8).run()
    shown = re.findall(r"<span>([^<]+)</span>\*\*([^*]+)\*\*", text(page))
    figures = {label: float(value.split()[0].replace("−", "-")) for label, value in shown}
    plain, residual = figures["plain-8, training"], figures["ResNet-8, training"]
    assert figures["Gap in training"] == round(plain - residual, 1)


def test_a_hidden_family_is_not_spoken_of(depth_page):
    page = depth_page.button_group(key="families").set_value(["highway"]).run()
    page = page.select_slider(key="depth").set_value(56).run()
    assert "Highway-56 trains worse than Highway-20" in text(page)
    assert "plain-56" not in text(page)


@pytest.mark.parametrize("chart", ["error-over-epochs-digits-20", "error-over-depth-digits"])
def test_the_tables_under_the_charts_open(depth_page, chart):
    depth_page.session_state[f"{chart}-numbers"] = True
    page = depth_page.run()
    assert not page.exception
    assert 20 in set(page.dataframe[0].value["depth"])


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
    page = AppTest.from_file(HOME, default_timeout=300)
    for name, value in garbage.items():
        page.query_params[name] = value
    page = page.run().switch_page("../pages/depth.py").run()
    assert not page.exception
    assert page.select_slider(key="depth").value == 20
    assert len(page.get("plotly_chart")) == 2


def test_a_view_comes_back_from_its_url():
    page = AppTest.from_file(HOME, default_timeout=300)
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
    page = AppTest.from_file(HOME, default_timeout=300).switch_page(path).run()
    assert not page.exception
    assert "zoo build --dataset digits" in page.info[0].value
    assert len(page.get("plotly_chart")) == 0


@pytest.mark.own_home
def test_a_home_that_cannot_be_used_is_named_and_takes_nothing_down(tmp_path, monkeypatch):
    broken = tmp_path / "file"
    broken.write_text("")
    monkeypatch.setenv("EXPLORER_HOME", str(broken))
    page = AppTest.from_file(HOME, default_timeout=300).run()
    assert not page.exception
    assert len(page.get("plotly_chart")) == 2
    assert str(broken) in page.warning[0].value


def test_home_and_depth_leave_torch_asleep():
    script = f"""
import sys
from streamlit.testing.v1 import AppTest
page = AppTest.from_file({HOME!r}, default_timeout=300).run()
page = page.switch_page("../pages/depth.py").run()
assert not page.exception
print(sorted(set(sys.modules) & {{"torch", "captum", "sklearn"}}))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.strip() == "[]"
