"""Charts of how far a map can be trusted: curves of masking, and the map under randomised weights."""

from __future__ import annotations

import math

import pandas as pd
import plotly.graph_objects as go

from explorer.charts.maps import MAP_TINT
from explorer.charts.theme import CONTEXT, LABEL_SIZE, blank

HEIGHT = 320
_MARGIN = {"l": 56, "r": 12, "t": 52, "b": 48}


def masking_figure(curves: pd.DataFrame, curve: str) -> go.Figure:
    """The class's probability as pixels go or come, in the map's order and in random order.

    Args:
        curves: columns curve, map, share, probability.
        curve: deletion or insertion.
    """
    verb = "removed" if curve == "deletion" else "shown"
    figure = blank(f"pixels {verb} (%)", "probability (%)", HEIGHT)
    figure.update_layout(margin=_MARGIN)
    figure.update_xaxes(range=[-1, 101], tickvals=[0, 25, 50, 75, 100])
    figure.update_yaxes(range=[-4, 104], tickvals=[0, 25, 50, 75, 100])
    for name, title, line in (
        ("random", "random order (mean of 5)", {"color": CONTEXT, "width": 2, "dash": "6px,4px"}),
        ("attribution", "the map's order", {"color": MAP_TINT, "width": 3}),
    ):
        part = curves[(curves["curve"] == curve) & (curves["map"] == name)]
        figure.add_trace(
            go.Scatter(
                x=(100 * part["share"]).tolist(), y=(100 * part["probability"]).tolist(), mode="lines",
                line=line, name=title,
                hovertemplate=f"{title}: %{{y:.1f}} % with %{{x:.0f}} % {verb}<extra></extra>",
            )
        )  # fmt: skip
    figure.update_layout(showlegend=True, legend=_legend())
    return figure


def randomisation_figure(table: pd.DataFrame) -> go.Figure:
    """Rank correlation with the trained net's map after each step of forgetting.

    Args:
        table: columns redrawn, correlation.
    """
    figure = blank("rank correlation", "weights replaced by random ones", HEIGHT)
    figure.update_layout(margin=_MARGIN | {"l": 112})
    figure.update_xaxes(range=[-1.05, 1.05], tickvals=[-1, -0.5, 0, 0.5, 1], zeroline=True)
    figure.update_xaxes(zerolinecolor=CONTEXT, zerolinewidth=1)
    values = table["correlation"].tolist()
    said = [
        f"{name}: the map is empty"
        if math.isnan(value)
        else f"{name}: {value:+.2f} with the trained net's map"
        for name, value in zip(table["redrawn"], values, strict=True)
    ]
    names = table["redrawn"].tolist()
    figure.add_trace(
        go.Bar(
            x=values, y=names, orientation="h", marker={"color": MAP_TINT}, width=0.5, hoverinfo="text",
            hovertext=said, textposition="none", name="rank correlation",
        )
    )  # fmt: skip
    empty = [name for name, value in zip(names, values, strict=True) if math.isnan(value)]
    figure.add_trace(
        go.Scatter(
            x=[0.0] * len(empty), y=empty, mode="text", text=["\u00a0empty map"] * len(empty),
            hoverinfo="skip", textposition="middle right", textfont={"size": LABEL_SIZE}, name="empty",
        )
    )  # fmt: skip
    figure.update_yaxes(categoryorder="array", categoryarray=names[::-1], type="category")
    return figure


def describe_masking(curves: pd.DataFrame, curve: str) -> str:
    """A masking curve in words."""
    half = [
        f"{100 * _at_half(curves, curve, name):.0f} % in {order} order"
        for name, order in (("attribution", "the map's"), ("random", "random"))
    ]
    verb = "removed" if curve == "deletion" else "shown"
    return f"Probability of the class with half of the pixels {verb}: {', '.join(half)}."


def describe_randomisation(table: pd.DataFrame) -> str:
    """The randomisation check in words."""
    said = [f"{row.redrawn} {row.correlation:.2f}" for row in table.itertuples()]
    return (
        "Rank correlation with the trained net's map after replacing weights by random ones: "
        + ", ".join(said)
        + "."
    )


def _at_half(curves: pd.DataFrame, curve: str, name: str) -> float:
    part = curves[(curves["curve"] == curve) & (curves["map"] == name)]
    nearest = int((part["share"] - 0.5).abs().to_numpy().argmin())
    return float(part["probability"].iloc[nearest])


def _legend() -> dict[str, object]:
    return {
        "x": 0, "xanchor": "left", "y": 1.02, "yanchor": "bottom", "orientation": "v",
        "traceorder": "reversed", "font": {"size": LABEL_SIZE}, "bgcolor": "rgba(0,0,0,0)",
    }  # fmt: skip
