"""Verdicts at the edges of their rules."""

import pandas as pd
import pytest

from explorer.analysis.verdicts import (
    RULES,
    Difference,
    differences,
    judge_error,
    judge_higher,
    judge_macs,
    judge_not_higher,
    judge_parameters,
)
from explorer.training.recipe import Recipe, paper_recipe

COUNTS, NOTED = Difference("other images"), Difference("bf16", counts=False)


@pytest.mark.parametrize(
    ("printed", "count", "verdict"),
    [
        ("0.27", 269_722, "reproduced"),
        ("0.27", 274_999, "reproduced"),
        ("0.27", 275_100, "not reproduced"),
        ("0.27", 264_900, "not reproduced"),
        ("1.7", 1_727_962, "reproduced"),
        ("1.7", 1_760_000, "not reproduced"),
        ("19.4", 19_421_274, "reproduced"),
    ],
)
def test_parameters_are_compared_at_the_papers_digits(printed, count, verdict):
    assert judge_parameters(printed, count).verdict == verdict


@pytest.mark.parametrize(
    ("macs", "variant", "verdict"),
    [
        (3_600_000_000, "", "reproduced"),
        (3_707_000_000, "", "reproduced"),
        (3_709_000_000, "", "not reproduced"),
        (3_491_000_000, "", "not reproduced"),
        (3_709_000_000, "stride on the 3x3", "not comparable"),
        (3_600_000_000, "stride on the 3x3", "reproduced"),
    ],
)
def test_multiply_adds_within_three_per_cent(macs, variant, verdict):
    assert judge_macs("3.6", macs, variant).verdict == verdict


@pytest.mark.parametrize(
    ("errors", "found", "verdict"),
    [
        ([], [], "not measured yet"),
        ([float("nan")], [], "not measured yet"),
        ([8.75], [], "reproduced"),
        ([9.25], [], "reproduced"),
        ([9.26], [], "not reproduced"),
        ([8.25], [NOTED], "reproduced"),
        ([8.24], [NOTED], "not reproduced"),
        ([8.75], [COUNTS], "not comparable"),
        ([8.0, 9.5], [NOTED], "reproduced"),
        ([9.0, float("nan"), 9.6], [], "not reproduced"),
    ],
)
def test_errors_within_half_a_point_of_the_paper(errors, found, verdict):
    assert judge_error(8.75, errors, found).verdict == verdict


@pytest.mark.parametrize(
    ("higher", "lower", "verdict"),
    [
        ([10.0], [8.0], "reproduced"),
        ([9.99], [8.0], "not reproduced"),
        ([12.0, 9.0], [8.9, 8.0], "reproduced"),
        ([14.0, 8.8], [8.9, 8.0], "not reproduced"),
        ([8.0], [10.0], "not reproduced"),
    ],
)
def test_higher_means_two_points_and_no_overlap(higher, lower, verdict):
    assert judge_higher(higher, lower) == verdict


@pytest.mark.parametrize(
    ("errors", "than", "verdict"),
    [([1.99], [0.0], "reproduced"), ([2.0], [0.0], "not reproduced"), ([0.0], [9.0], "reproduced")],
)
def test_not_higher_means_less_than_two_points(errors, than, verdict):
    assert judge_not_higher(errors, than) == verdict


def run(recipe, dataset="cifar10", iterations=64_000):
    return {"dataset": dataset, "iterations": iterations, "depth": 20, "recipe": recipe.to_dict()}


def counting(row):
    return [difference.text for difference in differences(row) if difference.counts]


def test_the_papers_recipe_on_the_papers_images_is_comparable():
    assert counting(run(paper_recipe(seed=4))) == []
    assert any("normalisation" in difference.text for difference in differences(run(paper_recipe())))


@pytest.mark.parametrize(("iterations", "comparable"), [(60_800, True), (60_700, False), (67_300, False)])
def test_the_length_may_depart_by_five_per_cent(iterations, comparable):
    assert (counting(run(paper_recipe(), iterations=iterations)) == []) == comparable


@pytest.mark.parametrize("dataset", ["cifar10-jpeg", "digits", "cifar100"])
def test_other_images_are_never_comparable(dataset):
    assert counting(run(paper_recipe(), dataset=dataset)) == [f"images: {dataset}, not CIFAR-10"]


def test_bf16_is_named_and_does_not_count():
    row = run(Recipe.from_dict(paper_recipe().to_dict() | {"precision": "bf16"}))
    assert counting(row) == []
    assert "precision: bf16" in [difference.text for difference in differences(row)]


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"lr": 0.03}, "peak learning rate: 0.03, not 0.1"),
        ({"schedule": "cosine"}, "decay: cosine, not step"),
        ({"drops": [0.4]}, "drops"),
        ({"augment": False}, "augmentation: off, not on"),
        ({"batch_size": 64}, "batch: 64, not 128"),
        ({"weight_decay": 0}, "weight decay"),
        ({"survival": 0.5}, "regularisers: survival0.5"),
    ],
)
def test_every_setting_that_counts_is_named(change, word):
    (text,) = counting(run(Recipe.from_dict(paper_recipe().to_dict() | change)))
    assert word in text


def test_rules_say_their_thresholds():
    said = pd.Series(RULES).str.cat(sep=" ")
    assert all(word in said for word in ("3%", "0.5 points", "5%", "2 points", "0.1 of the last"))
