"""Curves and final values of groups of runs, drawn with mean and spread over their seeds."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from html import escape

import pandas as pd
import plotly.graph_objects as go

from explorer.analysis.aggregates import Measure, mean_of_groups
from explorer.charts import words
from explorer.charts.curves import CurveStyle
from explorer.charts.marks import AT_MOST, beyond_frame, end_labels, set_error_axis
from explorer.charts.scales import LOG_FLOOR_PCT, drawn_errors, error_range
from explorer.charts.theme import (
    FAMILY_SYMBOL,
    HEIGHT,
    SPLIT_TITLE,
    Split,
    blank,
    colour,
    depth_colour,
    line_style,
    translucent,
)

Drawn = Callable[[list[float]], list[float]]
MOST_GROUPS = 12
"""Lines that one chart can still tell apart."""
_AXIS = {"error_pct": "error (%)", "loss": "loss (cross-entropy, nats)"}
_ERROR_TOPS = (2.5, 5.0, 10.0, 25.0, 50.0, 100.0)
_LOSS_FLOOR = 1e-3
_LOSS_TOPS = (2.5, 5.0, 10.0)
_SPREAD = ["mean", "low", "high", "runs"]


def curves_of_groups(
    curves: pd.DataFrame, members: pd.DataFrame, measure: Measure, style: CurveStyle, last: int
) -> go.Figure:
    """Curves of all groups over the epochs: dashed and thin is training, solid and bold is test.

    Args:
        curves: as `group_curves` gives them.
        members: the same as for `curves`.
        measure: what they hold.
        style: which splits, each seed or a band, and a log axis.
        last: epochs of the longest run, also while it still runs, so that the axis stays.
    """
    figure = blank("epoch", _AXIS[measure])
    figure.update_xaxes(range=[0, max(last, 1)], tickformat="d")
    axis = _set_axis(figure, curves, (measure, last), style.log_y)
    means, ends = mean_of_groups(curves), []
    for group, shade in group_colours(members).items():
        family = str(members.loc[members["group"] == group, "family"].iloc[0])
        for split in style.splits:
            line = means[(means["group"] == group) & (means["split"] == split)]
            runs = curves[(curves["group"] == group) & (curves["split"] == split)]
            single = runs if style.each_seed else runs[~runs["counts"]]
            floor = _LOSS_FLOOR if measure == "loss" else LOG_FLOOR_PCT
            drawn = partial(drawn_errors, log=style.log_y, floor=floor)
            if not style.each_seed:
                figure.add_trace(_band(line, shade, drawn))
            if style.each_seed or len(single):  # what no mean takes is seen all the same
                figure.add_trace(_each(single, shade, drawn))
            figure.add_trace(_mean(line, (escape(group), family, shade), split, measure, drawn))
        ends.append((escape(group), _end(line, runs, drawn)))
    low, high = (10**end for end in axis) if style.log_y else axis
    beyond = beyond_frame((trace.to_plotly_json() for trace in figure.data if trace.fill is None), low, high)
    if beyond["x"]:
        figure.add_trace(go.Scatter(beyond))
    figure.add_trace(end_labels(ends, max(last, 1), style.log_y, axis))
    return figure


def _end(line: pd.DataFrame, runs: pd.DataFrame, drawn: Drawn) -> float:
    """Where a group's name stands: at the end of its mean, or of its single runs where it has none."""
    last = line["mean"].tail(1).tolist() or runs["value"].tail(1).tolist()
    return drawn(last)[0] if last else math.nan


def finals_of_groups(finals: pd.DataFrame, members: pd.DataFrame, log: bool) -> go.Figure:
    """Final errors as dots with their spread: open is training, filled is test; one row per group."""
    shades = group_colours(members)
    figure = blank("final error (%)", "", height=min(96 + 40 * len(shades), 2 * HEIGHT))
    figure.update_xaxes(type="log" if log else "linear", range=_error_axis(finals, log))
    if log:
        lowest = f"{AT_MOST}{LOG_FLOOR_PCT:g}"
        figure.update_xaxes(tickvals=[LOG_FLOOR_PCT, 1, 10, 100], ticktext=[lowest, "1", "10", "100"])
    figure.update_yaxes(
        tickvals=list(range(len(shades))),
        ticktext=list(map(escape, shades)),
        range=[len(shades) - 0.4, -0.6],
        ticks="",
    )
    figure.update_layout(margin={"l": 132, "r": 24})
    families = dict(zip(members["group"], members["family"], strict=True))
    for number, (group, shade) in enumerate(shades.items()):
        for split, shift in (("train", -0.13), ("test", 0.13)):
            row = finals[(finals["group"] == group) & (finals["split"] == split)]
            if len(row):
                look = (shade, FAMILY_SYMBOL.get(families[group], "x"))
                figure.add_trace(_dot(row.iloc[0], number + shift, look, log))
    return figure


def _error_axis(finals: pd.DataFrame, log: bool) -> list[float]:
    """From zero to the next of a few round per cents, so that small errors can be told apart."""
    most = float(finals["high"].max()) if len(finals) else 100.0
    top = next((step for step in _ERROR_TOPS if most <= step), 100.0)
    return error_range(log) if log else [-0.02 * top, 1.02 * top]


