"""Traces, dashes, axes with units, hulls, fixed ranges, and the charts in words."""

import pandas as pd
import pytest

from explorer.analysis import aggregates
from explorer.charts.curves import CurveStyle, describe_curves, error_over_epochs
from explorer.charts.depth import describe_depths, error_over_depth
from explorer.charts.marks import beyond_frame
from explorer.charts.scales import spread_labels
from explorer.charts.theme import FAMILY_COLOUR


@pytest.fixture
def runs():
    rows = [(f, d, s) for f in ("plain", "residual") for d in (8, 56) for s in (0, 1)]
    table = pd.DataFrame(rows, columns=["family", "depth", "seed"])
    table["run_id"] = [f"{f}-{d}-{s}" for f, d, s in rows]
    table["train_error_pct"] = [10.0 * (f == "plain") + d / 8 + s for f, d, s in rows]
    table["test_error_pct"] = table["train_error_pct"] + 2
    return table


@pytest.fixture
def curves(runs):
    epochs = pd.concat(
        [runs[["run_id", "train_error_pct", "test_error_pct"]].assign(epoch=epoch) for epoch in (0, 1, 2)]
    )
    epochs.loc[epochs["epoch"] == 0, "train_error_pct"] = float("nan")
    return aggregates.seed_curves(runs, epochs)


def trace(figure, name):
    return next(trace for trace in figure.data if trace.name == name)


def test_training_is_dashed_and_thin_and_test_is_bold(curves):
    figure = error_over_epochs(curves, 56, CurveStyle())
    train, test = trace(figure, "plain-56, training"), trace(figure, "plain-56, test")
    assert train.line.dash != "solid"
    assert test.line.dash == "solid"
    assert test.line.width > train.line.width
    assert train.line.color == test.line.color == FAMILY_COLOUR["plain"]


def test_the_line_is_the_mean_and_training_starts_after_epoch_0(curves):
    figure = error_over_epochs(curves, 56, CurveStyle())
    assert list(trace(figure, "plain-56, test").x) == [0, 1, 2]
    assert list(trace(figure, "plain-56, test").y) == [19.5, 19.5, 19.5]
    assert list(trace(figure, "plain-56, training").x) == [1, 2]


def test_the_band_reaches_from_the_lowest_to_the_highest_seed(curves):
    band = trace(error_over_epochs(curves, 8, CurveStyle(splits=("test",))), "ResNet, lowest to highest seed")
    assert band.fill == "toself"
    assert (min(band.y), max(band.y)) == (3.0, 4.0)


def test_axes_have_units_and_stay_while_depth_changes(curves, runs):
    first, second = (error_over_epochs(curves, depth, CurveStyle()) for depth in (8, 56))
    assert first.layout.xaxis.title.text == "epoch"
    assert first.layout.yaxis.title.text == "error (%)"
    assert first.layout.xaxis.range == second.layout.xaxis.range
    assert first.layout.yaxis.range == second.layout.yaxis.range
    assert len(first.data) == len(second.data)
    finals = aggregates.final_errors(runs)
    assert error_over_depth(finals, 8, CurveStyle()).layout.xaxis.title.text == "depth (weighted layers)"


def test_each_seed_is_a_line_of_its_own(curves):
    style = CurveStyle(each_seed=True, splits=("test",))
    seeds = trace(error_over_epochs(curves, 8, style), "plain, each seed")
    assert list(seeds.y).count(None) == 1  # one gap between two seeds


def test_smoothing_keeps_the_raw_line(curves):
    figure = error_over_epochs(curves, 8, CurveStyle(smoothing=3))
    assert [trace.name for trace in figure.data].count("raw mean") == 4


def test_log_axes_show_an_error_of_zero_at_the_edge(runs):
    finals = aggregates.final_errors(runs.assign(train_error_pct=0.0))
    figure = error_over_depth(finals, 8, CurveStyle(log_y=True, log_x=True))
    assert figure.layout.yaxis.type == figure.layout.xaxis.type == "log"
    assert min(trace(figure, "plain, training").y) > 0


def test_the_chosen_depth_is_marked(runs):
    figure = error_over_depth(aggregates.final_errors(runs), 56, CurveStyle())
    assert set(trace(figure, "chosen depth").x) == {56}
    assert set(trace(figure, "chosen nets").x) == {56}


def test_charts_are_told_in_words(curves, runs):
    assert "plain-56: training error 17.5 % at epoch 1" in describe_curves(curves, 56, CurveStyle())
    said = describe_depths(aggregates.final_errors(runs), CurveStyle())
    assert "plain test error 13.5 % at depth 8 and 19.5 % at depth 56" in said


def test_labels_at_one_height_are_moved_apart_in_order():
    placed = spread_labels([5.0, 5.0, 90.0], [0.0, 100.0], log=False, gap=0.1)
    assert placed[1] - placed[0] == pytest.approx(10.0)
    assert placed[2] == 90.0


def test_the_lowest_tick_of_a_log_axis_says_that_smaller_errors_lie_there(curves):
    figure = error_over_epochs(curves.assign(error_pct=0.0), 8, CurveStyle(log_y=True))
    floor = figure.layout.yaxis.tickvals[0]
    assert figure.layout.yaxis.ticktext[0] == f"≤{floor:g}"
    assert set(trace(figure, "plain-8, test").y) == {floor}
    assert error_over_epochs(curves, 8, CurveStyle()).layout.yaxis.ticktext[0] == "0"


def test_what_leaves_the_frame_is_marked_on_its_edge():
    lines = [{"x": [1, 2, 3], "y": [0.5, 7.0, None], "name": "a"}, {"x": [1], "y": [0.01], "name": "b"}]
    marks = beyond_frame(lines, 0.1, 2.0)
    assert (marks["x"], marks["y"]) == ([2, 1], [2.0, 0.1])
    assert marks["hovertext"][0] == "a: 7, beyond the frame"
    assert beyond_frame(lines[:1], 0.1, 9.0)["x"] == []
