"""What was guessed beside what was measured: two bars for each net."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from explorer.charts import words
from explorer.charts.theme import CONTEXT, LABEL_SIZE, blank, colour

_HEIGHT = 300
_RIGHT = 128  # room for the words behind the longest bar

_HATCHED = {
    "color": "rgba(127,127,127,0.2)", "line": {"color": CONTEXT, "width": 1},
    "pattern": {"shape": "/", "fgcolor": CONTEXT, "size": 8},
}  # fmt: skip


@dataclass(frozen=True)
class Guessed:
    """One net's error in per cent, guessed and measured.

    Attributes:
        title: of the net.
        family: whose colour the measured bar has.
        guess: by the visitor.
        measured: here.
    """

    title: str
    family: str
    guess: float
    measured: float


def guess_bars(nets: Sequence[Guessed], axis: str, guess: str, measured: str) -> go.Figure:
    """Bars of all nets, the first one at the top; texts come in the reader's language.

    Args:
        nets: in order.
        axis: title of the x axis, with its unit.
        guess: what a guessed bar is called.
        measured: what a measured bar is called.
    """
    figure = blank(axis, "", _HEIGHT)
    names = [net.title for net in nets]
    figure.add_trace(_bars(names, [net.guess for net in nets], guess, _HATCHED))
    shades = [colour(net.family) for net in nets]
    figure.add_trace(_bars(names, [net.measured for net in nets], measured, {"color": shades}))
    figure.update_xaxes(range=[0, 100], tickvals=[0, 25, 50, 75, 100])
    figure.update_yaxes(autorange="reversed", title="", showgrid=False)
    return figure.update_layout(
        barmode="group", bargap=0.3, margin={"l": 84, "r": _RIGHT, "t": 8, "b": 48}, showlegend=False
    )


def _bars(names: list[str], values: list[float], called: str, marker: Mapping[str, object]) -> go.Bar:
    said = [f"{called}: {words.percent(value)}" for value in values]
    return go.Bar(
        y=names, x=values, orientation="h", name=called, marker=marker, textposition="outside", text=said,
        textfont={"size": LABEL_SIZE}, cliponaxis=False, hoverinfo="text",
        hovertext=[f"{net}, {text}" for net, text in zip(names, said, strict=True)],
    )  # fmt: skip
