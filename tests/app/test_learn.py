"""The path from Home: every station in turn, links to stations, and other pages on the way."""

from urllib.parse import parse_qs

import pytest
from streamlit.testing.v1 import AppTest

from explorer.learn import stations
from explorer.runs.zoo import ROOT
from explorer.ui.menu import SECTIONS

pytestmark = pytest.mark.reads_the_zoo
HOME = str(ROOT / "explorer" / "app.py")
PATHS = {entry.path for section in SECTIONS.values() for entry in section}
THERE = stations.on_pages(PATHS)
COUNT = len(THERE)


def app():
    return AppTest.from_file(HOME, default_timeout=150)


def linked(path, **query):
    page = app().switch_page(f"../pages/{path}.py")
    page.query_params.update(query)
    page = page.run()
    assert not page.exception
    return page


def text(page):
    return " ".join(element.value for element in page.markdown)


def keys(page):
    return {button.key for button in page.button}


def leads(page):
    """The links of the path, by what they are called."""
    found = [element.proto for element in page.get("page_link")]
    return {link.label: link for link in found if "learn=" in link.query_string}


def follow(page, label):
    """As a browser follows a link: the page and its address, beside what the page before had in its own."""
    link = leads(page)[label]
    page = page.switch_page(f"../pages/{link.page}.py")
    page.query_params.update(parse_qs(link.query_string))
    page = page.run()
    assert not page.exception
    return page


def press(page, key):
    page = page.button(key=key).click().run()
    assert not page.exception
    return page


def station(page):
    return page.query_params.get("learn")


def test_the_path_leads_from_home_over_every_station_and_back():
    page = app().run()
    assert "Learn: ten minutes, " in text(page)
    assert list(leads(page)) == ["Start"]
    page = follow(page, "Start")
    for number, one in enumerate(THERE, start=1):
        assert station(page) == one.name
        assert set(page.query_params) <= {"learn", *one.address}
        assert f"**Learn: {number} of {COUNT}** · {one.title()}" in text(page)
        assert (page.title[0].value == one.title()) is one.covered
        page = press(page, "learn-guess" if one.covered else "learn-option-0")
        assert page.title, one.name
        for key, values in one.address.items():
            chosen = page.session_state[key]
            assert [str(each) for each in (chosen if isinstance(chosen, list) else [chosen])] == values, (
                one.name
            )
        assert "learn-option-0" not in keys(page)
        said = text(page)
        assert "so it was measured" in said or "measured was" in said or "measured on the test digits" in said
        assert ("Next" in leads(page)) is (number < COUNT)
        page = follow(page, "Next") if number < COUNT else page
    for one in reversed(THERE[:-1]):
        page = follow(page, "Back")
        assert station(page) == one.name
    assert "You expected 50 % and 50 %; measured on the test digits" in text(page)  # the answer is kept
    page = press(page, "learn-leave")
    assert station(page) is None
    assert "Learn: 1 of" not in text(page)
    page.query_params.clear()
    page = page.switch_page("../pages/home.py").run()
    assert list(leads(page)) == ["Go on"]


@pytest.mark.parametrize("word", ["lesion", "8"])
def test_a_link_opens_its_station_from_any_page(word):
    page = linked("runs", learn=word)
    assert page.title[0].value == "What does each block contribute?"
    assert page.session_state["net"] == "digits-residual-56-s0"
    assert station(page) == "lesion"
    assert "Press a block of ResNet-56 out" in text(page)


def test_what_a_link_says_beside_its_station_counts():
    page = linked("depth", learn="training", depth="110")
    assert page.select_slider(key="depth").value == 110
    assert "Is that overfitting?" in text(page)


@pytest.mark.parametrize("garbage", ["0", "10", "nobody", "", "<b>"])
def test_a_link_to_no_station_opens_its_page(garbage):
    page = linked("depth", learn=garbage)
    assert page.title
    assert leads(page) == {}
    assert station(page) is None


def test_the_path_and_its_answers_outlive_other_pages():
    page = press(linked("depth", learn="training"), "learn-option-0")
    assert "You said “Yes" in text(page)
    for path in ("paper", "home"):
        page.query_params.clear()
        page = page.switch_page(f"../pages/{path}.py").run()
        assert not page.exception
        assert station(page) == "training"
        assert "**Learn: 3 of" in text(page)
        assert "Is that overfitting?" not in text(page)
    page = follow(page, "To the question")
    assert page.select_slider(key="depth").value == 56
    assert "You said “Yes" in text(page)


def test_an_answer_is_told_right_or_wrong_and_cannot_be_given_twice():
    page = press(linked("depth", learn="training"), "learn-option-1")
    assert "You said “No: it did not even learn its training digits”, and so it was measured." in text(page)
    assert not {key for key in keys(page) if key.startswith("learn-option")}


def test_a_covered_page_appears_with_the_answer():
    page = linked("depth", learn="predict")
    assert [title.value for title in page.title] == ["Predict"]
    assert not page.get("plotly_chart")
    page.slider(key="learn-guess-0").set_value(10)
    page = press(page.run(), "learn-guess")
    assert "You expected 10 % and 50 %" in text(page)
    assert page.title[0].value == "What does depth do to a plain network?"
    assert page.select_slider(key="depth").value == 56


@pytest.mark.own_home
def test_a_station_that_nothing_was_measured_for_says_so_and_leads_on(monkeypatch, tmp_path):
    from explorer.evidence import lesion

    monkeypatch.setattr(lesion.kept, "__defaults__", (tmp_path,))
    page = linked("lesion", learn="lesion")
    assert "This was not measured here" in page.info[0].value
    assert "Next" in leads(page)
