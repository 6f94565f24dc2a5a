"""Live charts: the sheet stays while lines grow, colours are the families', and nothing is left out."""

import math
from dataclasses import asdict, replace

import numpy as np
import pandas as pd
import pytest

from explorer.analysis.outcomes import outcome, so_far
from explorer.charts import live
from explorer.charts.blocks import BlockMeasure, block_lines, by_block
from explorer.charts.live import LiveAxes, LiveStyle
from explorer.charts.run_traces import alt_text, coloured, line_trace, one_each
from explorer.charts.theme import FAMILY_COLOUR

STYLE = LiveStyle()
AXES = LiveAxes(iterations=110, epochs=10, classes=10)


@pytest.fixture
def members():
    rows = [
        ("z0", "plain", 20, 0, "plain-20, zoo", True),
        ("a", "plain", 20, 0, "plain-20", False),
        ("b", "residual", 20, 0, "ResNet-20", False),
    ]
    return coloured(pd.DataFrame(rows, columns=["run_id", "family", "depth", "seed", "group", "zoo"]))


def steps(count, runs=("z0", "a", "b")):
    parts = [
        pd.DataFrame({"run_id": run, "iteration": range(1, count + 1), "loss": np.linspace(2.4, 0.1, count)})
        for run in runs
    ]
    return pd.concat(parts, ignore_index=True)


