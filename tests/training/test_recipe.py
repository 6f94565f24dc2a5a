"""Recipes: the learning rate of every iteration, and a paper recipe that is the paper's."""

import json
import math
from itertools import pairwise

import pytest

from explorer.training.recipe import Recipe, paper_recipe


def rates(recipe, total):
    return [recipe.lr_at(iteration, total) for iteration in range(total)]


@pytest.mark.parametrize("total", [1, 7, 40, 110, 1000])
@pytest.mark.parametrize("warmup", [0.0, 0.15, 0.5])
def test_cosine_at_every_iteration(total, warmup):
    recipe = Recipe(lr=0.03, warmup=warmup)
    rising = math.ceil(warmup * total)

    for iteration, lr in enumerate(rates(recipe, total)):
        if iteration < rising:
            expected = 0.03 * (iteration + 1) / (math.floor(warmup * total) + 1)
        else:
            done = (iteration - warmup * total) / max(total - warmup * total, 1)
            expected = 0.015 * (1 + math.cos(math.pi * done))
        assert lr == pytest.approx(expected)


@pytest.mark.parametrize("schedule", ["cosine", "step"])
@pytest.mark.parametrize("total", [20, 110, 1000])
def test_warm_up_rises_to_the_peak_and_switches_off(schedule, total):
    recipe = Recipe(lr=0.03, schedule=schedule, warmup=0.15)
    lrs = rates(recipe, total)
    top = lrs.index(max(lrs))

    assert max(lrs) == pytest.approx(0.03, rel=1e-2)
    assert abs(top - 0.15 * total) <= 1
    assert all(a < b for a, b in pairwise(lrs[: top + 1]))
    assert all(a >= b for a, b in pairwise(lrs[top:]))


def test_the_papers_rate_at_every_one_of_its_64000_iterations():
    recipe = paper_recipe()
    lrs = rates(recipe, recipe.iterations)

    assert recipe.iterations == len(lrs) == 64_000
    assert set(lrs[:32_000]) == {0.1}
    assert lrs[32_000:48_000] == pytest.approx([0.01] * 16_000)
    assert lrs[48_000:] == pytest.approx([0.001] * 16_000)


def test_the_papers_warm_up_lasts_400_iterations():
    recipe = paper_recipe(warmup=True)
    lrs = rates(recipe, 64_000)

    assert max(lrs[:400]) < 0.1
    assert all(a < b for a, b in pairwise(lrs[:401]))
    assert set(lrs[400:32_000]) == {0.1}
    assert lrs[32_000] == pytest.approx(0.01)


def test_the_paper_recipe_has_the_protocol_of_section_4_2():
    recipe = paper_recipe(seed=3)

    assert (recipe.batch_size, recipe.momentum, recipe.weight_decay) == (128, 0.9, 1e-4)
    assert (recipe.augment, recipe.schedule, recipe.seed) == (True, "step", 3)


def test_a_fraction_keeps_the_drops_in_proportion():
    recipe = paper_recipe(fraction=0.1)
    lrs = rates(recipe, recipe.iterations)

    assert recipe.iterations == 6400
    assert [i for i, (a, b) in enumerate(pairwise(lrs), 1) if a != b] == [3200, 4800]


def test_the_last_step_of_a_cosine_is_taken_with_a_small_rate():
    assert 0 < Recipe().lr_at(109, 110) < 0.001 * Recipe().lr
    assert Recipe().lr_at(110, 110) == 0


@pytest.mark.parametrize(
    "recipe",
    [Recipe(), paper_recipe(7, 0.5, warmup=True), Recipe(iterations=3, precision="bf16", device="cpu")],
)
def test_fields_survive_json(recipe):
    assert Recipe.from_dict(json.loads(json.dumps(recipe.to_dict()))) == recipe


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ({"lr": 0}, "lr must lie between"),
        ({"lr": float("nan")}, "lr must lie between"),
        ({"epochs": 0}, "epochs must lie between 1 and 10000"),
        ({"iterations": 0}, "iterations must lie between"),
        ({"batch_size": 0}, "batch_size must lie between"),
        ({"momentum": 1}, "momentum must lie between"),
        ({"warmup": 1.1}, "warmup must lie between 0 and 1"),
        ({"seed": -1}, "seed must lie between"),
        ({"precision": "fp16"}, "precision must be one of fp32, bf16"),
        ({"device": "tpu"}, "device must be one of auto, cpu, cuda, mps"),
        ({"schedule": "linear"}, "schedule must be one of cosine, step"),
        ({"drops": (0.75, 0.5)}, "drops must be rising fractions"),
        ({"drops": (0.5, 1.0)}, "drops must be rising fractions"),
        ({"survival": 0}, "survival must lie between 0.01 and 1"),
        ({"dropout": 1}, "dropout must lie between 0 and 0.99"),
        ({"epochs": "ten"}, "epochs must lie between"),
    ],
)
def test_values_that_cannot_be_trained_with_are_refused(fields, wanted):
    with pytest.raises(ValueError, match=wanted):
        Recipe(**fields)


def test_unknown_fields_are_named():
    with pytest.raises(ValueError, match="Unknown fields in a recipe: mixup"):
        Recipe.from_dict({"mixup": 0.5})


def test_a_recipe_from_before_the_regularisers_reads_back_without_them():
    old = {name: value for name, value in Recipe().to_dict().items()
           if name not in ("survival", "dropout", "checkpointing")}  # fmt: skip

    assert Recipe.from_dict(old) == Recipe()
    assert (Recipe().survival, Recipe().dropout, Recipe().checkpointing) == (1, 0, False)


def test_regularisers_are_part_of_a_runs_name_only_where_there_are_any():
    assert Recipe(checkpointing=True).regularisers == ""
    assert Recipe(survival=0.5, dropout=0.25).regularisers == "-survival0.5-dropout0.25"
