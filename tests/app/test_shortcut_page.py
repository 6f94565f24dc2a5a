"""The Shortcut page from Home: true at first paint, and at every control."""

import pytest
from streamlit.testing.v1 import AppTest

from explorer.runs.zoo import ROOT
from explorer.ui.why import shortcut

HOME = str(ROOT / "explorer" / "app.py")
pytestmark = pytest.mark.reads_the_zoo


def opened(**query):
    page = AppTest.from_file(HOME, default_timeout=150).switch_page("../pages/shortcut.py")
    for name, value in query.items():
        page.query_params[name] = value
    return page.run()


def text(page):
    return " ".join(element.value for element in page.markdown)


def test_it_opens_with_the_residual_net_and_moves_to_the_plain_one():
    page = opened()
    assert not page.exception
    assert len(page.get("plotly_chart")) == 9
    assert "**At 56 layers a net with shortcuts of strength 1 trains**: training error 0.0 %" in text(page)
    assert "The weakest shortcut tried that still trains 56 layers has strength 0.75" in text(page)
    assert "**x + F(x), the original**: 6.61 %. Here: CIFAR-10 (JPEG)" in text(page)
    assert "12.35 %. Not built here." in text(page)
    page = page.select_slider(key="strength").set_value("0").run()
    assert not page.exception
    assert "with shortcuts of strength 0 does not train within 10 epochs" in text(page)


def test_a_shut_gate_carries_and_an_open_one_does_not():
    page = opened(bias="-6")
    assert "so that all 52 of them together let 0.88 of x pass" in text(page)
    page = page.select_slider(key="bias").set_value("-2").run()
    assert not page.exception
    assert "let 0.0013 of x pass" in text(page)


@pytest.mark.parametrize("query", [{"strength": "0.3", "layers": "57"}, {"bias": "2"}, {"error": "all"}])
def test_garbage_in_the_url_gives_defaults(query):
    page = opened(**query)
    assert not page.exception
    assert "At 56 layers a net with shortcuts of strength 1" in text(page)


def test_where_nothing_is_kept_it_says_how_to_measure(monkeypatch, tmp_path):
    nothing = shortcut.evidence.kept("strengths.parquet", tmp_path)
    monkeypatch.setattr(shortcut, "all_strengths", lambda: nothing)
    monkeypatch.setattr(shortcut, "kept_gates", lambda: shortcut.evidence.kept("gates.parquet", tmp_path))
    page = opened()
    assert not page.exception
    assert [one.value for one in page.info] == [
        "Not measured yet. In a shell: `python -m explorer zoo shortcuts`"
    ] * 2
