"""Error over the epochs: thin dashes for training, a solid bold line for the test (Figure 6)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd
import plotly.graph_objects as go

from explorer.analysis import aggregates
from explorer.charts import words
from explorer.charts.marks import chance_line, end_labels, set_error_axis
from explorer.charts.scales import drawn_errors
from explorer.charts.theme import FAMILY_TITLE, SPLIT_TITLE, Split, band_colour, blank, line_style, net_title


@dataclass(frozen=True)
class CurveStyle:
    """What the reader has chosen to see.

    Attributes:
        families: in drawing order.
        splits: train, test or both.
        each_seed: one thin line per seed instead of the band from the lowest to the highest.
        log_x: epochs on a log axis; epoch 0 has no place there.
        log_y: errors on a log axis.
        smoothing: epochs averaged into the bold line; 1 is none, more keeps the raw mean under it.
    """

    families: tuple[str, ...] = ("plain", "residual")
    splits: tuple[Split, ...] = ("train", "test")
    each_seed: bool = False
    log_x: bool = False
    log_y: bool = False
    smoothing: int = 1


def error_over_epochs(
    curves: pd.DataFrame, depth: int, style: CurveStyle, chance_pct: float | None = None
) -> go.Figure:
    """Error of the nets of one depth over the epochs.

    Axes depend on all of `curves`, not on `depth`, and every depth has the same traces in the same
    order: sliding moves lines, never the axes.

    Args:
        curves: as `aggregates.seed_curves` gives them, of any number of depths.
        depth: which nets are drawn.
        style: what is drawn of them.
        chance_pct: error of guessing, drawn as context.
    """
    figure = blank("epoch", "error (%)")
    last = int(curves["epoch"].max()) if len(curves) else 1
    figure.update_xaxes(**_epoch_axis(last, style.log_x))
    set_error_axis(figure, style.log_y)
    shown = curves[(curves["depth"] == depth) & curves["split"].isin(style.splits)]
    shown = shown[shown["epoch"] > 0] if style.log_x else shown
    if chance_pct is not None:
        figure.add_trace(chance_line(chance_pct, [1 if style.log_x else 0, last]))
    ends: list[tuple[str, float]] = []
    for family in style.families:
        ends += _draw_family(figure, shown[shown["family"] == family], family, depth, style)
    figure.add_trace(end_labels(ends, last, style.log_y))
    return figure


def describe_curves(curves: pd.DataFrame, depth: int, style: CurveStyle) -> str:
    """The chart in words, for people who do not see it."""
    means = aggregates.mean_curves(curves[curves["depth"] == depth])
    said = []
    for family in style.families:
        for split in style.splits:
            line = means[(means["family"] == family) & (means["split"] == split)]
            if len(line):
                first, end = line.iloc[0], line.iloc[-1]
                said.append(
                    f"{net_title(family, depth)}: {SPLIT_TITLE[split]} error {_at(first)} and {_at(end)}"
                )
    return f"Error in per cent over the epochs at depth {depth}. " + "; ".join(said or ["no run"]) + "."


def _at(row: pd.Series) -> str:
    return f"{words.percent(row['mean'])} at epoch {int(row['epoch'])}"


def _draw_family(
    figure: go.Figure, curves: pd.DataFrame, family: str, depth: int, style: CurveStyle
) -> list[tuple[str, float]]:
    means = aggregates.mean_curves(curves)
    lines = {split: means[means["split"] == split] for split in style.splits}
    figure.add_trace(_seeds(curves, family, style) if style.each_seed else _band(lines, family, style))
    ends = []
    for split, line in lines.items():
        if style.smoothing > 1:
            figure.add_trace(_line(line, family, split, style, faint=True))
        drawn = aggregates.smoothed(line, style.smoothing) if style.smoothing > 1 else line
        trace = _line(drawn, family, split, style)
        trace.update(name=f"{net_title(family, depth)}, {SPLIT_TITLE[split]}")
        trace.update(hovertext=_sentences(line, family, split, depth), hoverinfo="text")
        figure.add_trace(trace)
        end = trace.y[-1] if len(drawn) else math.nan
        ends.append((f"{FAMILY_TITLE.get(family, family)} {SPLIT_TITLE[split]}", end))
    return ends


def _line(
    line: pd.DataFrame, family: str, split: Split, style: CurveStyle, faint: bool = False
) -> go.Scatter:
    look = line_style(family, split)
    if faint:
        look = {**look, "width": 1}
    return go.Scatter(
        x=line["epoch"].tolist(), y=drawn_errors(line["mean"].tolist(), style.log_y), mode="lines", line=look,
        opacity=0.45 if faint else 1, name="raw mean", hoverinfo="skip",
    )  # fmt: skip


def _band(lines: dict[Split, pd.DataFrame], family: str, style: CurveStyle) -> go.Scatter:
    """The hulls of all splits as one closed path each, in one trace."""
    x: list[float | None] = []
    y: list[float | None] = []
    for line in lines.values():
        epochs = line["epoch"].tolist()
        low, high = (drawn_errors(line[name].tolist(), style.log_y) for name in ("low", "high"))
        if epochs:
            x += [*epochs, *reversed(epochs), epochs[0], None]
            y += [*low, *reversed(high), low[0], None]
    return go.Scatter(
        x=x[:-1], y=y[:-1], mode="lines", line={"width": 0}, fill="toself", fillcolor=band_colour(family),
        hoverinfo="skip", name=f"{FAMILY_TITLE.get(family, family)}, lowest to highest seed",
    )  # fmt: skip


def _seeds(curves: pd.DataFrame, family: str, style: CurveStyle) -> go.Scatter:
    x: list[float | None] = []
    y: list[float | None] = []
    for _, run in curves.groupby(["split", "seed"]):
        x += [*run["epoch"].tolist(), None]
        y += [*drawn_errors(run["error_pct"].tolist(), style.log_y), None]
    return go.Scatter(
        x=x[:-1], y=y[:-1], mode="lines", line={"width": 1, "color": band_colour(family, 0.6)},
        hoverinfo="skip", name=f"{FAMILY_TITLE.get(family, family)}, each seed",
    )  # fmt: skip


def _sentences(line: pd.DataFrame, family: str, split: Split, depth: int) -> list[str]:
    rows = zip(line["epoch"], line["mean"], line["low"], line["high"], line["seeds"], strict=True)
    name = net_title(family, depth)
    return [
        f"{name} after epoch {epoch}:<br>{SPLIT_TITLE[split]} error {words.with_spread(*numbers)}"
        for epoch, *numbers in rows
    ]


def _epoch_axis(last: int, log: bool) -> dict[str, object]:
    if log:
        return {"type": "log", "range": [0, math.log10(max(last, 2))]}
    return {"type": "linear", "range": [0, last], "tickformat": "d"}
