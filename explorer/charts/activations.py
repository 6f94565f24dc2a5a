"""Charts of activations: the answer's growth from block to block, and the values of one channel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from explorer.charts.maps import DIVERGING
from explorer.charts.scales import spread_labels
from explorer.charts.theme import CONTEXT, LABEL_SIZE, MARGIN, blank, colour

_RANGE = [-0.02, 1.04]
_DASHES = ("6px,3px", "2px,3px", "10px,3px,2px,3px", "14px,4px")
_BINS = 40
_MAP_HEIGHT = 340


@dataclass(frozen=True)
class AnswerTable:
    """A net's answers after each block.

    Attributes:
        table: columns block (0 is the stem), class and probability.
        classes: those drawn, the net's own answer first.
        family: of the net, for its colour.
    """

    table: pd.DataFrame
    classes: tuple[str, ...]
    family: str


def answer_table(readout: NDArray[np.floating], names: Sequence[str], shown: Sequence[int]) -> pd.DataFrame:
    """Probabilities (blocks + 1, classes) of the classes `shown`: columns block, class, probability."""
    parts = [
        pd.DataFrame({"block": range(len(readout)), "class": names[index], "probability": readout[:, index]})
        for index in shown
    ]
    return pd.concat(parts, ignore_index=True)


def answers_over_blocks(answers: AnswerTable, block: int) -> go.Figure:
    """Probability of the top classes after each block; a line at the chosen one."""
    figure = blank("block (0 is the stem)", "probability")
    figure.update_yaxes(range=_RANGE, tickvals=[0, 0.25, 0.5, 0.75, 1])
    last = int(answers.table["block"].max())
    figure.update_xaxes(range=[-0.3, last + 0.3])
    ends = []
    for rank, name in reversed(list(enumerate(answers.classes))):
        line = answers.table[answers.table["class"] == name]
        figure.add_scatter(
            x=line["block"], y=line["probability"], mode="lines", name=name, line=_line(rank, answers.family),
            hovertemplate=f"After block %{{x}}, {name} has %{{y:.1%}}.<extra></extra>",
        )  # fmt: skip
        ends.append((name, float(line["probability"].iloc[-1])))
    heights = spread_labels([end for _, end in ends], _RANGE, False, 0.06)
    figure.add_scatter(
        x=[last + 0.3] * len(ends), y=heights, text=[f"\u00a0\u00a0{_short(name)}" for name, _ in ends],
        mode="text", textposition="middle right", textfont={"size": LABEL_SIZE}, cliponaxis=False,
        hoverinfo="skip", name="labels",
    )  # fmt: skip
    figure.add_vline(x=block, line={"color": CONTEXT, "width": 1.5, "dash": "dot"})
    return figure


def describe_answers(answers: AnswerTable) -> str:
    """The chart in words."""
    first = answers.table[answers.table["class"] == answers.classes[0]]["probability"]
    return (
        f"Probability of {', '.join(answers.classes)} after the stem and after each of "
        f"{len(first) - 1} blocks. {answers.classes[0]} goes from {first.iloc[0]:.0%} to "
        f"{first.iloc[-1]:.0%}."
    )


def leads_from(readout: NDArray[np.floating]) -> int:
    """The block from which on the net's last answer leads at every block; 0 is the stem."""
    other = np.flatnonzero(readout.argmax(1) != readout[-1].argmax())
    return int(other[-1]) + 1 if len(other) else 0


def large_map(values: NDArray[np.floating]) -> go.Figure:
    """One channel on a scale centred at zero; hover gives each pixel's value."""
    figure = blank("column (pixels)", "row (pixels)", _MAP_HEIGHT)
    limit = float(np.abs(values).max()) or 1.0
    figure.add_heatmap(
        z=values.astype(np.float32), zmin=-limit, zmax=limit,
        colorscale=DIVERGING, colorbar={"thickness": 12, "tickfont": {"size": 12}},
        hovertemplate="Row %{y}, column %{x}: %{z:.3g}<extra></extra>", name="channel",
    )  # fmt: skip
    figure.update_yaxes(autorange="reversed", constrain="domain", scaleanchor="x")
    figure.update_xaxes(constrain="domain")
    return figure.update_layout(margin=MARGIN | {"r": 16})


def histogram(values: NDArray[np.floating]) -> go.Figure:
    """How many pixels of one channel have which value; a line at zero."""
    figure = blank("value", "pixels", _MAP_HEIGHT)
    counts, edges = np.histogram(values.astype(np.float64), bins=_BINS)
    figure.add_bar(
        x=(edges[1:] + edges[:-1]) / 2, y=counts, width=np.diff(edges), marker_color=CONTEXT, name="pixels",
        hovertemplate="%{y} pixels near %{x:.3g}<extra></extra>",
    )  # fmt: skip
    figure.add_vline(x=0, line={"color": CONTEXT, "width": 1})
    return figure.update_layout(margin=MARGIN | {"r": 16}, bargap=0)


def _line(rank: int, family: str) -> dict[str, object]:
    if rank == 0:
        return {"color": colour(family), "width": 3.25}
    return {"color": CONTEXT, "width": 1.75, "dash": _DASHES[(rank - 1) % len(_DASHES)]}


def _short(name: str) -> str:
    return name if len(name) <= 12 else f"{name[:11]}…"
