"""The layers' responses over training: epoch against layer, in the scale of the lines' axis."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from explorer.charts.responses import NetSeries, ResponseAxes, drawn_values
from explorer.charts.theme import LABEL_SIZE, blank

SCALE = "Cividis"
_TITLE = {"layer": "weighted layer", "block": "layer at the block's end"}


def heat_map(table: pd.DataFrame, net: NetSeries, axes: ResponseAxes) -> go.Figure:
    """One net's values over all its epochs, clipped to the chart's axis.

    Args:
        table: as `responses.response_table` gives it.
        net: which net.
        axes: the axis of the lines, so that a value has one meaning on the page.
    """
    figure = blank("epoch", _TITLE[axes.quantity.of])
    grid = table[table["net"] == net.key].pivot_table(
        index="layer", columns="epoch", values="value", dropna=False
    )
    values = grid.to_numpy(float)
    drawn = np.array([drawn_values(row.tolist(), axes) for row in values]).reshape(values.shape)
    figure.add_trace(
        go.Heatmap(
            x=[int(epoch) for epoch in grid.columns], y=[int(layer) for layer in grid.index],
            z=(np.log10(drawn) if axes.log else drawn).tolist(), colorscale=SCALE, hoverinfo="text",
            hovertext=_sentences(grid, net, axes), colorbar=_bar(axes), **_ends(axes),
        )
    )  # fmt: skip
    figure.update_xaxes(tickformat="d", showgrid=False)
    figure.update_yaxes(tickformat="d", showgrid=False)
    return figure.update_layout(margin={"r": 84})


def describe_heat(table: pd.DataFrame, net: NetSeries, axes: ResponseAxes) -> str:
    """The map in words."""
    mine = table[table["net"] == net.key]
    first, last = int(mine["epoch"].min()), int(mine["epoch"].max())
    start, end = (float(mine[mine["epoch"] == epoch]["value"].median()) for epoch in (first, last))
    return (
        f"{axes.quantity.title} of {net.title}, each {axes.quantity.of} over the epochs: typical value "
        f"{start:.3g} at epoch {first}, {end:.3g} at epoch {last}."
    )


def _ends(axes: ResponseAxes) -> dict[str, float]:
    low, high = (math.log10(axes.low), math.log10(axes.high)) if axes.log else (axes.low, axes.high)
    return {"zmin": low, "zmax": high}


def _bar(axes: ResponseAxes) -> dict[str, object]:
    look: dict[str, object] = {
        "title": {"text": axes.quantity.title, "side": "right", "font": {"size": LABEL_SIZE}},
        "thickness": 14, "outlinewidth": 0, "tickfont": {"size": LABEL_SIZE},
    }  # fmt: skip
    if axes.log:
        powers = range(round(math.log10(axes.low)), round(math.log10(axes.high)) + 1)
        look |= {"tickvals": list(powers), "ticktext": [f"{10.0**power:g}" for power in powers]}
    return look


def _sentences(grid: pd.DataFrame, net: NetSeries, axes: ResponseAxes) -> list[list[str]]:
    return [
        [f"{net.title}, layer {layer}, epoch {epoch}:<br>{axes.quantity.title} {value:.3g}"
         for epoch, value in row.items()]
        for layer, row in grid.iterrows()
    ]  # fmt: skip
