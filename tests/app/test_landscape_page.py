"""The Landscape page from Home: slices at first paint, other switches, and a slice that is asked for."""

import pytest
from streamlit.testing.v1 import AppTest

from explorer.runs.zoo import ROOT

HOME = str(ROOT / "explorer" / "app.py")


def opened(**query):
    page = AppTest.from_file(HOME, default_timeout=150).switch_page("../pages/landscape.py")
    for name, value in query.items():
        page.query_params[name] = value
    return page.run()


def text(page):
    return " ".join(element.value for element in page.markdown)


def test_it_opens_with_the_twins_of_56_layers_and_measures_nothing(monkeypatch):
    from explorer.probes import landscape

    monkeypatch.setattr(landscape, "fill", None)
    page = opened()
    assert not page.exception
    assert len(page.get("plotly_chart")) == 6
    said = text(page)
    for title in ("ResNet-56", "plain-56, built and trained", "plain-56, usual start"):
        assert f"**{title}**, in the middle loss" in said
    assert "where guessing has 2.30" in said
    assert "A random walk of as many steps would have 90.6 %" in said
    assert any("One slice proves nothing" in caption.value for caption in page.caption)


def test_running_statistics_are_warned_of_and_3d_is_a_choice():
    page = opened(layers="20", bn="running", view="surface", value="error_pct")
    assert not page.exception
    assert "Running statistics mislead" in page.warning[0].value
    assert len(page.get("plotly_chart")) == 4


@pytest.mark.parametrize("garbage", [{"layers": "x"}, {"directions": "99"}, {"bn": "?"}, {"net": "nobody"}])
def test_garbage_in_the_url_gives_defaults(garbage):
    page = opened(**garbage)
    assert not page.exception
    assert len(page.get("plotly_chart")) == 6


def test_a_slice_is_measured_when_it_is_asked_for_and_a_stopped_one_goes_on(monkeypatch):
    from explorer.evidence import landscape as evidence
    from explorer.probes import landscape

    monkeypatch.setattr(evidence, "COARSE", 3)
    monkeypatch.setattr(evidence, "IMAGES", 40)
    fill, starts = landscape.fill, []

    def stops_once(net, plane, grid, images, labels, **options):
        starts.append(grid.done)
        if len(starts) > 1:
            return fill(net, plane, grid, images, labels, **options)
        options["told"] = lambda share: stop(share)
        return fill(net, plane, grid, images, labels, **options)

    def stop(share):
        if share > 0.3:
            raise ValueError("stopped here")

    monkeypatch.setattr(landscape, "fill", stops_once)
    page = opened(net="digits-residual-8-s0")
    page = page.button(key="landscape-go").click().run()
    assert not page.exception
    assert page.error[0].value == "stopped here"
    page = page.run()
    assert not page.exception
    assert starts == [0, 3]
    assert len(page.get("plotly_chart")) == 7
    assert "**ResNet-8**, in the middle loss" in text(page)
