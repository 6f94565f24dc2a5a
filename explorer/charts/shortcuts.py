"""Shortcuts of any strength and gates of any bias, drawn: errors, ratios, T(x) by layer, and their plane."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from explorer.charts import words
from explorer.charts.marks import chance_line, end_labels, set_error_axis
from explorer.charts.theme import (
    CONTEXT,
    LABEL_SIZE,
    SPLIT_TITLE,
    Split,
    blank,
    colour,
    depth_colour,
    translucent,
)

ENDS = {0.0: "plain", 1.0: "ResNet"}
_RIGHT = 112


def shade_of(strength: float) -> str:
    """From vermilion, plain, to blue, residual, by way of grey: #RRGGBB."""
    shades = (colour("plain"), colour("residual"))
    ends = [np.array([int(shade[at : at + 2], 16) for at in (1, 3, 5)]) for shade in shades]
    mixed = (1 - strength) * ends[0] + strength * ends[1]
    return "#" + "".join(f"{round(float(channel)):02X}" for channel in mixed)


def strength_title(strength: float) -> str:
    """Such as 's = 0.5', and the net's name at either end."""
    return f"s = {strength:g}" + (f", {ENDS[strength]}" if strength in ENDS else "")


def error_by_strength(curves: pd.DataFrame, depth: int, chosen: float, split: Split) -> go.Figure:
    """Error over the epochs at every strength, the chosen one bold with its seeds as a band."""
    here = curves[curves["depth"] == depth]
    strengths = sorted(here["strength"].unique().tolist())
    lines = [
        (strength_title(one), shade_of(one), here[here["strength"] == one], one == chosen)
        for one in strengths
    ]
    return _error_lines(lines, split)


def error_by_bias(curves: pd.DataFrame, depth: int, chosen: float, split: Split) -> go.Figure:
    """As `error_by_strength`, by the bias that the gates begin with; rows of block 0 alone."""
    part = curves[(curves["depth"] == depth) & (curves["block"] == 0)]
    biases = sorted(part["bias"].unique().tolist())
    shades = [depth_colour("highway", rank, list(range(len(biases)))) for rank in range(len(biases))]
    lines = [
        (f"bias {bias:g}", shade, part[part["bias"] == bias], bias == chosen)
        for bias, shade in zip(biases, shades, strict=True)
    ]
    return _error_lines(lines, split)


def by_strength(
    means: Mapping[str, pd.DataFrame], chosen: float, axis: str, *, top: float | None = None
) -> go.Figure:
    """A quantity against strength, mean over the seeds with their spread; a ring marks the chosen one.

    Args:
        means: by name of the line, columns strength, mean, low, high.
        chosen: the strength.
        axis: the quantity with its unit.
        top: end of the axis, where it is fixed.
    """
    figure = blank("strength of the shortcut", axis, 260)
    dashes = ("solid", "6px,4px")
    for (name, table), dash in zip(means.items(), dashes, strict=False):
        x = table["strength"].tolist()
        figure.add_trace(_band(x, table["low"], table["high"], colour("residual"), name))
        figure.add_trace(
            go.Scatter(
                x=x, y=table["mean"].tolist(), mode="lines+markers", name=name, hoverinfo="text",
                line={"color": colour("residual"), "width": 2.5, "dash": dash},
                marker={
                    "color": [shade_of(strength) for strength in x],
                    "size": [15 if strength == chosen else 8 for strength in x],
                },
                hovertext=[
                    f"{strength_title(strength)}, {name}: {value:.3g} ({low:.3g} to {high:.3g})"
                    for strength, value, low, high in table[["strength", "mean", "low", "high"]].to_numpy()
                ],
            )
        )  # fmt: skip
    figure.update_xaxes(range=[-0.06, 1.06], tickvals=[0, 0.25, 0.5, 0.75, 1])
    if top is not None:
        figure.update_yaxes(range=[-0.03 * top, top])
    else:
        figure.update_yaxes(rangemode="tozero")
    legend = {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "font": {"size": LABEL_SIZE}}
    return figure.update_layout(showlegend=len(means) > 1, legend=legend, margin={"r": 16, "t": 40})


