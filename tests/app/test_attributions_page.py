"""The Attributions page: maps at first paint, every control, garbage in the URL, stops and errors."""

import pytest
from streamlit.testing.v1 import AppTest

from explorer.probes.methods import METHODS
from explorer.system.paths import ROOT

pytestmark = pytest.mark.reads_the_zoo
HOME = str(ROOT / "explorer" / "app.py")
PAGE = "../pages/attributions.py"


def opened(**query):
    page = AppTest.from_file(HOME, default_timeout=300).switch_page(PAGE)
    for name, value in ({"net": "ResNet-8, digits, seed 0"} | query).items():
        page.query_params[name] = value
    return page.run()


def text(page):
    return " ".join(element.value for element in [*page.markdown, *page.caption, *page.header])


def charts(page):
    return len(page.get("plotly_chart"))


def test_it_opens_with_two_maps_beside_the_picture_and_a_sentence():
    page = AppTest.from_file(HOME, default_timeout=300).switch_page(PAGE).run()
    assert not page.exception
    assert not page.error
    assert charts(page) == 4  # picture, two maps, conductance
    said = text(page)
    assert "Integrated gradients puts half of what speaks for it on" in said
    assert "a probability of" in said
    assert METHODS["layer_grad_cam"].asks in said
    assert "From the baseline to the picture the score" in said


def test_a_view_comes_back_from_its_url():
    page = opened(
        methods=["Occlusion", "Saliency", "DeepLift"], target="7", index="3", sign="positive", seed="5",
        **{"occlusion-window": "3"},
    )  # fmt: skip
    assert not page.exception
    assert page.multiselect(key="methods").value == ["occlusion", "saliency", "deep_lift"]
    assert page.selectbox(key="target").value == "7"
    assert page.number_input(key="occlusion-window").value == 3
    assert "gives **7** a probability of" in text(page)
    assert charts(page) == 5


@pytest.mark.parametrize(
    "garbage",
    [
        {"methods": "magic"}, {"target": "99"}, {"target": "<script>"}, {"sign": "?"}, {"opacity": "9999"},
        {"clip": "no"}, {"seed": "-4"}, {"integrated_gradients-n_steps": "1e9"},
        {"integrated_gradients-baseline": "pink"}, {"trust": "everything"}, {"picture": "own-gone"},
        {"net": "nobody", "twin": "maybe"},
    ],
)  # fmt: skip
def test_garbage_in_the_url_gives_defaults(garbage):
    page = opened(**garbage)
    assert not page.exception
    assert not page.error
    assert page.multiselect(key="methods").value == ["integrated_gradients", "layer_grad_cam"]
    assert charts(page) == 4


def test_trust_scores_come_on_demand_with_their_meaning():
    page = opened()
    assert "Infidelity (logits²)" not in text(page)
    page = page.selectbox(key="trust").set_value("integrated_gradients").run()
    assert not page.exception
    said = text(page)
    assert "Infidelity (logits²), lower is better" in said
    assert "With random weights" in said
    assert "Petsiuk" in said
    assert charts(page) == 7


def test_the_plain_twin_stands_below():
    page = opened(twin="true")
    assert not page.exception
    assert "What plain-8 sees" in text(page)
    assert "in a plain net all of it passes through every block" in text(page)
    assert charts(page) == 7


@pytest.mark.own_home
def test_what_cannot_be_computed_is_said_and_the_page_stays(monkeypatch):
    from explorer.probes.attributions import AttributionError, Explainer

    page = opened()

    def refuse(*_):
        raise AttributionError("This cannot be. Choose another.")

    monkeypatch.setattr(Explainer, "attribute", refuse)
    page = page.number_input(key="index").set_value(9).run()
    assert not page.exception
    assert page.error[0].value == "This cannot be. Choose another."
    assert page.multiselect(key="methods").value


@pytest.mark.own_home
def test_a_stopped_computation_is_not_begun_again_until_asked(monkeypatch):
    from explorer.probes.attributions import Explainer
    from explorer.ui.components import computation

    names, whole = [], computation._Watch.__init__
    monkeypatch.setattr(
        computation._Watch,
        "__init__",
        lambda self, title, name, most_s: names.append(name) or whole(self, title, name, most_s),
    )
    page = opened()
    page.session_state["stopped-computations"] = dict.fromkeys(names, "")
    computation.result_cache().__init__()
    monkeypatch.setattr(Explainer, "attribute", lambda *_: pytest.fail("it was begun again"))
    page = page.run()
    assert not page.exception
    assert "Integrated gradients, ResNet-8, digits, seed 0 was stopped." in text(page)
    monkeypatch.undo()
    again = next(button for button in page.button if button.label == "Compute it")
    assert not again.click().run().exception


def test_results_are_kept_for_all_sessions_and_bounded():
    from explorer.ui.components.computation import MOST_KEPT, ResultCache

    kept = ResultCache()
    for number in range(MOST_KEPT + 5):
        kept.put(number, str(number))
        kept.get(0)
    assert kept.get(0) == "0"
    assert kept.get(1) is None
    assert kept.get(MOST_KEPT + 4) == str(MOST_KEPT + 4)


@pytest.mark.own_home
def test_the_same_question_is_computed_once(monkeypatch):
    from explorer.probes.attributions import Explainer

    first = opened()
    calls = []
    whole = Explainer.attribute
    monkeypatch.setattr(Explainer, "attribute", lambda *args: calls.append(args) or whole(*args))
    first = first.slider(key="opacity").set_value(30).run()
    second = opened()
    assert not first.exception
    assert not second.exception
    assert calls == []
