"""Poisson's equation by corrections: what is left, how fast it shrinks, and how large corrections are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from explorer.charts.theme import CONTEXT, LABEL_SIZE, blank, colour

Values = NDArray[np.float64]
_FLOOR = 1e-12


def left_over(x: Values, errors: Mapping[str, Values], start: Values) -> go.Figure:
    """What is left of an error over the line, for smoothing alone and with corrections, over what it was.

    Args:
        x: places of the points.
        errors: by name, smoothing alone first: what is left at the points.
        start: the error at first.
    """
    figure = blank("place x", "error u(x)", 340)
    figure.add_trace(_line(x, start, "at first", CONTEXT, 1))
    for (name, values), family in zip(errors.items(), ("plain", "residual"), strict=False):
        figure.add_trace(_line(x, values, name, colour(family), 3))
    top = 1.08 * float(np.abs(start).max())
    figure.update_yaxes(range=[-top, top], zeroline=True, zerolinewidth=1, zerolinecolor=CONTEXT)
    return _named(figure.update_xaxes(range=[0, 1]))


def shrinking(errors: Mapping[str, Values], chosen: int) -> go.Figure:
    """The largest error by cycle on a log axis, over that at the start; a ring marks the chosen cycle."""
    figure = blank("cycles (4 sweeps each on the finest grid)", "largest error, share of the first", 340)
    last = 1
    for (name, values), family in zip(errors.items(), ("plain", "residual"), strict=False):
        last = len(values) - 1
        sizes = [13 if number == chosen else 6 for number in range(len(values))]
        figure.add_trace(
            go.Scatter(
                x=list(range(len(values))), y=np.maximum(values, _FLOOR).tolist(), mode="lines+markers",
                name=name, line={"color": colour(family), "width": 2}, marker={"size": sizes},
                hoverinfo="text",
                hovertext=[
                    f"{name}, {n} cycles:<br>{value:.2g} of the first" for n, value in enumerate(values)
                ],
            )
        )  # fmt: skip
    ticks = [0, -3, -6, -9, -12]
    figure.update_yaxes(
        type="log", range=[-12.4, 0.4], tickvals=[10.0**e for e in ticks],
        ticktext=[f"1e{e}" if e else "1" for e in ticks],
    )  # fmt: skip
    return _named(figure.update_xaxes(range=[-0.2, last + 0.2], tickformat="d"))


def found_so_far(x: Values, wish: Values, solutions: Mapping[str, Values]) -> go.Figure:
    """What the same number of steps has made of each set of knobs, beside what is wished for."""
    figure = blank("place x", "solution u(x)", 340)
    figure.add_trace(_line(x, wish, "wished for", CONTEXT, 1, "dot"))
    for (name, values), family in zip(solutions.items(), ("plain", "residual"), strict=False):
        figure.add_trace(_line(x, values, name, colour(family), 3))
    figure.update_yaxes(range=[-0.06, 1.1])
    return _named(figure.update_xaxes(range=[0, 1]))


def bars(values: Sequence[float], labels: Sequence[str], axis: str, unit: str) -> go.Figure:
    """Sizes of corrections, coarse to fine or first block to last."""
    figure = blank(axis, unit, 300)
    figure.add_trace(
        go.Bar(
            x=list(range(len(values))), y=list(values), marker={"color": colour("residual")}, name=unit,
            hoverinfo="text",
            hovertext=[f"{axis} {label}: {value:.3g}" for label, value in zip(labels, values, strict=True)],
        )
    )  # fmt: skip
    figure.update_xaxes(tickvals=list(range(len(values))), ticktext=list(labels))
    return figure.update_layout(margin={"r": 16}).update_yaxes(rangemode="tozero")


def _line(x: Values, y: Values, name: str, shade: str, width: float, dash: str = "solid") -> go.Scatter:
    return go.Scatter(
        x=[0, *x.tolist(), 1], y=[0, *y.tolist(), 0], mode="lines", name=name, hoverinfo="name",
        line={"color": shade, "width": width, "dash": dash},
    )  # fmt: skip


def _named(figure: go.Figure) -> go.Figure:
    legend = {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "font": {"size": LABEL_SIZE}}
    return figure.update_layout(showlegend=True, legend=legend, margin={"r": 16, "t": 44})