def epochs(count, runs=("z0", "a", "b")):
    rows = [
        {"run_id": run, "epoch": epoch, "iteration": 11 * epoch, "train_loss": 2.0, "test_loss": 2.1,
         "train_error_pct": np.nan if epoch == 0 else 90.0 / epoch, "test_error_pct": 91.0 / (epoch + 1)}
        for run in runs for epoch in range(count + 1)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def by_run(table):
    """As the page has it; a run without rows has an empty table."""
    return {run: table[table["run_id"] == run] for run in ("z0", "a", "b")}


def losses_drawn(steps, epochs, members, style=STYLE):
    lines = live.loss_lines(by_run(steps), by_run(epochs), members, style)
    return live.loss_over_steps(lines, style, AXES).figure()


def errors_drawn(epochs, members, style=STYLE):
    lines = live.error_lines(by_run(epochs), members, style, AXES)
    return live.error_over_epochs(lines, style, AXES).figure()


def axes(figure):
    layout = figure.layout
    return [(axis.type, tuple(axis.range)) for axis in (layout.xaxis, layout.yaxis)], layout.uirevision


@pytest.mark.parametrize("style", [LiveStyle(), LiveStyle(log_x=True), LiveStyle(log_y=True, smoothing=1)])
def test_the_sheet_stays_while_lines_grow(members, style):
    charts = [
        (
            losses_drawn(steps(count), epochs(count // 11), members, style),
            errors_drawn(epochs(count // 11), members, style),
        )
        for count in (1, 60, 110)
    ]

    for figures in zip(*charts, strict=True):
        assert axes(figures[0]) == axes(figures[1]) == axes(figures[2])
        names = [[trace.name for trace in figure.data] for figure in figures]
        assert names[0] == names[1] == names[2]


def test_axes_are_named_with_units(members):
    losses = losses_drawn(steps(20), epochs(1), members)
    errors = errors_drawn(epochs(1), members)

    assert losses.layout.yaxis.title.text == "loss (cross-entropy, nats)"
    assert losses.layout.xaxis.title.text == "iteration (batches trained)"
    assert (errors.layout.xaxis.title.text, errors.layout.yaxis.title.text) == ("epoch", "error (%)")


def test_a_family_has_its_colour_and_the_zoo_is_pale(members):
    figure = errors_drawn(epochs(3), members)
    traces = {trace.name: trace for trace in figure.data}

    own, zoo = traces["plain-20, seed 0, test"], traces["plain-20, zoo, seed 0, test"]
    assert own.line.color == zoo.line.color == FAMILY_COLOUR["plain"]
    assert traces["ResNet-20, seed 0, test"].line.color == FAMILY_COLOUR["residual"]
    assert (own.opacity, own.line.dash) == (1, "solid")
    assert zoo.opacity < 0.6
    assert traces["plain-20, seed 0, training"].line.dash != "solid"


def test_two_depths_of_a_family_are_told_apart_and_seeds_are_thin():
    rows = [(f"{depth}-{seed}", "plain", depth, seed, f"plain-{depth}", False)
            for depth in (20, 56) for seed in (0, 1)]  # fmt: skip
    found = coloured(pd.DataFrame(rows, columns=["run_id", "family", "depth", "seed", "group", "zoo"]))

    assert len({(member.group, member.colour) for member in found}) == 2
    assert len({member.colour for member in found}) == 2
    assert all(member.several for member in found)
    alone = coloured(pd.DataFrame(rows[:1], columns=["run_id", "family", "depth", "seed", "group", "zoo"]))
    seed, only = (line_trace([1.0], [2.0], member, "test")["line"] for member in (found[0], alone[0]))
    assert seed["width"] < 0.75 * only["width"]


@pytest.mark.parametrize(("high", "share", "top"), [(5.0, 0.05, 6.0), (5.0, 0.004, 3.0), (50.0, 0.05, 60.0)])
def test_the_axis_of_the_loss_has_room_for_all_but_single_steps(members, high, share, top):
    """One step in a thousand may leave the axis; the first epochs, which are high, may not."""
    losses = np.full(1000, 0.5)
    losses[: int(1000 * share)] = high
    table = pd.DataFrame({"run_id": "a", "iteration": range(1, 1001), "loss": losses})

    assert losses_drawn(table, epochs(1), members).layout.yaxis.range[1] == pytest.approx(top, rel=0.1)


def test_the_raw_losses_stay_under_the_smoothed(members):
    figure = losses_drawn(steps(40, "a"), epochs(3, "a"), members[1:2])
    raw, smooth = (trace for trace in figure.data if trace.name == "plain-20, seed 0, training")

    assert list(raw.y) == pytest.approx(steps(40, "a")["loss"].tolist())
    assert smooth.y[-1] == pytest.approx(np.mean(raw.y[-5:]))
    assert raw.opacity < smooth.opacity


def test_long_runs_are_drawn_with_bounded_points():
    long = steps(64_000, ["a"])
    iterations, losses = live.thinned(long["iteration"].to_numpy(), long["loss"].to_numpy())

    assert len(iterations) == len(losses) <= live.MOST_POINTS
    assert losses.mean() == pytest.approx(long["loss"].mean(), rel=1e-2)
    assert losses[-1] == pytest.approx(long["loss"].iloc[-(64_000 % 107) :].mean(), rel=1e-6)
    assert iterations[-1] == 64_000


@pytest.mark.parametrize("window", [1, 3, 5, 100])
def test_a_mean_is_of_the_last_steps_that_are_numbers(window):
    values = np.array([4.0, 2.0, np.nan, 8.0, 1.0, np.inf, 0.5])
    finite = pd.Series(values).replace(np.inf, np.nan)
    wanted = finite.rolling(window, min_periods=1).mean().where(finite.notna())

    np.testing.assert_allclose(live.means(values, window), wanted)


def test_a_loss_that_explodes_still_has_a_place(members):
    wild = steps(20).assign(loss=40.0)
    figure = losses_drawn(wild, epochs(0), members)

    assert figure.layout.yaxis.range[1] > 40


@pytest.mark.parametrize(
    "measure",
    [
        BlockMeasure("residual_ratio", "ratio", 1.5, (-1.5, -3.2)),
        BlockMeasure("gradient_norm", "norm", 1.3, (-4.3, -8.3)),
    ],
    ids=lambda measure: measure.column,
)
def test_blocks_show_the_last_epoch_over_the_first_and_survive_what_is_not_finite(members, measure):
    rows = [
        {"run_id": run, "epoch": epoch, "block": block, "residual_ratio": 0.5 + epoch,
         "gradient_norm": np.nan if epoch == 0 else 10.0 ** -(epoch + block)}
        for run in ("a", "b") for epoch in (0, 1, 4) for block in (1, 2, 3)
    ]  # fmt: skip
    table = pd.DataFrame([*rows, rows[0] | {"block": 2, measure.column: np.inf}])
    lines = block_lines(by_run(table), members, measure)
    figure = by_block(lines, measure, 3).figure()
    mine = [trace for trace in figure.data if trace.name == "ResNet-20, seed 0, test"]

    assert len(mine[1].y) == 3
    assert mine[1].opacity > mine[0].opacity
    assert figure.layout.yaxis.type == "log"
    assert 10 ** figure.layout.yaxis.range[0] < min(mine[1].y)
    assert "in the first block" in alt_text(lines, "Blocks.")


def test_nothing_recorded_is_drawn_and_said(members):
    empty = epochs(0).iloc[:0]
    errors_drawn(empty, members)
    losses_drawn(steps(1).iloc[:0], empty, members)

    lines = live.error_lines(by_run(empty), members, STYLE, AXES)
    assert alt_text(lines, "Errors.") == "Errors. Nothing was trained yet."


def test_lines_laid_over_others_are_the_lines_of_all(members):
    zoo, own = ([one for one in members if one.zoo == is_zoo] for is_zoo in (True, False))
    every = (by_run(steps(60)), by_run(epochs(5)))
    apart = live.loss_lines(*every, zoo, LiveStyle()) + live.loss_lines(*every, own, LiveStyle())

    assert replace(apart, static_traces=0) == live.loss_lines(*every, members, LiveStyle())
    assert apart.static_traces == 3


def test_a_label_stands_at_the_mean_of_its_runs_and_a_run_without_values_has_none():
    assert one_each([("a", 1.0), ("b", math.nan), ("a", 3.0), ("a", math.nan)])[0] == ("a", 2.0)
    assert math.isnan(one_each([("b", math.nan)])[0][1])


def test_the_schedule_starts_low_and_ends_low():
    figure = live.schedule([0.01, 0.03, 0.0], 110)

    assert figure.layout.yaxis.title.text == "learning rate"
    assert list(figure.data[0].x) == [1, 55.5, 110]


def test_the_sentence_so_far_compares_after_the_same_epoch(members):
    own = pd.DataFrame([asdict(one) for one in members if not one.zoo])
    table = pd.concat([epochs(4, ["a"]), epochs(2, ["b"])])

    said = so_far(table, own, 10)
    assert said.startswith("**After epoch 2 of 10:** plain-20 gets 45.0 % wrong in training and 30.3 %")
    assert so_far(epochs(4, ["a"]), own, 10).startswith("**After epoch 4 of 10 (1 of 2 runs):** plain-20")
    assert "first errors come" in so_far(epochs(0, ["a"]), own, 10)


def test_the_outcome_of_twins_compares_them_and_does_not_speak_of_degradation(members):
    own = pd.DataFrame([asdict(one) for one in members if not one.zoo])
    table = epochs(2, ["a", "b"])
    table.loc[(table["run_id"] == "a") & (table["epoch"] == 2), "train_error_pct"] = 80.0

    assert outcome(table, own).startswith("**Done.** Twins: plain-20 ends with 80.0 % training error")
    assert "egradation" not in outcome(table, own)
    others = own.assign(family=["highway", "residual"], group=["Highway-20", "ResNet-20"])
    assert outcome(table, others).startswith("**No difference in the test:** Highway-20 and ResNet-20 end")
    table.loc[(table["run_id"] == "b") & (table["epoch"] == 2), "test_error_pct"] = 5.0
    assert "**ResNet-20** has the lowest test error, 5.0 %" in outcome(table, others)
