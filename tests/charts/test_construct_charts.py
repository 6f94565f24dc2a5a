"""Curves from several starts: each drawn once, and told by what became of a good solution."""

import math

import pandas as pd
import pytest

from explorer.charts.construct import describe_starts, fates, from_starts

NONE = math.nan


def curves(**starts):
    rows = [
        {"start": start, "depth": 56, "seed": seed, "epoch": epoch, "train_error_pct": error + seed,
         "test_error_pct": error + 1}
        for start, errors in starts.items()
        for seed in (0, 1)
        for epoch, error in enumerate(errors)
    ]  # fmt: skip
    return pd.DataFrame(rows)


@pytest.mark.parametrize(
    ("errors", "fate"),
    [
        ([0, 1, 0], "**kept**"),
        ([0, 30, 1], "**lost on the way (30.5 %) and found again**"),
        ([0, 30, 40], "**lost**"),
        ([90, 30, 1], "**found**"),
        ([90, 60, 70], "**never found**"),
        ([NONE, 60, 70], "**never found**"),
        ([NONE, 60, 1], "**found**"),
    ],
)
def test_a_fate_is_told_by_the_mean_training_error(errors, fate):
    said = fates(curves(trained=errors), 56)
    assert fate in said
    assert "plain-56 built from a trained plain-20" in said


def test_the_end_is_told_with_its_seeds():
    assert "0.5 % (0.0 to 1.0 over 2 seeds)" in fates(curves(residual=[NONE, 5, 0]), 56)


def test_each_start_is_a_line_with_a_band_and_a_label():
    table = curves(usual=[NONE, 80, 70], trained=[0, 9, 1], residual=[NONE, 20, 0])
    figure = from_starts(table, 56, "train")
    names = [trace.name for trace in figure.data]
    assert names.count("plain, usual start") == names.count("ResNet, usual start") == 1
    line = next(trace for trace in figure.data if trace.name == "plain, built from trained")
    assert list(line.x) == [0, 1, 2]
    assert list(line.y) == [0.5, 9.5, 1.5]
    assert (
        "test error 10.0 % (10.0 to 10.0 over 2 seeds)" in from_starts(table, 56, "test").data[4].hovertext[1]
    )
    assert "plain, usual start: 80.5 % at first, 70.5 % at the end" in describe_starts(table, 56, "train")


def test_a_depth_that_nobody_trained_is_an_empty_sheet():
    table = curves(usual=[NONE, 80])
    assert [trace.name for trace in from_starts(table, 110, "train").data] == ["guessing", "labels"]
    assert fates(table, 110) == ""
