"""What is said about overfitting follows from the numbers, also where the effect does not show."""

import pandas as pd
import pytest

from explorer.analysis.overfitting import finals_by_regulariser, helped_sentence, judge, overfitting_sentence
from explorer.runs.run import run_table


def finals(rows):
    """Rows (regulariser, depth, training error, (test mean, low, high))."""
    made = []
    for regulariser, depth, train, (mean, low, high) in rows:
        made.append((regulariser, depth, "train", train, train, train, 3))
        made.append((regulariser, depth, "test", mean, low, high, 3))
    return pd.DataFrame(made, columns=["regulariser", "depth", "split", "mean", "low", "high", "seeds"])


@pytest.mark.parametrize(
    ("deep", "wanted"),
    [
        ((14.0, 13.5, 15.0), "from 8 to 302 layers more depth overfits (test"),
        ((14.0, 12.5, 15.0), "more depth overfits on average, with overlapping seeds"),
        ((13.9, 13.5, 14.5), "the effect does not show"),
        ((10.0, 9.0, 11.0), "the effect does not show"),
    ],
)
def test_overfitting_needs_two_points_and_no_overlap(deep, wanted):
    said = overfitting_sentence(finals([("", 8, 0.0, (12.0, 11.0, 13.0)), ("", 302, 0.0, deep)]))
    assert wanted in said
    assert "from 8 to 302 layers" in said
    assert "from 110" not in said


@pytest.mark.parametrize(("train", "counted"), [(5.0, True), (5.1, False)])
def test_a_net_that_has_not_learnt_its_images_does_not_count(train, counted):
    rows = [("", 8, 0.0, (12, 11, 13)), ("", 20, 0.0, (12, 11, 13)), ("", 302, train, (80, 79, 81))]
    said = overfitting_sentence(finals(rows))
    assert ("more depth overfits (test" in said) == counted
    assert ("had not learnt their images yet: 302 layers" in said) != counted


def test_with_too_few_nets_nothing_is_claimed():
    said = overfitting_sentence(finals([("-dropout0.3", 8, 90.0, (90, 90, 90))]), "-dropout0.3")
    assert "too few nets" in said


def test_a_regulariser_helps_only_where_no_seeds_overlap():
    rows = [("", 8, 0, (12, 11, 13)), ("", 20, 0, (12, 11, 13)), ("", 56, 0, (12, 11, 13)),
            ("-survival0.5", 8, 0, (10, 9, 10.9)), ("-survival0.5", 20, 0, (10, 9, 11)),
            ("-survival0.5", 56, 0, (15, 14, 16))]  # fmt: skip
    said = helped_sentence(finals(rows), "-survival0.5")
    assert said.startswith("Stochastic depth lowers the test error at 8 layers and raises it at 56,")


def test_no_runs_make_an_empty_table():
    assert finals_by_regulariser(run_table([]), "digits-small").empty


@pytest.mark.parametrize(
    ("train", "test", "verdict"),
    [(0.0, 14.0, "reproduced"), (0.0, 12.5, "not reproduced"), (2.0, 14.0, "not reproduced")],
)
def test_the_papers_claim_is_judged_from_110_layers_and_says_what_the_other_page_says(train, test, verdict):
    rows = [("", 8, 0.0, (9, 8, 9.5)), ("", 110, 0.0, (12, 11, 13)), ("", 302, train, (test, test - 0.5, 15))]
    judged = judge(finals(rows))
    assert judged.verdict == verdict
    assert judged.reason.startswith("judged from 110 to 302 layers. Without a regulariser: from 8 to 302")
    assert judged.reason.partition(". ")[2] in overfitting_sentence(finals(rows)).replace("**", "")


def test_without_a_very_deep_net_there_is_no_verdict():
    assert judge(finals([("", 110, 0.0, (12, 11, 13))])).verdict == "not measured yet"
