"""Comparisons: means and spreads by hand, traces, axes, and the sentence."""

import math

import pandas as pd
import pytest

from explorer.analysis.aggregates import group_curves, group_finals, mean_of_groups
from explorer.analysis.outcomes import verdict
from explorer.charts.compare import (
    MOST_GROUPS,
    curves_of_groups,
    describe_groups,
    finals_of_groups,
    group_colours,
)
from explorer.charts.curves import CurveStyle

MEMBERS = pd.DataFrame(
    [("a", 0, "plain-8", "plain", 8), ("b", 1, "plain-8", "plain", 8), ("c", 0, "ResNet-8", "residual", 8)],
    columns=["run_id", "seed", "group", "family", "depth"],
)
ERRORS = {"a": (90.0, 40.0), "b": (80.0, 20.0), "c": (90.0, 5.0)}
EPOCHS = pd.DataFrame(
    [
        {"run_id": run, "epoch": epoch, "train_error_pct": error if epoch else math.nan,
         "test_error_pct": error, "train_loss": error / 40, "test_loss": math.inf if epoch else 2.3}
        for run, errors in ERRORS.items() for epoch, error in enumerate(errors)
    ]
)  # fmt: skip
RUNS = EPOCHS[EPOCHS["epoch"] == 1].assign(family="x", seed=0)


@pytest.fixture
def finals():
    return group_finals(RUNS, MEMBERS)


def test_mean_and_spread_over_the_runs_of_a_group():
    means = mean_of_groups(group_curves(EPOCHS, MEMBERS, "error_pct"))
    end = means[(means["group"] == "plain-8") & (means["epoch"] == 1) & (means["split"] == "test")].iloc[0]
    assert tuple(end[["mean", "low", "high", "runs"]]) == (30.0, 20.0, 40.0, 2)
    assert not ((means["epoch"] == 0) & (means["split"] == "train")).any()


def test_runs_that_do_not_count_are_drawn_and_in_no_mean():
    members = MEMBERS.assign(counts=[True, False, False])
    means = mean_of_groups(group_curves(EPOCHS, members, "error_pct"))
    assert set(means["group"]) == {"plain-8"}
    assert set(means["runs"]) == {1}
    assert group_finals(RUNS, members)["mean"].tolist() == [40.0, 40.0]
    curves = group_curves(EPOCHS, members, "error_pct")
    single = [trace.y for trace in curves_of_groups(curves, members, "error_pct", CurveStyle(), 1).data
              if trace.name == "each run"]  # fmt: skip
    assert [y[-2] for y in single] == [20.0, 20.0, 5.0, 5.0]


def test_losses_that_are_not_finite_leave_a_gap():
    curves = group_curves(EPOCHS, MEMBERS, "loss")
    assert set(curves.loc[curves["split"] == "test", "epoch"]) == {0}


@pytest.mark.parametrize("each", [False, True])
@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("measure", ["error_pct", "loss"])
def test_curves_have_names_units_and_a_trace_per_group_and_split(measure, each, log):
    style = CurveStyle(each_seed=each, log_y=log)
    figure = curves_of_groups(group_curves(EPOCHS, MEMBERS, measure), MEMBERS, measure, style, 4)
    names = [trace.name for trace in figure.data if trace.hoverinfo == "text"]
    assert names == ["plain-8, training", "plain-8, test", "ResNet-8, training", "ResNet-8, test"]
    assert figure.layout.xaxis.title.text == "epoch"
    assert "(%)" in figure.layout.yaxis.title.text or "nats" in figure.layout.yaxis.title.text
    assert tuple(figure.layout.xaxis.range) == (0, 4)


def test_the_sheet_stays_while_a_run_grows():
    def sheet(epochs):
        curves = group_curves(epochs, MEMBERS, "error_pct")
        layout = curves_of_groups(curves, MEMBERS, "error_pct", CurveStyle(), 4).layout
        return layout.xaxis.range, layout.yaxis.range

    assert sheet(EPOCHS[EPOCHS["epoch"] == 0]) == sheet(EPOCHS)


def test_finals_are_dots_with_their_spread_in_the_order_of_the_groups(finals):
    assert finals["group"].drop_duplicates().tolist() == ["plain-8", "ResNet-8"]
    figure = finals_of_groups(finals, MEMBERS, log=False)
    dot = next(trace for trace in figure.data if trace.name == "plain-8, test")
    assert (dot.x[0], dot.error_x.array[0], dot.error_x.arrayminus[0]) == (30.0, 10.0, 10.0)
    assert list(figure.layout.yaxis.ticktext) == ["plain-8", "ResNet-8"]
    assert figure.layout.xaxis.range[1] == pytest.approx(51)


def test_the_sentence_names_the_extremes_with_their_numbers(finals):
    assert verdict(finals) == (
        "**ResNet-8** has the lowest test error, 5.0 % (one seed); **plain-8** the highest, 30.0 % "
        "(20.0 to 40.0 over 2 seeds): +25.0 points. In training they end with 5.0 % and 30.0 %."
    )
    assert verdict(group_finals(RUNS[RUNS["run_id"] != "b"], MEMBERS)).endswith("cannot be told from chance.")
    close = RUNS.assign(test_error_pct=[5.0, 7.0, 6.0])
    assert verdict(group_finals(close, MEMBERS)).endswith("Their spreads overlap.")
    touching = RUNS.assign(test_error_pct=[5.0, 7.0, 7.0])
    assert verdict(group_finals(touching, MEMBERS)).endswith("Their spreads overlap.")
    apart = RUNS.assign(test_error_pct=[5.0, 7.0, 7.1])
    assert "overlap" not in verdict(group_finals(apart, MEMBERS))
    assert "plain-8: test error 30.0 %" in describe_groups(finals)
    assert verdict(finals.iloc[:0]).startswith("None of these runs has finished")


def test_names_are_drawn_as_they_are():
    evil = MEMBERS.assign(group=["<b>x</b>", "<b>x</b>", "y"])
    curves = group_curves(EPOCHS, evil, "error_pct")
    drawn = [curves_of_groups(curves, evil, "error_pct", CurveStyle(), 1)]
    drawn.append(finals_of_groups(group_finals(RUNS, evil), evil, log=True))
    assert not any("<b>" in str(figure.to_dict()) for figure in drawn)


def test_one_family_gets_as_many_shades_as_groups_up_to_what_a_chart_bears():
    many = pd.DataFrame({"group": [f"g{n}" for n in range(20)], "family": "plain"})
    shades = group_colours(many)
    assert len(set(shades.values())) == len(shades) == MOST_GROUPS
    assert group_colours(MEMBERS) == {"plain-8": "#D55E00", "ResNet-8": "#0072B2"}
