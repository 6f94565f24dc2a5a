"""Curves of one depth from different starts, and what became of a solution built by hand."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import plotly.graph_objects as go

from explorer.charts import words
from explorer.charts.marks import chance_line, end_labels, set_error_axis
from explorer.charts.theme import CONTEXT, SPLIT_TITLE, Split, blank, colour, depth_colour, translucent

GOOD_PCT = 5.0
"""A training error up to this counts as a solution found."""
_COLUMN: dict[Split, str] = {"train": "train_error_pct", "test": "test_error_pct"}
_RIGHT = 124


@dataclass(frozen=True)
class Start:
    """One way to begin.

    Attributes:
        label: name of its line.
        end: at the end of its line, short enough for a phone.
        words: in a sentence; {depth} is the depth.
        shade: of its line, #RRGGBB.
        dash: of its line.
    """

    label: str
    end: str
    words: str
    shade: str
    dash: str


_SHADES = [0, 1, 2]
HERE = "here"
"""A start of the visitor's own."""
STARTS = {
    "usual": Start(
        "plain, usual start", "usual start", "plain-{depth} from the usual start", colour("plain"), "solid"
    ),
    "trained": Start(
        "plain, built from trained", "from trained", "plain-{depth} built from a trained plain-20",
        depth_colour("plain", 2, _SHADES), "8px,3px",
    ),
    "untrained": Start(
        "plain, built untrained", "from untrained", "plain-{depth} built from an untrained plain-20",
        depth_colour("plain", 0, _SHADES), "3px,3px",
    ),
    "residual": Start(
        "ResNet, usual start", "ResNet", "ResNet-{depth} from the usual start", colour("residual"), "solid"
    ),
    HERE: Start(
        "built above, trained here", "trained here", "the net above, {depth} layers, trained here",
        CONTEXT, "solid",
    ),
}  # fmt: skip
"""By what the tables call them, in drawing order."""


def from_starts(curves: pd.DataFrame, depth: int, split: Split) -> go.Figure:
    """Mean error over the epochs of each start at one depth, its seeds as a band.

    Args:
        curves: columns start, depth, seed, epoch, train_error_pct, test_error_pct.
        depth: which nets are drawn.
        split: whose error.
    """
    figure = blank("epoch (0: before the first step)", f"{SPLIT_TITLE[split]} error (%)", 420)
    last = int(curves["epoch"].max()) if len(curves) else 1
    figure.add_trace(chance_line(90.0, [0, last]))
    ends = []
    for name, means in _means(curves, depth, split).items():
        start = STARTS[name]
        figure.add_trace(_band(means, start))
        figure.add_trace(
            go.Scatter(
                x=means["epoch"].tolist(), y=means["mean"].tolist(), mode="lines", name=start.label,
                line={"color": start.shade, "width": 3, "dash": start.dash}, hoverinfo="text",
                hovertext=[
                    f"{start.label}, epoch {row[0]}:<br>{SPLIT_TITLE[split]} error "
                    f"{words.with_spread(*row[1:])}"
                    for row in _rows(means)
                ],
            )
        )  # fmt: skip
        ends.append((start.end, float(means["mean"].iloc[-1])))
    figure.add_trace(end_labels(ends, last, False))
    set_error_axis(figure, False)
    figure.update_xaxes(range=[0, last], tickformat="d")
    return figure.update_layout(margin={"r": _RIGHT})


def describe_starts(curves: pd.DataFrame, depth: int, split: Split) -> str:
    """The chart in words: each start's first and last mean error."""
    said = [
        f"{STARTS[name].label}: {words.percent(means['mean'].iloc[0])} at first, "
        f"{words.percent(means['mean'].iloc[-1])} at the end"
        for name, means in _means(curves, depth, split).items()
    ]
    return (
        f"{SPLIT_TITLE[split]} error over the epochs at {depth} layers. "
        + "; ".join(said or ["no run"])
        + "."
    )


def fates(curves: pd.DataFrame, depth: int) -> str:
    """What became of a good solution from each start, in one sentence each, by the mean training error.

    A solution is a training error of at most `GOOD_PCT`.
    """
    said = []
    for name, means in _means(curves, depth, "train").items():
        begin, *way = means["mean"].tolist()
        begin = begin if means["epoch"].iloc[0] == 0 else float("nan")  # of the zoo's nets, drawn at random
        numbers = curves[(curves["depth"] == depth) & (curves["start"] == name)]
        last = numbers[numbers["epoch"] == numbers["epoch"].max()]["train_error_pct"].dropna()
        fate = _fate(begin, way)
        said.append(
            f"- {STARTS[name].words.format(depth=depth)}: **{fate}**, at the end "
            f"{words.with_spread(last.mean(), last.min(), last.max(), len(last))}"
        )
    return "\n".join(said)


def _fate(begin: float, way: list[float]) -> str:
    worst, end = max(way, default=begin), way[-1] if way else begin
    if begin <= GOOD_PCT:
        if end > GOOD_PCT:
            return "lost"
        return "kept" if worst <= GOOD_PCT else f"lost on the way ({words.percent(worst)}) and found again"
    return "found" if end <= GOOD_PCT else "never found"


def _means(curves: pd.DataFrame, depth: int, split: Split) -> dict[str, pd.DataFrame]:
    """Mean, least and most over the seeds, per epoch that has a value; by start, in drawing order."""
    here = curves[curves["depth"] == depth].dropna(subset=[_COLUMN[split]])
    found = {}
    for name in STARTS:
        part = here[here["start"] == name]
        if len(part):
            grouped = part.groupby("epoch")[_COLUMN[split]]
            found[name] = grouped.agg(mean="mean", low="min", high="max", seeds="count").reset_index()
    return found


def _rows(means: pd.DataFrame) -> list[tuple[int, float, float, float, int]]:
    columns = (means[name].tolist() for name in ("epoch", "mean", "low", "high", "seeds"))
    return list(zip(*columns, strict=True))


def _band(means: pd.DataFrame, start: Start) -> go.Scatter:
    epochs = means["epoch"].tolist()
    return go.Scatter(
        x=[*epochs, *reversed(epochs)], y=[*means["low"], *reversed(means["high"].tolist())], mode="lines",
        line={"width": 0}, fill="toself", fillcolor=translucent(start.shade), hoverinfo="skip",
        name=f"{start.label}, lowest to highest seed",
    )  # fmt: skip