def gates_by_layer(
    tables: Mapping[str, pd.DataFrame], picture: Mapping[int, float] | None = None
) -> go.Figure:
    """Mean T(x) of each gate with its 5th to 95th percentile, and that of one picture.

    Args:
        tables: by name, columns block, mean, low, high; the first is drawn with its band.
        picture: by number of the block from 1 the mean T of one picture.
    """
    figure = blank("layer, counted as blocks from 1", "T(x): 0 carries x, 1 transforms", 320)
    for number, (name, table) in enumerate(tables.items()):
        x = table["block"].astype(int).tolist()
        if number == 0:
            figure.add_trace(_band(x, table["low"], table["high"], colour("highway"), name))
        figure.add_trace(
            go.Scatter(
                x=x, y=table["mean"].tolist(), mode="lines+markers", name=name, hoverinfo="text",
                line={"color": colour("highway") if number == 0 else CONTEXT, "width": 3 - number,
                      "dash": "solid" if number == 0 else "6px,4px"}, marker={"size": 5},
                hovertext=[
                    f"{name}, layer {at}:<br>T {mean:.3f}, 5 to 95 %: {low:.3f} to {high:.3f}"
                    for at, mean, low, high in zip(
                        x, table["mean"], table["low"], table["high"], strict=True
                    )
                ],
            )
        )  # fmt: skip
    if picture:
        figure.add_trace(
            go.Scatter(
                x=list(picture), y=list(picture.values()), mode="markers", name="this picture",
                marker={"symbol": "diamond-open", "size": 9, "color": colour("highway")},
                hovertext=[f"this picture, layer {at}: T {mean:.3f}" for at, mean in picture.items()],
                hoverinfo="text",
            )
        )  # fmt: skip
    figure.update_yaxes(range=[-0.02, 1.02])
    legend = {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "font": {"size": LABEL_SIZE}}
    return figure.update_xaxes(tickformat="d").update_layout(
        showlegend=True, legend=legend, margin={"r": 16, "t": 40}
    )


def describe_gates(tables: Mapping[str, pd.DataFrame]) -> str:
    """T by layer in words."""
    said = [
        f"{name}: mean T {table['mean'].min():.3f} to {table['mean'].max():.3f} over {len(table)} layers"
        for name, table in tables.items()
        if len(table)
    ]
    return f"How far gates are open, by layer. {'; '.join(said) or 'nothing measured'}."


def gate_maps(maps: Sequence[tuple[int, NDArray[np.floating]]]) -> go.Figure:
    """T(x) of one picture, mean over the channels, a square per layer, all on one scale.

    Args:
        maps: number of the block from 1, and (H, W).
    """
    side = max((max(values.shape) for _, values in maps), default=1)
    columns: list[NDArray[np.floating]] = []
    ticks = []
    for number, values in maps:
        times = side // max(values.shape)
        square = values.repeat(times, 0).repeat(times, 1)
        ticks.append((len(columns) * (side + 1) + (side - 1) / 2, str(number)))
        columns.append(np.pad(square, ((0, 0), (0, 1)), constant_values=np.nan))
    drawn = np.concatenate(columns, 1)[:, :-1] if columns else np.zeros((1, 1))
    top = max(0.3, float(np.nanmax(drawn)))
    figure = blank("layer", "", 150)
    figure.add_trace(
        go.Heatmap(
            z=drawn.tolist(), zmin=0, zmax=top, colorscale="Cividis",
            hovertemplate="T %{z:.3f}<extra></extra>",
            colorbar={"title": {"text": "T(x)"}, "thickness": 12},
        )
    )  # fmt: skip
    figure.update_yaxes(visible=False, autorange="reversed", scaleanchor="x")
    figure.update_xaxes(tickvals=[at for at, _ in ticks], ticktext=[name for _, name in ticks])
    return figure.update_layout(margin={"l": 8, "r": 70, "t": 8, "b": 44})


