"""The Residuals page: stored records at first paint, the slider, the paper's findings, and a live probe."""

import re
import subprocess
import sys

import pytest
from streamlit.testing.v1 import AppTest

from explorer.system.paths import ROOT

pytestmark = pytest.mark.reads_the_zoo
HOME = str(ROOT / "explorer" / "app.py")
PATH = "../pages/residuals.py"


def open_page(**query):
    page = AppTest.from_file(HOME, default_timeout=300).switch_page(PATH)
    for name, value in ({"data": "digits"} | query).items():
        page.query_params[name] = value
    return page.run()


def text(page):
    """All that is said, without the tags of what follows a slider in the browser."""
    told = [re.sub("<b>|</b>", "**", element.proto.body) for element in page.get("html")]
    return " ".join([*(element.value for element in page.markdown), *told])


def test_it_opens_with_figure_7s_nets_four_charts_and_both_findings():
    page = open_page()
    assert not page.exception
    assert page.multiselect(key="nets").value == [
        "plain-20", "plain-56", "residual-20", "residual-56", "residual-110"
    ]  # fmt: skip
    assert len(page.get("plotly_chart")) == 4
    assert "Do deeper residual nets respond less per layer?** Here: yes from 56 to 110 layers;" in text(page)
    assert "Do residual nets respond less than plain nets?** Here: no, the other way round at 56" in text(
        page
    )
    assert "Is ‖F(x)‖ / ‖x‖ smaller in deeper residual nets?** Here: yes, from 20" in text(page)
    assert "hardly moved them" in text(page)


def test_the_table_under_the_charts_opens():
    page = open_page()
    page.session_state["responses-digits-ratio-10-numbers"] = True
    page = page.run()
    assert not page.exception
    assert set(page.dataframe[0].value["epoch"]) == {10}


def test_the_slider_changes_the_sentences():
    page = open_page(quantity="std")
    trained = text(page)
    page = page.select_slider(key="epoch").set_value(0).run()
    assert not page.exception
    assert "after epoch 0" in text(page)
    assert text(page) != trained
    assert "beyond the axis" in text(page)


@pytest.mark.parametrize(
    ("kind", "key", "value"),
    [
        ("button_group", "quantity", "norm"),
        ("multiselect", "nets", ["plain-8", "highway-20"]),
        ("toggle", "logresp", False),
        ("selectbox", "heat", "plain-20"),
        ("multiselect", "nets", []),
    ],
)
def test_every_control_can_be_used(kind, key, value):
    page = getattr(open_page(), kind)(key=key).set_value(value).run()
    assert not page.exception
    assert len(page.get("plotly_chart")) == 4


@pytest.mark.parametrize(
    "garbage",
    [{"epoch": "99"}, {"nets": "nobody"}, {"quantity": "<script>"}, {"heat": "x"}, {"data": "../.."},
     {"live": "true", "probed": "untrained:plain-9", "over": "nowhere", "bn": "?", "images": "-3"}],
)  # fmt: skip
def test_garbage_in_the_url_gives_defaults(garbage):
    page = open_page(**garbage)
    assert not page.exception
    epoch = page.select_slider(key="epoch")
    assert epoch.value == int(epoch.options[-1])
    assert len(page.get("plotly_chart")) >= 4


def test_a_live_probe_reads_zoo_and_untrained_nets_in_both_modes():
    page = open_page(live="true", probed="untrained:plain-14", images="20")
    assert not page.exception
    assert page.multiselect(key="probed").value == ["untrained:plain-14"]
    assert len(page.get("plotly_chart")) == 6
    assert "plain-14, untrained: block" in text(page)
    assert "Its weights are random" in text(page)
    first = text(page)
    page = page.button_group(key="bn").set_value("train").run()
    assert not page.exception
    assert text(page) != first


@pytest.mark.own_home
def test_a_stopped_probe_is_offered_again_and_leaves_the_others(monkeypatch):
    from explorer.ui.residuals import probe_now

    def stopped(key, title, work):
        return None if "untrained:plain-14" in key else work(lambda share: None)

    monkeypatch.setattr(probe_now, "run_cancellable", stopped)
    page = open_page(live="true", probed=["untrained:plain-14", "digits-residual-8-s0"], images="20")
    assert not page.exception
    assert len(page.get("plotly_chart")) == 6
    assert "plain-14, untrained: block" not in text(page)
    assert "ResNet-8, digits, seed 0: block" in text(page)


def test_a_live_probe_takes_a_picture():
    page = open_page(live="true", probed="digits-residual-8-s0", over="picture")
    assert not page.exception
    assert len(page.get("plotly_chart")) == 6


def test_missing_published_weights_give_one_message_and_leave_the_page_alone():
    page = open_page(live="true", probed="torchvision:resnet18")
    assert not page.exception
    assert "not here yet" in page.error[0].value
    assert len(page.get("plotly_chart")) == 4


@pytest.mark.own_home
def test_without_records_the_page_says_how_to_make_some(tmp_path, monkeypatch):
    from explorer.runs import library

    monkeypatch.setattr(library.open_library, "__defaults__", (tmp_path / "nothing",))
    page = open_page()
    assert not page.exception
    assert "zoo build" in page.info[0].value


@pytest.mark.own_home
def test_own_runs_are_drawn_beside_the_zoo():
    from explorer.jobs.foreground import train_and_keep
    from explorer.nets.spec import NetSpec
    from explorer.training.recipe import Recipe

    spec = NetSpec("residual", 8, width=4, in_channels=1)
    run = train_and_keep(spec, Recipe(epochs=1, device="cpu"), "digits", progress=lambda _line: None)
    page = open_page(nets=run["run_id"])
    assert not page.exception
    assert page.multiselect(key="nets").value == [run["run_id"]]
    assert page.select_slider(key="epoch").value == 1


def test_the_first_paint_leaves_torch_asleep():
    script = f"""
import sys
from streamlit.testing.v1 import AppTest
page = AppTest.from_file({HOME!r}, default_timeout=300).switch_page({PATH!r}).run()
assert not page.exception
print(sorted(set(sys.modules) & {{"torch", "captum", "sklearn", "torchvision"}}))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.strip() == "[]"