def group_colours(members: pd.DataFrame) -> dict[str, str]:
    """A colour per group, in drawing order: the family's, in several lightnesses where it comes often."""
    groups = members.drop_duplicates("group").head(MOST_GROUPS)
    shades = {}
    for group, family in zip(groups["group"], groups["family"], strict=True):
        mine = list(groups.loc[groups["family"] == family, "group"])
        ranks = list(range(len(mine)))
        alone = len(mine) == 1
        shades[group] = colour(family) if alone else depth_colour(family, mine.index(group), ranks)
    return shades


def describe_groups(finals: pd.DataFrame) -> str:
    """The comparison in words, for people who do not see it."""
    rows = zip(finals["group"], finals["split"], *(finals[name] for name in _SPREAD), strict=True)
    said = [f"{group}: {SPLIT_TITLE[split]} error {words.with_spread(*rest)}" for group, split, *rest in rows]
    return "Last measured errors. " + ("; ".join(said) or "Nothing was measured yet") + "."


def _at(row: pd.Series) -> str:
    return words.with_spread(row["mean"], row["low"], row["high"], row["runs"])


def _set_axis(
    figure: go.Figure, curves: pd.DataFrame, shown: tuple[Measure, int], log: bool
) -> Sequence[float]:
    """Ranges that stay while a run grows: per cents always alike, losses in a few steps."""
    measure, last = shown
    if measure == "error_pct":
        set_error_axis(figure, log)
        return error_range(log)
    # a test loss may shoot up for some epochs: only where it ends has to be seen
    told = curves[(curves["split"] == "train") | (curves["epoch"] == last)]
    most = float(told["value"].max()) if len(told) else _LOSS_TOPS[0]
    top = next((step for step in _LOSS_TOPS if most <= step), 10.0)
    axis = [math.log10(_LOSS_FLOOR), math.log10(top * 1.2)] if log else [-0.02 * top, top * 1.02]
    figure.update_yaxes(type="log" if log else "linear", range=axis)
    if log:
        figure.update_yaxes(
            tickvals=[0.001, 0.01, 0.1, 1, 10], ticktext=[f"{AT_MOST}0.001", "0.01", "0.1", "1", "10"]
        )
    return axis


def _mean(
    line: pd.DataFrame, look: tuple[str, str, str], split: Split, measure: Measure, drawn: Drawn
) -> go.Scatter:
    group, family, shade = look
    unit = " %" if measure == "error_pct" else ""
    what = "error" if measure == "error_pct" else "loss"
    texts = [
        f"{group} after epoch {epoch}:<br>{SPLIT_TITLE[split]} {what} {mean:.3g}{unit}"
        f"{f' ({low:.3g} to {high:.3g} over {runs} runs)' if runs > 1 else ''}"
        for epoch, mean, low, high, runs in line[["epoch", *_SPREAD]].itertuples(index=False)
    ]
    return go.Scatter(
        x=line["epoch"].tolist(), y=drawn(line["mean"].tolist()), mode="lines",
        line={**line_style(family, split), "color": shade}, name=f"{group}, {SPLIT_TITLE[split]}",
        hovertext=texts, hoverinfo="text",
    )  # fmt: skip


def _band(line: pd.DataFrame, shade: str, drawn: Drawn) -> go.Scatter:
    epochs = line["epoch"].tolist()
    low, high = (drawn(line[name].tolist()) for name in ("low", "high"))
    return go.Scatter(
        x=[*epochs, *reversed(epochs)], y=[*low, *reversed(high)], mode="lines", line={"width": 0},
        fill="toself", fillcolor=translucent(shade), hoverinfo="skip", name="lowest to highest run",
    )  # fmt: skip


def _each(curves: pd.DataFrame, shade: str, drawn: Drawn) -> go.Scatter:
    x: list[float | None] = []
    y: list[float | None] = []
    for _, run in curves.groupby("run_id"):
        x += [*run["epoch"].tolist(), None]
        y += [*drawn(run["value"].tolist()), None]
    return go.Scatter(
        x=x, y=y, mode="lines", line={"width": 1, "color": translucent(shade, 0.6)}, hoverinfo="skip",
        name="each run",
    )  # fmt: skip


def _dot(row: pd.Series, height: float, look: tuple[str, str], log: bool) -> go.Scatter:
    shade, symbol = look
    low, mean, high = drawn_errors([row["low"], row["mean"], row["high"]], log)
    test = row["split"] == "test"
    return go.Scatter(
        x=[mean], y=[height], mode="markers", cliponaxis=False,
        error_x={"type": "data", "symmetric": False, "array": [high - mean], "arrayminus": [mean - low],
                 "color": shade, "thickness": 2.5 if test else 1.25, "width": 5},
        marker={"symbol": symbol if test else f"{symbol}-open", "size": 11 if test else 8, "color": shade},
        hoverinfo="text", name=f"{escape(row['group'])}, {SPLIT_TITLE[row['split']]}",
        hovertext=[f"{escape(row['group'])}:<br>final {SPLIT_TITLE[row['split']]} error {_at(row)}"],
    )  # fmt: skip
