"""Gradients drawn: two arrows and their angle, agreement and sizes by block, strips, lengths of paths."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from explorer.charts import words
from explorer.charts.maps import DIVERGING, limit_of
from explorer.charts.marks import chance_line, end_labels, set_error_axis
from explorer.charts.run_traces import as_power
from explorer.charts.theme import (
    CONTEXT,
    FAMILY_TITLE,
    LABEL_SIZE,
    SPLIT_TITLE,
    Split,
    blank,
    colour,
    net_title,
    translucent,
)

Angles = Mapping[str, tuple[str, float]]
"""By name of a net: its family, and the angle between two batches' gradients in degrees."""
MANNERS = {"usual": "as usual", "share": "every tensor at a healthy size", "clip": "all norms clipped at 1"}
_DASHES = {"usual": "solid", "share": "8px,3px", "clip": "3px,3px"}
_ENDS = {"usual": "as usual", "share": "healthy size", "clip": "clipped"}
_FAMILIES = ("plain", "residual")


def arrows(angles: Angles) -> go.Figure:
    """The steps that two batches ask for, as two arrows per net with their true angle between them."""
    figure = blank("", "", 300)
    for number, (name, (family, degrees)) in enumerate(angles.items()):
        left = 1.7 * number
        for turn in (0.0, degrees):
            radians = math.radians(turn)
            figure.add_annotation(
                x=left + math.cos(radians), y=math.sin(radians), ax=left, ay=0, xref="x", yref="y",
                axref="x", ayref="y", showarrow=True, arrowhead=2, arrowsize=1.2, arrowwidth=4,
                arrowcolor=colour(family), text="",
            )  # fmt: skip
        turns = [math.radians(degrees * part / 24) for part in range(25)]
        figure.add_trace(
            go.Scatter(
                x=[left + 0.3 * math.cos(turn) for turn in turns], y=[0.3 * math.sin(turn) for turn in turns],
                mode="lines", line={"color": CONTEXT, "width": 2}, hoverinfo="skip", name=name,
            )
        )  # fmt: skip
        figure.add_annotation(x=left + 0.5, y=0.42, text=f"<b>{degrees:.1f}°</b>", showarrow=False,
                              font={"size": 18})  # fmt: skip
        figure.add_annotation(x=left + 0.5, y=-0.16, text=name, showarrow=False, font={"size": LABEL_SIZE})
    hidden = {"visible": False, "fixedrange": True}
    figure.update_xaxes(range=[-0.3, 1.7 * max(len(angles), 1) - 0.3], **hidden)
    figure.update_yaxes(range=[-0.3, 1.12], scaleanchor="x", **hidden)
    return figure.update_layout(margin={"l": 8, "r": 8, "t": 8, "b": 8}, dragmode=False)


def describe_arrows(angles: Angles) -> str:
    """The arrows in words."""
    said = [f"{name} {degrees:.1f} degrees" for name, (_, degrees) in angles.items()]
    return f"Angle between the steps that two batches ask for: {words.listed(said)}. At 90 nothing is shared."


def agreement_by_block(
    table: pd.DataFrame, depth: int, extra: Mapping[str, tuple[str, pd.DataFrame]] | None = None
) -> go.Figure:
    """Cosine of two batches' gradients in each block, mean over seeds with their spread.

    Args:
        table: columns net, seed, block, cosine, of one moment.
        depth: whose nets are drawn.
        extra: by name what was measured just now: family, and columns block, cosine.
    """
    figure = blank("block, from the picture to the class", "agreement (cosine)", 340)
    last = 1
    for family in _FAMILIES:
        part = table[table["net"] == f"{family}-{depth}"]
        if len(part):
            _add_spread(figure, part, "cosine", net_title(family, depth), colour(family))
            last = max(last, int(part["block"].max()))
    for name, (family, found) in (extra or {}).items():
        last = max(last, int(found["block"].max()))
        figure.add_trace(_line(found, "cosine", name, colour(family), {"dash": "3px,3px", "width": 2.5}))
    figure.update_xaxes(range=[0.5, last + 0.5], tickformat="d")
    figure.update_yaxes(range=[-0.12, 1.02], zeroline=True, zerolinecolor=CONTEXT, zerolinewidth=1)
    return _with_legend(figure)


def agreement_by_depth(means: Mapping[str, tuple[float, float, float]]) -> go.Figure:
    """Mean cosine over the blocks against depth; by id of a net mean, lowest and highest seed."""
    figure = blank("layers", "agreement, mean over blocks", 340)
    depths = sorted({int(net.partition("-")[2]) for net in means})
    for family in _FAMILIES:
        known = [(depth, *means[net]) for depth in depths if (net := f"{family}-{depth}") in means]
        x, mean, low, high = (list(column) for column in zip(*known, strict=True)) if known else ([],) * 4
        figure.add_trace(_band(x, low, high, colour(family), FAMILY_TITLE[family]))
        figure.add_trace(
            go.Scatter(
                x=x, y=mean, mode="lines+markers", name=FAMILY_TITLE[family], hoverinfo="text",
                line={"color": colour(family), "width": 3}, marker={"size": 8},
                hovertext=[
                    f"{net_title(family, depth)}: cosine {value:.3f} ({least:.3f} to {most:.3f})"
                    for depth, value, least, most in known
                ],
            )
        )  # fmt: skip
    figure.update_xaxes(type="log", tickvals=depths, ticktext=[str(depth) for depth in depths])
    figure.update_yaxes(range=[-0.04, 0.72], zeroline=True, zerolinecolor=CONTEXT, zerolinewidth=1)
    return _with_legend(figure)


