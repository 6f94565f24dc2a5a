"""A question that stands on several pages has one answer: each page shows the sentences of one function."""

import re

import pytest
from streamlit.testing.v1 import AppTest

from explorer import paper
from explorer.analysis.claims import as_sentence
from explorer.analysis.vanishing import answer
from explorer.evidence import gradients
from explorer.evidence.claims import findings
from explorer.runs.library import Library
from explorer.runs.provenance import ROOT
from explorer.runs.zoo import Zoo

HOME = str(ROOT / "explorer" / "app.py")
PAGES = {
    "paper": {}, "depth": {"depth": "56", "guide": "Is it vanishing gradients?"},
    "gradients": {}, "residuals": {"data": "digits"},
    "verydeep": {}, "home": {},
}  # fmt: skip
# claims that other pages speak of as well, by the dataset that these pages show
SHARED = {
    "gradients": ("digits", ("paper", "depth", "verydeep", "gradients")),
    "response": ("digits", ("paper", "residuals")),
    "response-depth": ("digits", ("paper", "residuals")),
    "very-deep": ("digits-small", ("paper", "verydeep")),
}


@pytest.fixture(scope="module")
def shown():
    """Everything that each page says, without markup."""
    said = {}
    for name, query in PAGES.items():
        page = AppTest.from_file(HOME, default_timeout=300).switch_page(f"../pages/{name}.py")
        for key, value in query.items():
            page.query_params[key] = value
        page = page.run()
        assert not page.exception
        html = [element.proto.body for element in page.get("html")]
        said[name] = plain(" ".join([*(element.value for element in page.markdown), *html]))
    return said


@pytest.fixture(scope="module")
def judged():
    table = findings(Library([Zoo()]))
    return {(row["claim"], row["dataset"]): row for row in table.to_dict("records")}


def plain(text):
    return re.sub(r"\*\*|<[^>]+>", "", text)


def core(reason):
    """The numbers of a claim, without what introduces them."""
    return plain(reason.removeprefix("judged from 110 to 302 layers. ")).rstrip(".")


@pytest.mark.parametrize("claim", SHARED)
def test_pages_that_speak_of_one_claim_say_the_same(shown, judged, claim):
    dataset, pages = SHARED[claim]
    wanted = core(judged[claim, dataset]["reason"])
    alike = {page for page, said in shown.items() if wanted in said or core(as_sentence(wanted)) in said}
    assert set(pages) <= alike


def test_whether_gradients_vanish_has_one_answer(shown):
    said = plain(answer(gradients.facts()))
    assert said
    assert {page for page, text in shown.items() if said in text} == {
        "paper", "depth", "verydeep", "gradients"
    }  # fmt: skip


def test_errors_of_the_claims_are_those_of_depth_and_home(shown, judged):
    """Each number in per cent that Depth says of its twins is the one that Paper judges by."""
    depth = shown["depth"]
    trained = re.search(r"plain-56 trains worse than plain-20 \(([\d.]+) against ([\d.]+) %", depth)
    said = judged["degradation", "digits"]["reason"]
    assert [f"{value} %" in said for value in trained.groups()] == [True, True]
    plain_test, residual_test = re.search(r"in the test ([\d.]+) % and ([\d.]+) %", depth).groups()
    twins = judged["twins", "digits"]["reason"]
    assert twins.startswith(f"test error {plain_test} %")
    assert f"{residual_test} % (" in twins


def test_every_claim_that_two_pages_name_is_compared(shown):
    """A page that begins to speak of a claim of the paper has to be added here."""
    named = {
        claim.key: {page for page, said in shown.items() if claim.text.rstrip(".") in said}
        for claim in paper.CLAIMS.values()
    }
    assert {key for key, pages in named.items() if len(pages) > 1} <= set(SHARED)
    assert all("paper" in pages for pages in named.values())
