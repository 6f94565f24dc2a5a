"""Final error against depth: one line per family and split, the chosen depth marked."""

from __future__ import annotations

import math

import pandas as pd
import plotly.graph_objects as go

from explorer.charts import words
from explorer.charts.curves import CurveStyle
from explorer.charts.marks import chance_line, end_labels, set_error_axis
from explorer.charts.scales import drawn_errors, error_range
from explorer.charts.theme import (
    CONTEXT,
    FAMILY_SYMBOL,
    FAMILY_TITLE,
    SPLIT_TITLE,
    Split,
    band_colour,
    blank,
    colour,
    line_style,
    net_title,
)

MARKS = 2
"""How many traces at the end of the figure depend on the chosen depth."""


def error_over_depth(
    finals: pd.DataFrame, chosen: int | None, style: CurveStyle, chance_pct: float | None = None
) -> go.Figure:
    """Final error of all depths, with a rule and rings at the chosen one.

    Args:
        finals: as `aggregates.final_errors` gives them.
        chosen: the marked depth, or None for no mark.
        style: which families and splits, and which axes are logarithmic.
        chance_pct: error of guessing, drawn as context.
    """
    figure = blank("depth (weighted layers)", "final error (%)")
    depths = sorted(finals["depth"].unique()) or [8, 110]
    figure.update_xaxes(**_depth_axis(depths, style.log_x))
    set_error_axis(figure, style.log_y)
    if chance_pct is not None:
        figure.add_trace(chance_line(chance_pct, [depths[0], depths[-1]]))
    ends: list[tuple[str, float]] = []
    for family in style.families:
        mine = finals[finals["family"] == family]
        for split in style.splits:
            line = mine[mine["split"] == split]
            figure.add_trace(_band(line, family, style.log_y))
            figure.add_trace(_line(line, family, split, style.log_y))
            end = figure.data[-1].y[-1] if len(line) else math.nan
            ends.append((f"{FAMILY_TITLE.get(family, family)} {SPLIT_TITLE[split]}", end))
    figure.add_trace(end_labels(ends, depths[-1], style.log_y))
    figure.add_trace(_rule(chosen, style.log_y))
    figure.add_trace(_rings(finals, chosen, style))
    return figure


def describe_depths(finals: pd.DataFrame, style: CurveStyle) -> str:
    """The chart in words, for people who do not see it."""
    said = []
    for family in style.families:
        for split in style.splits:
            line = finals[(finals["family"] == family) & (finals["split"] == split)]
            if len(line):
                first, last = line.iloc[0], line.iloc[-1]
                said.append(
                    f"{FAMILY_TITLE.get(family, family)} {SPLIT_TITLE[split]} error "
                    f"{words.percent(first['mean'])} at depth {first['depth']} and "
                    f"{words.percent(last['mean'])} at depth {last['depth']}"
                )
    return "Final error in per cent against depth. " + "; ".join(said or ["No run"]) + "."


def _line(line: pd.DataFrame, family: str, split: Split, log: bool) -> go.Scatter:
    small = split == "train"
    return go.Scatter(
        x=line["depth"].tolist(), y=drawn_errors(line["mean"].tolist(), log), mode="lines+markers",
        line=line_style(family, split), name=f"{FAMILY_TITLE.get(family, family)}, {SPLIT_TITLE[split]}",
        marker={"symbol": _symbol(family, small), "size": 6 if small else 8},
        hoverinfo="text", hovertext=_sentences(line, family, split),
    )  # fmt: skip


def _symbol(family: str, small: bool) -> str:
    return FAMILY_SYMBOL.get(family, "x") + ("-open" if small else "")


def _band(line: pd.DataFrame, family: str, log: bool) -> go.Scatter:
    depths = line["depth"].tolist()
    low, high = (drawn_errors(line[name].tolist(), log) for name in ("low", "high"))
    return go.Scatter(
        x=[*depths, *reversed(depths)], y=[*low, *reversed(high)], mode="lines", line={"width": 0},
        fill="toself", fillcolor=band_colour(family), hoverinfo="skip",
        name=f"{FAMILY_TITLE.get(family, family)}, lowest to highest seed",
    )  # fmt: skip


def _rule(chosen: int | None, log: bool) -> go.Scatter:
    low, high = error_range(log)
    ends = [10**low, 10**high] if log else [low, high]
    x = [] if chosen is None else [chosen, chosen]
    return go.Scatter(
        x=x, y=ends if x else [], mode="lines", line={"color": CONTEXT, "width": 1.5}, hoverinfo="skip",
        name="chosen depth",
    )  # fmt: skip


def _rings(finals: pd.DataFrame, chosen: int | None, style: CurveStyle) -> go.Scatter:
    """Rings around the chosen nets; every depth has as many points, those without a run at NaN."""
    here = finals[finals["depth"] == chosen].set_index(["family", "split"])["mean"]
    keys = [(family, split) for family in style.families for split in style.splits]
    heights = [float(here.get(key, math.nan)) for key in keys]
    return go.Scatter(
        x=[chosen] * len(keys), y=drawn_errors(heights, style.log_y), mode="markers", hoverinfo="skip",
        cliponaxis=False,
        marker={
            "symbol": "circle-open", "size": 16, "line": {"width": 2.5},
            "color": [colour(family) for family, _ in keys],
        },
        name="chosen nets",
    )  # fmt: skip


def _sentences(line: pd.DataFrame, family: str, split: Split) -> list[str]:
    rows = zip(line["depth"], line["mean"], line["low"], line["high"], line["seeds"], strict=True)
    return [
        f"{net_title(family, depth)}:<br>final {SPLIT_TITLE[split]} error {words.with_spread(*numbers)}"
        for depth, *numbers in rows
    ]


def _depth_axis(depths: list[int], log: bool) -> dict[str, object]:
    shown = _apart([int(depth) for depth in depths], log)
    ticks = {"tickvals": shown, "ticktext": [str(depth) for depth in shown]}
    if log:
        return {
            "type": "log",
            "range": [math.log10(0.93 * depths[0]), math.log10(1.05 * depths[-1])],
            **ticks,
        }
    pad = 0.03 * (depths[-1] - depths[0] or 10)
    return {"type": "linear", "range": [depths[0] - pad, depths[-1] + pad], **ticks}


def _apart(depths: list[int], log: bool, gap: float = 0.085) -> list[int]:
    """The depths that are printed: the last, and those at least `gap` of the axis apart."""
    place = [math.log(depth) if log else float(depth) for depth in depths]
    step = gap * (place[-1] - place[0])
    kept = [depths[0]]
    for depth, here in zip(depths[1:-1], place[1:-1], strict=True):
        before = math.log(kept[-1]) if log else kept[-1]
        if here - before >= step and place[-1] - here >= step:
            kept.append(depth)
    return [*kept, depths[-1]] if len(depths) > 1 else kept