def sizes_by_block(table: pd.DataFrame, depth: int, norm: str) -> go.Figure:
    """Each block's gradient norm over the last one's, on a log axis, at one step.

    Args:
        table: columns net, seed, block and `norm`, of one step.
        depth: whose nets are drawn.
        norm: which norm.
    """
    figure = blank("block, from the picture to the class", "gradient norm, of the last block's (log)", 340)
    last, lines = 1, []
    for family in _FAMILIES:
        part = table[table["net"] == f"{family}-{depth}"].sort_values("block")
        if part.empty:
            continue
        ends = part.groupby("seed")[norm].transform("last")
        relative = part.assign(relative=(part[norm] / ends.where(ends > 0)).clip(lower=1e-30))
        _add_spread(figure, relative, "relative", net_title(family, depth), colour(family), middle="median")
        last = max(last, int(part["block"].max()))
        lines += relative["relative"].dropna().tolist()
    figure.add_hline(y=1, line={"color": CONTEXT, "width": 1, "dash": "dot"})
    _set_log_axis(figure, lines)
    figure.update_xaxes(range=[0.5, last + 0.5], tickformat="d")
    return _with_legend(figure)


def ratio_over_steps(ratios: Mapping[str, Mapping[int, float]]) -> go.Figure:
    """The first block's norm over the last one's after so many steps, by id of a net; both axes log."""
    figure = blank("steps of training (0: untrained)", "first block over last (log)", 340)
    values = []
    for net, by_step in ratios.items():
        family, _, depth = net.partition("-")
        steps = sorted(by_step)
        heights = [max(by_step[step], 1e-30) for step in steps]
        values += heights
        figure.add_trace(
            go.Scatter(
                x=[max(step, 0.5) for step in steps], y=heights, mode="lines+markers",
                name=net_title(family, int(depth)), line={"color": colour(family), "width": 2.5},
                hoverinfo="text",
                hovertext=[
                    f"{net_title(family, int(depth))} {step} steps:<br>first block over last {value:.2g}"
                    for step, value in zip(steps, heights, strict=True)
                ],
            )
        )  # fmt: skip
    figure.add_hline(y=1, line={"color": CONTEXT, "width": 1, "dash": "dot"})
    ticks = sorted({step for by_step in ratios.values() for step in by_step} & {0, 1, 3, 11, 22, 55, 110})
    figure.update_xaxes(
        type="log", tickvals=[max(step, 0.5) for step in ticks], ticktext=[str(step) for step in ticks]
    )
    _set_log_axis(figure, values)
    return _with_legend(figure)


def describe_ratios(ratios: Mapping[str, Mapping[int, float]], what: str) -> str:
    """First block over last in words, untrained and at the last step."""
    said = []
    for net, by_step in ratios.items():
        family, _, depth = net.partition("-")
        first, last = min(by_step), max(by_step)
        said.append(
            f"{net_title(family, int(depth))} {by_step[first]:.2g} untrained, {by_step[last]:.2g} after "
            f"{last} steps"
        )
    return f"{what}, the first block's over the last one's: {'; '.join(said) or 'nothing measured'}."


def forced_curves(curves: pd.DataFrame, net: str, split: Split = "train") -> go.Figure:
    """Error over the epochs of one net, by how its steps are sized.

    Args:
        curves: columns net, manner (a key of `MANNERS`), seed, epoch, train_error_pct, test_error_pct.
        net: id of the net.
        split: whose error.
    """
    figure = blank("epoch", f"{SPLIT_TITLE[split]} error (%)", 340)
    last = int(curves["epoch"].max()) if len(curves) else 1
    figure.add_trace(chance_line(90.0, [0, last]))
    family, ends = net.partition("-")[0], []
    for manner, title in MANNERS.items():
        part = curves[(curves["net"] == net) & (curves["manner"] == manner)]
        part = part.dropna(subset=[f"{split}_error_pct"])
        if part.empty:
            continue
        means = part.groupby("epoch")[f"{split}_error_pct"].agg(["mean", "min", "max", "count"]).reset_index()
        x = means["epoch"].astype(int).tolist()
        figure.add_trace(_band(x, means["min"].tolist(), means["max"].tolist(), colour(family), title))
        figure.add_trace(
            go.Scatter(
                x=x, y=means["mean"].tolist(), mode="lines", name=title, hoverinfo="text",
                line={"color": colour(family), "width": 3, "dash": _DASHES[manner]},
                hovertext=[
                    f"{title}, epoch {epoch}:<br>{words.with_spread(mean, low, high, int(seeds))}"
                    for epoch, mean, low, high, seeds in means.to_numpy().tolist()
                ],
            )
        )  # fmt: skip
        ends.append((_ENDS[manner], float(means["mean"].iloc[-1])))
    figure.add_trace(end_labels(ends, last, False))
    set_error_axis(figure, False)
    return figure.update_xaxes(range=[0, last], tickformat="d").update_layout(margin={"r": 118})


