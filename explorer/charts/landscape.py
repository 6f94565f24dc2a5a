"""Landscapes of loss and error: contour lines or a surface, one scale for all nets, trajectories on them."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from explorer.analysis.landscape import shaped
from explorer.charts import words
from explorer.charts.heat_map import SCALE
from explorer.charts.theme import LABEL_SIZE, blank

Quantity = Literal["loss", "error_pct"]
QUANTITIES: dict[Quantity, str] = {"loss": "training loss", "error_pct": "training error (%)"}
LOSS_ENDS = (0.003, 10.0)
"""Losses beyond these are drawn as these, on every chart."""
_DIRECTIONS = ("first direction", "second direction")
_TRAJECTORY = ("first component", "second component")
_HEIGHT = 340


def contour(table: pd.DataFrame, quantity: Quantity, trajectory: pd.DataFrame | None = None) -> go.Figure:
    """One grid as filled contour lines; a cross marks the net, or a line the trajectory that led to it.

    Args:
        table: columns x, y, loss, error_pct of one grid.
        quantity: what is drawn; the loss on a logarithmic scale.
        trajectory: columns epoch, x, y, train_error_pct; then the axes are the trajectory's components.
    """
    figure = blank(*(_DIRECTIONS if trajectory is None else _TRAJECTORY), _HEIGHT)
    x, y = (np.unique(table[axis].to_numpy(float)) for axis in ("x", "y"))
    scale = _scale(quantity)
    figure.add_trace(
        go.Contour(
            x=x.tolist(), y=y.tolist(), z=_drawn(table, quantity).tolist(), colorscale=SCALE,
            reversescale=True, zmin=scale["cmin"], zmax=scale["cmax"],
            contours={"start": scale["cmin"], "end": scale["cmax"], "size": scale["step"]},
            line={"width": 0.6, "color": "rgba(255,255,255,0.6)"}, colorbar=scale["bar"], hoverinfo="text",
            hovertext=_hover(table, x, y),
        )
    )  # fmt: skip
    figure.add_trace(_net_mark() if trajectory is None else _trajectory(trajectory))
    figure.update_xaxes(range=[x[0], x[-1]], showgrid=False)
    figure.update_yaxes(range=[y[0], y[-1]], showgrid=False)
    return figure.update_layout(margin={"r": 84})


def surface(table: pd.DataFrame, quantity: Quantity) -> go.Figure:
    """One grid as a surface that can be turned; heights and colours have the scale of `contour`."""
    figure = blank("", "", _HEIGHT + 40)
    x, y = (np.unique(table[axis].to_numpy(float)) for axis in ("x", "y"))
    scale = _scale(quantity)
    figure.add_trace(
        go.Surface(
            x=x.tolist(), y=y.tolist(), z=_drawn(table, quantity).tolist(), colorscale=SCALE,
            reversescale=True,
            cmin=scale["cmin"], cmax=scale["cmax"], showscale=False, hoverinfo="text",
            hovertext=_hover(table, x, y),
        )
    )  # fmt: skip
    above = 0.05 * (scale["cmax"] - scale["cmin"])  # what lies on the box's lid would flicker
    height = {"title": {"text": QUANTITIES[quantity]}, "range": [scale["cmin"], scale["cmax"] + above]}
    if "tickvals" in scale["bar"]:
        height |= {"tickvals": scale["bar"]["tickvals"], "ticktext": scale["bar"]["ticktext"]}
    return figure.update_layout(
        margin={"l": 0, "r": 0, "b": 0}, font={"size": LABEL_SIZE - 2},
        scene={
            "xaxis": {"title": {"text": _DIRECTIONS[0]}}, "yaxis": {"title": {"text": _DIRECTIONS[1]}},
            "zaxis": height, "aspectmode": "cube", "camera": {"eye": {"x": 1.8, "y": 1.8, "z": 0.9}},
        },
    )  # fmt: skip


def describe(title: str, table: pd.DataFrame, quantity: Quantity) -> str:
    """The chart in words: the value at the net itself, and the lowest and highest of the slice."""
    values = table[quantity].to_numpy(float)
    nearest = int((table["x"].abs() + table["y"].abs()).to_numpy(float).argmin())
    return (
        f"{QUANTITIES[quantity]} around {title}: {_said(quantity, float(values[nearest]))} in the middle, "
        f"{_said(quantity, float(values.min()))} to {_said(quantity, float(values.max()))} over the slice."
    )


def _said(quantity: Quantity, value: float) -> str:
    return f"{value:.3g}" if quantity == "loss" else words.percent(value)


def _drawn(table: pd.DataFrame, quantity: Quantity) -> NDArray[np.float64]:
    values = shaped(table, quantity)
    return np.log10(np.clip(values, *LOSS_ENDS)) if quantity == "loss" else values


def _scale(quantity: Quantity) -> dict[str, Any]:
    bar: dict[str, Any] = {
        "title": {"text": QUANTITIES[quantity], "side": "right", "font": {"size": LABEL_SIZE}},
        "thickness": 14, "outlinewidth": 0, "tickfont": {"size": LABEL_SIZE},
    }  # fmt: skip
    if quantity == "error_pct":
        return {"cmin": 0.0, "cmax": 100.0, "step": 10.0, "bar": bar}
    ticks = {0.01: "0.01", 0.1: "0.1", 1.0: "1", 10.0: "10"}
    bar |= {"tickvals": [float(np.log10(value)) for value in ticks], "ticktext": list(ticks.values())}
    low, high = (float(np.log10(end)) for end in LOSS_ENDS)
    return {"cmin": low, "cmax": high, "step": 0.25, "bar": bar}


def _hover(table: pd.DataFrame, x: NDArray[np.float64], y: NDArray[np.float64]) -> list[list[str]]:
    loss, error = (shaped(table, column) for column in ("loss", "error_pct"))
    return [
        [
            f"at {across:.2f}, {up:.2f}:<br>loss {loss[row, column]:.3g}, "
            f"error {words.percent(error[row, column])}"
            for column, across in enumerate(x)
        ]
        for row, up in enumerate(y)
    ]


def _net_mark() -> go.Scatter:
    return go.Scatter(
        x=[0], y=[0], mode="markers", name="the net", hoverinfo="skip",
        marker={"symbol": "x", "size": 9, "color": "#FFFFFF", "line": {"width": 1, "color": "#000000"}},
    )  # fmt: skip


def _trajectory(trajectory: pd.DataFrame) -> go.Scatter:
    rows = trajectory.sort_values("epoch")
    return go.Scatter(
        x=rows["x"].tolist(), y=rows["y"].tolist(), mode="lines+markers", name="the trajectory of training",
        line={"color": "#FFFFFF", "width": 2}, hoverinfo="text",
        marker={"size": 7, "color": "#FFFFFF", "line": {"width": 1, "color": "#000000"}},
        hovertext=[
            f"epoch {epoch}:<br>training error {words.percent(error)}"
            for epoch, error in zip(rows["epoch"], rows["train_error_pct"], strict=True)
        ],
    )  # fmt: skip
