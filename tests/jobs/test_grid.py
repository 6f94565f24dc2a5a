"""A sweep as a person orders it: a grid of runs, its cost, its command, and how far it is."""

import shlex
from dataclasses import replace

import pytest

from explorer.cli.main import make_parser
from explorer.cli.zoo import _configs
from explorer.jobs import actions
from explorer.jobs.experiment import DatasetInfo, Experiment, ExperimentError
from explorer.jobs.grid import (
    SETTINGS,
    Grid,
    grid_configs,
    grid_cost,
    new_group,
    read_depths,
    read_values,
)
from explorer.jobs.swept import seconds_left, sweep_table, sweeps, swept_runs, varied
from explorer.nets.spec import NetSpec
from explorer.training.estimates import Timing, fit_speed
from explorer.training.recipe import Recipe

IMAGES = DatasetInfo()
BASE = Experiment(seeds=2, recipe=Recipe(epochs=2, seed=5, kernels="fused", drops=(0.3, 0.6)))


def test_every_combination_is_trained_once_the_deepest_first():
    orders = Grid(BASE, (8, 20), "lr", (0.01, 0.1)).runs(IMAGES)

    assert len({(spec.id, recipe.lr, recipe.seed) for spec, recipe in orders}) == len(orders) == 2 * 2 * 2 * 2
    assert [spec.depth for spec, _ in orders] == [20] * 8 + [8] * 8
    assert {recipe.seed for _, recipe in orders} == {5, 6}
    assert {replace(recipe, lr=0.01, seed=5) for _, recipe in orders} == {replace(BASE.recipe, lr=0.01)}


@pytest.mark.parametrize("setting", SETTINGS)
def test_each_setting_is_varied_and_its_command_trains_the_same(setting):
    grid = Grid(BASE, (8, 20), setting, read_values(setting, SETTINGS[setting].example))
    orders = grid.runs(IMAGES)
    options = make_parser().parse_args(shlex.split(grid.command(IMAGES))[3:])
    configs = _configs(options)

    assert sorted((spec.id, str(recipe)) for spec, recipe in orders) == sorted(
        (config.net, str(config.recipe)) for config in configs
    )
    assert len({config.name for config in configs}) == len(configs)  # each has a folder of its own


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: read_depths("20; 56"), "Depths: '20; 56' cannot be read. Give whole numbers"),
        (lambda: read_values("lr", "fast"), "Peak learning rate: 'fast' cannot be read"),
        (lambda: read_values("device", "cpu"), "'device' cannot be varied; lr,"),
        (lambda: Grid(BASE, ()).runs(IMAGES), "at least one family, depth and value"),
        (lambda: Grid(BASE, (8,), "lr").runs(IMAGES), "at least one family, depth and value"),
        (lambda: Grid(BASE, (9,)).runs(IMAGES), "9"),
        (lambda: Grid(BASE, (8,), "lr", (-1.0,)).runs(IMAGES), "lr"),
        (lambda: Grid(BASE, tuple(range(8, 314, 6))).runs(IMAGES), "204 runs; a sweep has at most 200"),
        (lambda: grid_configs(["plain-8"], "{", None, [0], "digits"), "--recipe is not JSON"),
        (lambda: grid_configs(["plain-8"], "[1]", None, [0], "digits"), "fields and values"),
        (lambda: grid_configs(["plain-8"], None, "width=8", [0], "digits"), "part of a net's id"),
        (lambda: grid_configs(["plain-8"], None, "lr=", [0], "digits"), "--vary needs values"),
        (lambda: _configs(make_parser().parse_args(["sweep", "--vary", "lr=1"])), "belong to --nets"),
        (
            lambda: _configs(make_parser().parse_args(["sweep", "--nets", "plain-8", "--lr", "1"])),
            "--lr cannot be given",
        ),
    ],
)
def test_what_cannot_be_trained_is_refused_with_what_can(make, said):
    with pytest.raises(ValueError, match=r".") as error:
        make()
    assert said in str(error.value)
    assert isinstance(error.value, ExperimentError) or said in ("9", "lr") or "--" in said


def test_the_cost_is_that_of_all_runs_side_by_side():
    speed = fit_speed(
        [Timing(NetSpec("residual", 20), 8, 128, 0.05), Timing(NetSpec("residual", 8), 32, 32, 0.2)]
    )
    orders = Grid(BASE, (8, 20)).runs(IMAGES)
    one, two = (grid_cost(orders, IMAGES, speed, lanes) for lanes in (1, 2))

    assert len(one.each) == 8
    assert one.seconds == pytest.approx(sum(cost.seconds for cost in one.each))
    assert one.seconds / 2 <= two.seconds < one.seconds
    assert grid_cost(orders, IMAGES, None, 1).seconds is None


def test_a_sweep_is_found_again_with_what_was_varied_and_how_far_it_is(store):
    grid, group = Grid(replace(BASE, seeds=1), (8,), "lr", (0.01, 0.1)), new_group()
    ids = actions.submit_all(store, grid.runs(IMAGES), "digits", group=group)
    actions.submit(store, NetSpec(depth=8), Recipe(), group="twins")
    actions.stop(store, ids[0])

    assert list(sweeps(store)) == [group]
    assert sweeps(store)[group].endswith("UTC, 4 runs")
    runs = swept_runs(store, group)
    assert varied(runs) == ["lr"]
    table = sweep_table(store, runs)
    assert list(table["run_id"]) == ids
    assert list(table["status"]) == ["stopped", "queued", "queued", "queued"]
    assert list(table["lr"]) == [0.01, 0.01, 0.1, 0.1]
    assert set(table["share"]) == {0.0}
    assert seconds_left(table, [10.0] * 4, 2) == 15.0
    assert seconds_left(table, [10.0] * 4, 9) == 10.0
    assert seconds_left(table, [10.0, None, 10.0, 10.0], 2) is None
    assert seconds_left(table, [None, 10.0, 10.0, 10.0], 2) == 15.0  # what is over is not waited for
