"""The Construct page from Home: true at first paint, nothing built before it is asked, then told."""

import pytest
from streamlit.testing.v1 import AppTest

from explorer.runs.zoo import ROOT
from explorer.training.recipe import Recipe
from explorer.ui.why import construct, construct_training

HOME = str(ROOT / "explorer" / "app.py")


def opened(**query):
    page = AppTest.from_file(HOME, default_timeout=150).switch_page("../pages/construct.py")
    for name, value in query.items():
        page.query_params[name] = value
    return page.run()


def text(page):
    return " ".join(element.value for element in page.markdown)


def test_it_opens_with_the_net_drawn_and_curves_and_builds_when_asked(monkeypatch):
    page = opened()
    assert not page.exception
    assert len(page.get("plotly_chart")) == 2
    assert "**plain-56**: 18 of its 27 blocks are put in" in text(page)
    assert "plain-56 from the usual start: **never found**" in text(page)
    assert "Built, and" not in text(page)
    page = page.button(key="build").click().run()
    assert not page.exception
    assert "**Built, and it gives the same answer to every image:** training error 0.0 % before" in text(page)
    assert "the zoo's nets of that depth end at 70.4 %" in text(page)


def test_the_built_net_is_trained_on_the_page_and_its_curve_stands_beside_the_others(monkeypatch):
    monkeypatch.setattr(construct_training, "_RECIPE", Recipe(iterations=11, batch_size=144, device="cpu"))
    page = opened(layers="32")
    assert "trained here" not in text(page)
    page = page.button(key="train-built").click().run()
    assert not page.exception
    assert "the net above, 32 layers, trained here: **" in text(page)
    assert page.session_state["trained"] == "32"
    assert page.button(key="train-built").disabled
    page = page.button_group(key="place").set_value("spread").run()
    assert not page.button(key="train-built").disabled
    assert "trained here" not in text(page)


def test_every_depth_and_place_is_drawn_from_the_url():
    page = opened(layers="1202", place="spread", net="digits-residual-20-s0")
    assert not page.exception
    assert "**ResNet-1202**: 591 of its 600 blocks are put in" in text(page)


@pytest.mark.parametrize("garbage", [{"layers": "57"}, {"place": "roof", "net": "nobody"}, {"trained": "x"}])
def test_garbage_in_the_url_gives_defaults(garbage):
    page = opened(**garbage)
    assert not page.exception
    assert "**plain-56**: 18 of its 27 blocks are put in" in text(page)


def test_a_net_that_is_deep_enough_is_refused_in_words():
    page = opened(net="digits-plain-110-s0", layers="56")
    assert not page.exception
    assert "plain-110 has 110 layers: give a larger depth" in page.error[0].value


def test_where_nothing_is_kept_it_says_how_to_measure(monkeypatch, tmp_path):
    monkeypatch.setattr(construct, "all_curves", lambda: construct.construct.usual(tmp_path))
    page = opened()
    assert not page.exception
    assert "python -m explorer zoo construct" in page.info[0].value
