"""What charts of single runs share: axes, and each run's line, colour, hover and name.

Lines are Plotly's traces as plain values: while a run is watched they are made several times a second,
and objects of Plotly's take ten times as long to make.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from explorer.charts.theme import SPLIT_TITLE, Split, blank, colour, depth_colour, line_style

HEIGHT = 340
ZOO = ", zoo"
"""How the name of a group of the zoo's runs ends."""
_PALE = 0.5
_RAW = 0.3


@dataclass(frozen=True)
class RunSeries:
    """A run that is drawn.

    Attributes:
        run_id: of the run.
        family: of its net.
        depth: of its net.
        seed: of its recipe.
        group: name of the runs that differ in nothing but the seed.
        zoo: whether it came with the explorer.
        colour: of its lines, #RRGGBB.
        several: whether its group has other runs.
    """

    run_id: str
    family: str
    depth: int
    seed: int
    group: str
    zoo: bool
    colour: str
    several: bool

    @property
    def name(self) -> str:
        """In words."""
        return f"{self.group}, seed {self.seed}"


@dataclass(frozen=True)
class TraceSet:
    """What some runs add to a chart.

    Attributes:
        traces: as plain values, in the order of drawing.
        ends: the group of each run, and the height at which its line ends.
        said: of each run that has begun, what its line shows, in words.
        least: smallest value that the axis must hold, infinite where there is none.
        most: largest value that the axis must hold, minus infinity where there is none.
        still: so many traces, the first ones, will not change.
    """

    traces: tuple[dict[str, Any], ...] = ()
    ends: tuple[tuple[str, float], ...] = ()
    said: tuple[str, ...] = ()
    least: float = math.inf
    most: float = -math.inf
    static_traces: int = 0

    def __add__(self, other: TraceSet) -> TraceSet:
        """These lines, which stay, and on top of them the others."""
        return TraceSet(
            self.traces + other.traces,
            self.ends + other.ends,
            self.said + other.said,
            min(self.least, other.least),
            max(self.most, other.most),
            len(self.traces) + other.static_traces,
        )


def run_colours(members: pd.DataFrame) -> dict[str, str]:
    """A colour per run: its family's, in as many lightnesses as that family has kinds of nets here."""
    found = {}
    for family, part in members.groupby("family", sort=False):
        kinds = list(dict.fromkeys(part.sort_values("depth")["group"].str.removesuffix(ZOO)))
        for run_id, group in zip(part["run_id"], part["group"], strict=True):
            kind = kinds.index(group.removesuffix(ZOO))
            many = list(range(len(kinds)))
            found[run_id] = depth_colour(str(family), kind, many) if len(kinds) > 1 else colour(str(family))
    return found


def coloured(members: pd.DataFrame) -> tuple[RunSeries, ...]:
    """The members with a colour each, in their order.

    Args:
        members: columns run_id, family, depth, seed, group, zoo.
    """
    several = members.groupby("group")["run_id"].transform("count") > 1
    table = members.assign(colour=members["run_id"].map(run_colours(members)), several=several)
    names = [field.name for field in fields(RunSeries)]
    return tuple(RunSeries(**dict(zip(names, row, strict=True))) for row in table[names].to_numpy().tolist())


def alt_text(lines: TraceSet, what: str) -> str:
    """A chart of runs in words, for people who do not see it."""
    return f"{what} {'; '.join(lines.said) or 'Nothing was trained yet'}."


def empty_axes(x_title: str, y_title: str, last: int, logs: tuple[bool, bool] = (False, False)) -> go.Figure:
    """An empty figure from 0, or 1, to `last`; a reader's zoom stays until the kind of an axis changes.

    Args:
        x_title: of the x axis.
        y_title: of the y axis.
        last: right end of the x axis.
        logs: whether the x and the y axis are logarithmic; the y axis is the caller's.
    """
    figure = blank(x_title, y_title, HEIGHT).update_layout(uirevision=f"{logs}{last}")
    if logs[0]:
        return figure.update_xaxes(type="log", range=[0, math.log10(max(last, 2))])
    return figure.update_xaxes(range=[0, max(last, 1)], tickformat="d")


def line_trace(
    x: list[float], y: list[float], member: RunSeries, split: Split, faint: bool = False,
    points: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """A run's line in its colour; pale for the zoo's, thinner where there are seeds, faint for raw values."""
    look = {**line_style(member.family, split), "color": member.colour}
    if faint:
        look |= {"width": 1, "dash": "solid"}
    elif member.several:
        look["width"] = 0.6 * float(look["width"])
    return {
        "type": "scatter", "x": x, "y": y, "mode": "lines+markers" if points else "lines", "line": look,
        "opacity": (_RAW if faint else 1.0) * (_PALE if member.zoo else 1.0), "hoverinfo": "skip",
        "marker": {"size": 4 if split == "train" else 6},
        "name": f"{member.name}, {SPLIT_TITLE[split]}",
    }  # fmt: skip


def hovering(line: dict[str, Any], x_name: str, y_name: str) -> dict[str, Any]:
    """The line with a sentence for whoever points at it."""
    said = f"{line['name']}:<br>{y_name} %{{y:.3g}} at {x_name} %{{x:.0f}}<extra></extra>"
    return {name: value for name, value in line.items() if name != "hoverinfo"} | {"hovertemplate": said}


def with_sentences(line: dict[str, Any], x_name: str, y_name: str, values: Sequence[float]) -> dict[str, Any]:
    """The line with a sentence per point, for values in per cent that are drawn elsewhere on a log axis."""
    texts = [
        f"{line['name']}:<br>{y_name} {value:.3g} % at {x_name} {at:.0f}"
        for at, value in zip(line["x"], values, strict=True)
    ]
    return line | {"hovertext": texts, "hoverinfo": "text"}


def one_each(ends: Sequence[tuple[str, float]]) -> list[tuple[str, float]]:
    """One label per group, at the mean of its runs' ends."""
    heights: dict[str, list[float]] = {}
    for group, end in ends:
        heights.setdefault(group, []).extend([] if math.isnan(end) else [end])
    return [(group, sum(each) / len(each) if each else math.nan) for group, each in heights.items()]


def as_power(power: int) -> str:
    """Ten to that power, as a tick says it."""
    return f"{10.0**power:g}" if -3 <= power <= 3 else f"10<sup>{power}</sup>".replace("-", "−")
