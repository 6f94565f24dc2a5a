"""A very deep net: its blocks drawn to scale, and the signal and gradient that pass through them."""

from __future__ import annotations

import math

import pandas as pd
import plotly.graph_objects as go

from explorer.charts.theme import (
    FAMILY_TITLE,
    LABEL_SIZE,
    band_colour,
    blank,
    colour,
    depth_colour,
)

_ROW = 34
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
STAGE_SIZES = (32, 16, 8)


def stacks(nets: pd.DataFrame) -> go.Figure:
    """One row per net, one bar per stage, on a common axis of layers; thin lines part the blocks.

    Args:
        nets: columns depth, blocks_per_stage, layers_per_block, in drawing order.
    """
    figure = blank("weighted layers from the image to the class", "", 90 + _ROW * len(nets))
    titles = [f"{depth} layers" for depth in nets["depth"]]
    for stage, size in enumerate(STAGE_SIZES):
        widths = (nets["blocks_per_stage"] * nets["layers_per_block"]).tolist()
        figure.add_trace(
            go.Bar(
                x=widths, y=titles, base=[1 + stage * width for width in widths], orientation="h",
                marker={"color": depth_colour("residual", stage, [0, 1, 2]), "line": {"width": 0}},
                name=f"{size}x{size} maps, {16 * 2**stage} filters", hoverinfo="text",
                hovertext=[
                    f"{title}, {size}x{size} maps:<br>{count} blocks of {16 * 2**stage} filters"
                    for title, count in zip(titles, nets["blocks_per_stage"], strict=True)
                ],
            )
        )  # fmt: skip
    figure.add_trace(_block_lines(nets, titles))
    figure.update_yaxes(autorange="reversed", type="category")
    figure.update_xaxes(range=[0, 1.01 * int(nets["depth"].max())])
    legend = {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "font": {"size": LABEL_SIZE}}
    return figure.update_layout(
        barmode="overlay",
        bargap=0.35,
        showlegend=True,
        legend=legend,
        margin={"l": 92, "r": 16, "t": 56, "b": 48},
    )


def describe_stacks(nets: pd.DataFrame) -> str:
    """The drawing in words."""
    pairs = zip(nets["depth"], nets["blocks_per_stage"], strict=True)
    said = [f"{depth} layers in {3 * count} blocks" for depth, count in pairs]
    return "Nets drawn to scale, three stages each: " + "; ".join(said) + "."


def _block_lines(nets: pd.DataFrame, titles: list[str]) -> go.Scatter:
    x: list[int] = []
    y: list[str] = []
    for title, count, layers in zip(titles, nets["blocks_per_stage"], nets["layers_per_block"], strict=True):
        ends = list(range(1, 2 + 3 * int(count) * int(layers), int(layers)))
        x += ends
        y += [title] * len(ends)
    line = {"width": 1, "color": "rgba(255,255,255,0.55)"}
    return go.Scatter(
        x=x, y=y, mode="markers", hoverinfo="skip", showlegend=False, name="blocks",
        marker={"symbol": "line-ns", "size": 16, "line": line},
    )  # fmt: skip


def passing(signal: pd.DataFrame, quantity: str, axis: str, ranges: tuple[float, float]) -> go.Figure:
    """One line per family over the layers of nets of one depth, with the spread over seeds.

    Args:
        signal: columns family, layer, seed and `quantity`, of one depth.
        quantity: the column that is drawn, on a log axis.
        axis: its title with its unit.
        ranges: exponents of ten at the ends of the axis.
    """
    figure = blank("layer at the end of the block", axis, 360)
    last = int(signal["layer"].max()) if len(signal) else 1
    ends = []
    for family, part in signal.groupby("family", sort=False):
        means = part.groupby("layer")[quantity].agg(["mean", "min", "max"]).reset_index()
        name, layers = FAMILY_TITLE.get(str(family), str(family)), means["layer"].tolist()
        figure.add_trace(
            go.Scatter(
                x=[*layers, *reversed(layers)], y=[*means["min"], *reversed(means["max"].tolist())],
                mode="lines", fill="toself", line={"width": 0}, fillcolor=band_colour(str(family)),
                hoverinfo="skip", name=f"{name}, lowest to highest seed",
            )
        )  # fmt: skip
        figure.add_trace(
            go.Scatter(
                x=layers, y=means["mean"].tolist(), mode="lines", name=name,
                line={"color": colour(str(family)), "width": 2.5}, hoverinfo="text",
                hovertext=[f"{name}, layer {layer}:<br>{axis} {value:.3g}"
                           for layer, value in zip(layers, means["mean"], strict=True)],
            )
        )  # fmt: skip
        ends.append((name, float(means["mean"].iloc[-1])))
    figure.add_trace(_labels(ends, last, ranges))
    span = ranges[1] - ranges[0]
    step = 1 if span <= 6 else 10 if span <= 40 else 20
    ticks = [e for e in range(math.ceil(ranges[0]), math.floor(ranges[1]) + 1) if e % step == 0]
    shown = [f"{10.0**e:g}" if abs(e) <= 2 else f"10{str(e).translate(_RAISED)}" for e in ticks]
    figure.update_yaxes(type="log", range=list(ranges), tickvals=[10.0**e for e in ticks], ticktext=shown)
    return figure.update_xaxes(range=[0, last])


def describe_passing(signal: pd.DataFrame, quantity: str, axis: str) -> str:
    """The chart in words: first and last block of each family."""
    said = []
    for family, part in signal.groupby("family", sort=False):
        means = part.groupby("block")[quantity].mean()
        name = FAMILY_TITLE.get(str(family), str(family))
        said.append(f"{name} {means.iloc[0]:.2g} in the first block and {means.iloc[-1]:.2g} in the last")
    return f"{axis} through untrained nets. " + "; ".join(said) + "."


def _labels(ends: list[tuple[str, float]], at: int, ranges: tuple[float, float]) -> go.Scatter:
    """Names at the line ends, apart from each other on the log axis."""
    gap = 0.065 * (ranges[1] - ranges[0])
    placed: list[tuple[str, float]] = []
    for name, value in sorted(ends, key=lambda end: end[1]):
        height = math.log10(value) if value > 0 else ranges[0]
        placed.append((name, max(height, placed[-1][1] + gap) if placed else height))
    return go.Scatter(
        x=[at] * len(placed), y=[10**height for _, height in placed], mode="text", hoverinfo="skip",
        text=[f"\u00a0\u00a0{name}" for name, _ in placed], textposition="middle right",
        textfont={"size": LABEL_SIZE}, cliponaxis=False, name="labels",
    )  # fmt: skip