def plane(strength: float, openness: Sequence[float]) -> go.Figure:
    """H(x) T + x C as a plane of T and C: plain, residual, the line of highway nets, and where we are.

    Args:
        strength: of the shortcut that is chosen: T = 1, C = s.
        openness: mean T of each gate of a trained highway net: C = 1 - T.
    """
    figure = blank("T: how much of H(x)", "C: how much of x", 380)
    figure.add_trace(_way([1, 1], [0, 1], "our slider: T = 1, C = s", colour("residual"), "6px,4px"))
    figure.add_trace(_way([0, 1], [1, 0], "highway: C = 1 − T", colour("highway"), "solid"))
    figure.add_trace(
        go.Scatter(
            x=list(openness), y=[1 - value for value in openness], mode="markers", hoverinfo="skip",
            marker={"color": colour("highway"), "size": 6, "opacity": 0.5}, name="gates of a trained net",
        )
    )  # fmt: skip
    marks = [
        (1, 1, "residual", colour("residual"), "bottom left"),
        (1, 0, "plain", colour("plain"), "bottom left"),
        (0.5, 0.5, "0.5 H(x) + 0.5 x", colour("highway"), "bottom left"),
        (0, 1, "x alone", CONTEXT, "top right"),
    ]
    for x, y, name, shade, place in marks:
        figure.add_trace(
            go.Scatter(
                x=[x], y=[y], mode="markers+text", text=[name], textposition=place, name=name,
                marker={"color": shade, "size": 12}, textfont={"size": LABEL_SIZE}, hoverinfo="name",
                cliponaxis=False, showlegend=False,
            )
        )  # fmt: skip
    figure.add_trace(
        go.Scatter(
            x=[1], y=[strength], mode="markers", name=f"chosen: s = {strength:g}", hoverinfo="name",
            cliponaxis=False,
            marker={"symbol": "circle-open", "size": 22, "color": shade_of(strength), "line": {"width": 3}},
        )
    )  # fmt: skip
    ticks = {"tickvals": [0, 0.5, 1], "range": [-0.12, 1.14]}
    legend = {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "font": {"size": LABEL_SIZE}}
    figure.update_xaxes(**ticks)
    figure.update_yaxes(**ticks)
    return figure.update_layout(showlegend=True, legend=legend, margin={"r": 16, "t": 64})


def _error_lines(lines: Sequence[tuple[str, str, pd.DataFrame, bool]], split: Split) -> go.Figure:
    figure = blank("epoch", f"{SPLIT_TITLE[split]} error (%)", 380)
    column, ends, last = f"{split}_error_pct", [], 1
    for name, shade, part, bold in lines:
        known = part.dropna(subset=[column])
        means = known.groupby("epoch")[column].agg(["mean", "min", "max", "count"]).reset_index()
        x = means["epoch"].astype(int).tolist()
        last = max([last, *x])
        if bold:
            figure.add_trace(_band(x, means["min"], means["max"], shade, name))
        figure.add_trace(
            go.Scatter(
                x=x, y=means["mean"].tolist(), mode="lines", name=name, hoverinfo="text",
                line={"color": shade, "width": 4 if bold else 1.75}, opacity=1 if bold else 0.65,
                hovertext=[
                    f"{name}, epoch {epoch:.0f}:<br>{words.with_spread(mean, low, high, int(seeds))}"
                    for epoch, mean, low, high, seeds in means.to_numpy().tolist()
                ],
            )
        )  # fmt: skip
        ends.append((f"<b>{name}</b>" if bold else name, float(means["mean"].iloc[-1])))
    figure.add_trace(chance_line(90.0, [0, last]))
    figure.add_trace(end_labels(ends, last, False))
    set_error_axis(figure, False)
    return figure.update_xaxes(range=[0, last], tickformat="d").update_layout(margin={"r": _RIGHT})


def _way(x: list[float], y: list[float], name: str, shade: str, dash: str) -> go.Scatter:
    return go.Scatter(
        x=x, y=y, mode="lines", name=name, line={"color": shade, "width": 2.5, "dash": dash}, hoverinfo="name"
    )


def _band(x: Sequence[float], low: pd.Series, high: pd.Series, shade: str, name: str) -> go.Scatter:
    return go.Scatter(
        x=[*x, *reversed(x)], y=[*low.tolist(), *reversed(high.tolist())], mode="lines", line={"width": 0},
        fill="toself", fillcolor=translucent(shade), hoverinfo="skip", name=f"{name}, spread",
        showlegend=False,
    )  # fmt: skip
