"""Experiments: twins get the same everything, presets can be trained, what cannot is refused in words."""

from dataclasses import replace

import pytest

from explorer.jobs.experiment import (
    PRESETS,
    DatasetInfo,
    Experiment,
    ExperimentError,
    estimate_cost,
    iterations,
    learning_rates,
)
from explorer.training.estimates import Speed
from explorer.training.recipe import Recipe

DIGITS = DatasetInfo()


def test_twins_share_recipe_and_seed_and_differ_in_family_alone():
    (plain, first), (residual, second) = Experiment().runs(DIGITS)

    assert first == second
    assert plain.twin == residual
    assert (plain.in_channels, plain.classes) == (1, 10)


def test_seeds_count_up_from_the_first_with_twins_side_by_side():
    runs = Experiment(seeds=3, recipe=Recipe(seed=7)).runs(DIGITS)

    assert [(spec.family, recipe.seed) for spec, recipe in runs] == [
        (family, seed) for seed in (7, 8, 9) for family in ("plain", "residual")
    ]


def test_shortcut_and_gate_bias_go_to_the_families_that_have_them():
    experiment = Experiment(
        ("plain", "residual", "preact", "highway"), depth=32, shortcut="B", gate_bias=-3.0
    )
    specs = {spec.family: spec for spec in experiment.specs(DIGITS)}

    assert [specs[family].shortcut for family in experiment.families] == ["A", "B", "B", "A"]
    assert specs["highway"].gate_bias == -3.0
    assert specs["plain"].gate_bias == specs["residual"].gate_bias


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.key)
def test_every_preset_can_be_trained_and_costed(preset):
    cost = estimate_cost(preset.experiment(), DIGITS, Speed((1e-4, 1e-3, 1e-4)), 2)

    assert cost.seconds > 0
    assert all(one.parameters > 100_000 for one in cost.each)


@pytest.mark.parametrize(
    ("experiment", "text"),
    [
        (Experiment(families=()), "at least one family"),
        (Experiment(seeds=10, families=("plain", "residual", "preact")), "30 runs; start at most 24"),
        (Experiment(depth=21), "6n\\+2"),
        (Experiment(families=("highway",), depth=20, block="bottleneck"), "basic layers only"),
    ],
)
def test_what_cannot_be_trained_is_refused_in_words(experiment, text):
    with pytest.raises(ValueError, match=text):
        experiment.runs(DIGITS)
    assert issubclass(ExperimentError, ValueError)


def test_more_workers_end_sooner_and_an_unknown_speed_has_no_time():
    experiment, speed = Experiment(seeds=2), Speed((1e-4, 1e-3, 1e-4))

    assert (
        estimate_cost(experiment, DIGITS, speed, 2).seconds
        < 0.6 * estimate_cost(experiment, DIGITS, speed, 1).seconds
    )
    assert estimate_cost(experiment, DIGITS, None, 2).seconds is None


def test_the_learning_rate_is_that_of_the_recipe():
    experiment = replace(Experiment(), recipe=Recipe(epochs=2))
    rates = learning_rates(experiment, DIGITS)

    assert iterations(experiment, DIGITS) == len(rates) == 22
    assert rates == [experiment.recipe.lr_at(step, 22) for step in range(22)]
    assert len(learning_rates(replace(experiment, recipe=Recipe(epochs=100)), DIGITS)) == 200