def strip(units: NDArray[np.floating]) -> go.Figure:
    """Gradients along a line: a column per step, a row per value of the picture, plum up and teal down.

    Args:
        units: each step's gradient over its norm, (steps, values).
    """
    figure = blank("", "", 128)
    limit = limit_of(units, 99.5)
    drawn = np.rint(127 * np.clip(units / limit, -1, 1)).astype(np.int8).T
    figure.add_trace(
        go.Heatmap(z=drawn, zmin=-127, zmax=127, colorscale=DIVERGING, showscale=False, hoverinfo="skip")
    )
    hidden = {"visible": False, "fixedrange": True}
    figure.update_xaxes(**hidden)
    figure.update_yaxes(**hidden)
    return figure.update_layout(margin={"l": 0, "r": 0, "t": 2, "b": 2}, dragmode=False)


def path_lengths(shares: Mapping[str, Sequence[float]]) -> go.Figure:
    """Share of the gradient by number of blocks passed, beside the share of all paths and Veit's sampling.

    Args:
        shares: by `exact`, `paths` (the binomial) and, where it was drawn, `sampled`.
    """
    figure = blank("blocks that the gradient passes by their branch", "share (%)", 340)
    looks = {
        "exact": ("gradient, exactly", colour("residual"), "solid", 3.0),
        "sampled": ("gradient, sampled as in Veit et al.", colour("residual"), "3px,3px", 2.0),
        "paths": ("all paths (binomial)", CONTEXT, "8px,3px", 2.0),
    }
    for name, (title, shade, dash, width) in looks.items():
        if name not in shares:
            continue
        values = [100 * share for share in shares[name]]
        figure.add_trace(
            go.Scatter(
                x=list(range(len(values))), y=values, mode="lines+markers", name=title, hoverinfo="text",
                line={"color": shade, "dash": dash, "width": width}, marker={"size": 5},
                hovertext=[f"{title}: {value:.1f} % through {k} blocks" for k, value in enumerate(values)],
            )
        )  # fmt: skip
    figure.update_yaxes(rangemode="tozero")
    return _with_legend(figure.update_xaxes(tickformat="d"))


def _add_spread(
    figure: go.Figure, part: pd.DataFrame, column: str, name: str, shade: str, middle: str = "mean"
) -> None:
    """The middle over the seeds by block as a line, lowest to highest as a band."""
    found = part.groupby("block")[column].agg([middle, "min", "max"]).reset_index()
    blocks = found["block"].astype(int).tolist()
    figure.add_trace(_band(blocks, found["min"].tolist(), found["max"].tolist(), shade, name))
    figure.add_trace(_line(found, middle, name, shade, {"width": 3}))


def _line(table: pd.DataFrame, column: str, name: str, shade: str, look: Mapping[str, object]) -> go.Scatter:
    blocks, values = table["block"].astype(int).tolist(), table[column].tolist()
    return go.Scatter(
        x=blocks, y=values, mode="lines", name=name, line={"color": shade, **look}, hoverinfo="text",
        hovertext=[f"{name}, block {at}: {value:.3g}" for at, value in zip(blocks, values, strict=True)],
    )  # fmt: skip


def _band(x: Sequence[int], low: Sequence[float], high: Sequence[float], shade: str, name: str) -> go.Scatter:
    return go.Scatter(
        x=[*x, *reversed(x)], y=[*low, *reversed(high)], mode="lines", line={"width": 0}, fill="toself",
        fillcolor=translucent(shade), hoverinfo="skip", name=f"{name}, lowest to highest seed",
        showlegend=False,
    )  # fmt: skip


def _set_log_axis(figure: go.Figure, values: Sequence[float]) -> None:
    """A log axis over all values and over 1/100 to 100 at least, ticks at some powers of ten."""
    known = [math.log10(value) for value in values if value > 0]
    low, high = math.floor(min([-2, *known])), math.ceil(max([2, *known]))
    step = 1 if high - low <= 6 else 3 if high - low <= 18 else 6
    powers = [power for power in range(low, high + 1) if power % step == 0]
    figure.update_yaxes(
        type="log", range=[low - 0.2, high + 0.2], tickvals=[10.0**power for power in powers],
        ticktext=[as_power(power) for power in powers],
    )  # fmt: skip


def _with_legend(figure: go.Figure) -> go.Figure:
    legend = {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "font": {"size": LABEL_SIZE}}
    return figure.update_layout(showlegend=True, legend=legend, margin={"r": 16, "t": 44})
