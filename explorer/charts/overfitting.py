"""Training and test error against depth, one shade per regulariser."""

from __future__ import annotations

import math
from typing import get_args

import pandas as pd
import plotly.graph_objects as go

from explorer.charts import words
from explorer.charts.marks import end_labels
from explorer.charts.theme import CONTEXT, SPLIT_TITLE, Split, blank, depth_colour, line_style, net_title

REGULARISERS = {"": "none", "-survival0.5": "stochastic depth", "-dropout0.3": "dropout"}
_REGULARISER_MARK = {"": "square", "-survival0.5": "circle", "-dropout0.3": "diamond"}
_SHADE = {"": 110, "-survival0.5": 56, "-dropout0.3": 20}


def overfitting(finals: pd.DataFrame) -> go.Figure:
    """Training and test error against depth, a line per regulariser.

    Args:
        finals: columns regulariser, depth, split, mean, low, high, seeds.
    """
    figure = blank("depth (weighted layers, log)", "final error (%)", 380)
    depths = sorted(finals["depth"].unique())
    ends = []
    for regulariser, part in finals.groupby("regulariser", sort=False):
        shade = depth_colour("residual", _SHADE[str(regulariser)], sorted(_SHADE.values()))
        name, symbol = REGULARISERS[str(regulariser)], _REGULARISER_MARK[str(regulariser)]
        for split in get_args(Split):
            line, test = part[part["split"] == split], split == "test"
            figure.add_trace(
                go.Scatter(
                    x=line["depth"].tolist(), y=line["mean"].tolist(), mode="lines+markers",
                    name=f"{name}, {SPLIT_TITLE[split]}",
                    line=line_style("residual", split) | {"color": shade},
                    marker={"symbol": symbol + ("" if test else "-open"), "size": 9 if test else 6},
                    error_y=_spread(line) if test else None, hoverinfo="text",
                    hovertext=[
                        f"{net_title('residual', depth)}, {name}:<br>{SPLIT_TITLE[split]} error "
                        + words.with_spread(*numbers)
                        for depth, *numbers in zip(
                            line["depth"], line["mean"], line["low"], line["high"], line["seeds"], strict=True
                        )
                    ],
                )
            )  # fmt: skip
            if test and len(line):
                ends.append((name, float(line["mean"].iloc[-1])))
    if depths:
        figure.add_trace(end_labels(ends, depths[-1], False))
        edges = [math.log10(0.9 * depths[0]), math.log10(1.08 * depths[-1])]
        figure.update_xaxes(
            type="log", range=edges, tickvals=depths, ticktext=[str(depth) for depth in depths]
        )
    figure.update_layout(margin={"l": 56, "r": 142, "t": 14, "b": 48})
    return figure.update_yaxes(range=[-2, 102])


def describe_overfitting(finals: pd.DataFrame) -> str:
    """The chart in words."""
    said = []
    for (regulariser, split), line in finals.groupby(["regulariser", "split"], sort=False):
        first, last = line.iloc[0], line.iloc[-1]
        said.append(
            f"{REGULARISERS[str(regulariser)]}, {split}: {words.percent(first['mean'])} at {first['depth']} "
            f"layers, {words.percent(last['mean'])} at {last['depth']}"
        )
    return "Final error of residual nets trained on 200 digits. " + "; ".join(said) + "."


def _spread(line: pd.DataFrame) -> dict[str, object]:
    return {
        "type": "data", "symmetric": False, "array": (line["high"] - line["mean"]).tolist(),
        "arrayminus": (line["mean"] - line["low"]).tolist(), "color": CONTEXT, "thickness": 1.2,
    }  # fmt: skip
