"""Each net's typical response at initialisation against the one after training."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from explorer.charts.responses import NetSeries, ResponseAxes, drawn_values, net_colour, value_axis
from explorer.charts.theme import CONTEXT, FAMILY_SYMBOL, LABEL_SIZE, blank


def start_against_end(table: pd.DataFrame, axes: ResponseAxes) -> go.Figure:
    """One row per net: an open mark at epoch 0, a filled one at its last epoch; medians over the layers."""
    figure = blank(f"{axes.quantity.axis}, median over the {axes.quantity.of}s", "")
    for row, net in enumerate(reversed(axes.nets)):
        start, end, epoch = _ends(table, net)
        look = {"symbol": FAMILY_SYMBOL.get(net.family, "x"), "color": net_colour(net, axes.nets)}
        said = f"{net.title}:<br>{start:.3g} untrained, {end:.3g} after epoch {epoch}"
        drawn = drawn_values([start, end], axes)
        figure.add_trace(
            go.Scatter(x=drawn, y=[row, row], mode="lines", line={"color": CONTEXT, "width": 1.5},
                       hoverinfo="skip", name=f"{net.title}, change")
        )  # fmt: skip
        for value, when, ending in zip(drawn, ("untrained", "trained"), ("-open", ""), strict=True):
            mark = {**look, "symbol": look["symbol"] + ending, "size": 13, "line": {"width": 2}}
            figure.add_trace(
                go.Scatter(x=[value], y=[row], mode="markers", hoverinfo="text", hovertext=said, marker=mark,
                           name=f"{net.title}, {when}", cliponaxis=False)
            )  # fmt: skip
    names = [net.title for net in reversed(axes.nets)]
    figure.update_yaxes(tickvals=list(range(len(names))), ticktext=names, range=[-0.6, len(names) - 0.4],
                        showgrid=False, ticklen=0)  # fmt: skip
    figure.update_xaxes(**value_axis(axes, steps=(1,)), tickangle=0)  # a phone has no room for more
    figure.add_annotation(
        text="open: untrained · filled: trained", xref="paper", yref="paper", x=1, y=1.01, xanchor="right",
        yanchor="bottom", showarrow=False, font={"size": LABEL_SIZE, "color": CONTEXT},
    )  # fmt: skip
    return figure.update_layout(margin={"l": 104, "r": 24, "t": 34})


def describe_start(table: pd.DataFrame, axes: ResponseAxes) -> str:
    """The chart in words."""
    said = []
    for net in axes.nets:
        start, end, epoch = _ends(table, net)
        said.append(f"{net.title} {start:.3g} untrained and {end:.3g} after epoch {epoch}")
    return f"{axes.quantity.title}, median over the {axes.quantity.of}s: {'; '.join(said or ['no net'])}."


def _ends(table: pd.DataFrame, net: NetSeries) -> tuple[float, float, int]:
    mine = table[table["net"] == net.key]
    last = int(mine["epoch"].max())
    start, end = (float(mine[mine["epoch"] == epoch]["value"].median()) for epoch in (0, last))
    return start, end, last
