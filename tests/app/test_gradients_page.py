"""The Gradients page from Home: true at first paint, nothing computed before it is asked, then told."""

import pytest
from streamlit.testing.v1 import AppTest

from explorer.runs.zoo import ROOT
from explorer.ui.why import gradients, strips

HOME = str(ROOT / "explorer" / "app.py")
pytestmark = pytest.mark.reads_the_zoo


def opened(**query):
    page = AppTest.from_file(HOME, default_timeout=150).switch_page("../pages/gradients.py")
    for name, value in query.items():
        page.query_params[name] = value
    return page.run()


def text(page):
    return " ".join(element.value for element in page.markdown)


def test_it_opens_with_every_answer_and_computes_nothing(monkeypatch):
    for module, name in ((gradients, "run_cancellable"), (strips, "run_cancellable")):
        monkeypatch.setattr(module, name, lambda *_: pytest.fail("computed before it was asked"))
    page = opened()
    assert not page.exception
    assert len(page.get("plotly_chart")) == 11
    assert "**Untrained, the steps that two batches ask for are 90° apart in plain-56" in text(page)
    assert "**Not at these depths.** Before training the gradient of a plain net grows" in text(page)
    assert "Theory expects that growth" in text(page)
    assert "Of ResNet-56's 27 blocks the gradient passes 5.6 on its way" in text(page)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"layers": "110", "moment": "2"}, "After 2 epochs, the steps that two batches ask for are"),
        (
            {"step": "11", "norm": "weights_norm", "layers": "20"},
            "Size in each block's weights**, 20 layers, 11",
        ),
        ({"paths": "residual-110"}, "Of ResNet-110's 54 blocks"),
        (
            {"layers": "57", "moment": "x", "step": "-1", "from": "nobody", "last": "9e9"},
            "90° apart in plain-56",
        ),
    ],
)
def test_every_view_is_drawn_from_the_url(query, said):
    page = opened(**query)
    assert not page.exception
    assert said in text(page)


def test_other_pictures_are_computed_when_asked(monkeypatch):
    page = opened(layers="20", last="5")
    assert not page.exception
    before = len(page.get("plotly_chart"))
    page = page.button(key="strips-go").click().run()
    assert not page.exception
    assert len(page.get("plotly_chart")) == before + 2
    assert "**plain-20**: neighbouring steps agree with a cosine of 0." in text(page)


def test_twins_and_a_net_of_ones_own_are_measured_when_asked(monkeypatch):
    monkeypatch.setattr(gradients, "_BATCH", 16)
    page = opened(layers="20")
    page.session_state["measure-here"] = True
    page = page.run()
    page = page.button(key="measure-net").click().run()
    assert not page.exception
    assert "Measured here, ResNet-20, yours: mean over the blocks" in text(page)


def test_a_net_of_ones_own_has_its_paths_followed_when_asked():
    page = opened(paths="own")
    assert not page.exception
    assert "32 test images" in text(page)
    page = page.button(key="paths-go").click().run()
    assert not page.exception
    assert "Of ResNet-20's 9 blocks the gradient passes" in text(page)


def test_where_nothing_is_kept_it_says_how_to_measure(monkeypatch, tmp_path):
    nothing = gradients.evidence.facts(tmp_path)
    monkeypatch.setattr(gradients, "vanishing_facts", lambda: nothing)
    monkeypatch.setattr(strips.evidence, "kept", lambda file: gradients.evidence.pd.DataFrame())
    page = opened()
    assert "python -m explorer zoo gradients" in page.info[0].value
