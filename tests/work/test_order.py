"""Orders: twins get the same everything, presets can be trained, what cannot is refused in words."""

from dataclasses import replace

import pytest

from explorer.training.estimates import Speed
from explorer.training.recipe import Recipe
from explorer.work.order import PRESETS, Images, Order, OrderError, bill, iterations, learning_rates

DIGITS = Images()


def test_twins_share_recipe_and_seed_and_differ_in_family_alone():
    (plain, first), (residual, second) = Order().runs(DIGITS)

    assert first == second
    assert plain.twin == residual
    assert (plain.in_channels, plain.classes) == (1, 10)


def test_seeds_count_up_from_the_first_with_twins_side_by_side():
    runs = Order(seeds=3, recipe=Recipe(seed=7)).runs(DIGITS)

    assert [(spec.family, recipe.seed) for spec, recipe in runs] == [
        (family, seed) for seed in (7, 8, 9) for family in ("plain", "residual")
    ]


def test_shortcut_and_gate_bias_go_to_the_families_that_have_them():
    order = Order(("plain", "residual", "preact", "highway"), depth=32, shortcut="B", gate_bias=-3.0)
    specs = {spec.family: spec for spec in order.specs(DIGITS)}

    assert [specs[family].shortcut for family in order.families] == ["A", "B", "B", "A"]
    assert specs["highway"].gate_bias == -3.0
    assert specs["plain"].gate_bias == specs["residual"].gate_bias


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.key)
def test_every_preset_can_be_trained_and_costed(preset):
    cost = bill(preset.order(), DIGITS, Speed((1e-4, 1e-3, 1e-4)), 2)

    assert cost.seconds > 0
    assert all(one.parameters > 100_000 for one in cost.each)


@pytest.mark.parametrize(
    ("order", "text"),
    [
        (Order(families=()), "at least one family"),
        (Order(seeds=10, families=("plain", "residual", "preact")), "30 runs; start at most 24"),
        (Order(depth=21), "6n\\+2"),
        (Order(families=("highway",), depth=20, block="bottleneck"), "basic layers only"),
    ],
)
def test_what_cannot_be_trained_is_refused_in_words(order, text):
    with pytest.raises(ValueError, match=text):
        order.runs(DIGITS)
    assert issubclass(OrderError, ValueError)


def test_more_workers_end_sooner_and_an_unknown_speed_has_no_time():
    order, speed = Order(seeds=2), Speed((1e-4, 1e-3, 1e-4))

    assert bill(order, DIGITS, speed, 2).seconds < 0.6 * bill(order, DIGITS, speed, 1).seconds
    assert bill(order, DIGITS, None, 2).seconds is None


def test_the_learning_rate_is_that_of_the_recipe():
    order = replace(Order(), recipe=Recipe(epochs=2))
    rates = learning_rates(order, DIGITS)

    assert iterations(order, DIGITS) == len(rates) == 22
    assert rates == [order.recipe.lr_at(step, 22) for step in range(22)]
    assert len(learning_rates(replace(order, recipe=Recipe(epochs=100)), DIGITS)) == 200
