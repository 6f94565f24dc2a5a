"""Charts of what every block adds and how large its gradient is, over training."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from explorer.charts.marks import end_labels
from explorer.charts.patch import FigureSpec
from explorer.charts.run_traces import (
    RunSeries,
    TraceSet,
    as_power,
    empty_axes,
    hovering,
    line_trace,
    one_each,
)


@dataclass(frozen=True)
class BlockMeasure:
    """What is drawn of every block.

    Attributes:
        column: its name in the records.
        title: of its axis.
        top: upper end of the log axis, as a power of ten.
        floors: its lower ends, the first that holds all values.
    """

    column: str
    title: str
    top: float
    floors: tuple[float, ...]


def block_lines(
    blocks: Mapping[str, pd.DataFrame], members: Sequence[RunSeries], measure: BlockMeasure
) -> TraceSet:
    """One measure of every block after the last recorded epoch, over what it was at first.

    Args:
        blocks: by run id; columns epoch, block and the measure.
        members: the runs, in the order of drawing.
        measure: what is drawn.
    """
    title, column = measure.title, measure.column
    traces, ends, said, least = [], [], [], math.inf
    for member in members:
        first, last = _at_ends(blocks[member.run_id], column)
        for (places, values), faint in ((first, True), (last, False)):
            line = line_trace(places, values, member, "test", faint)
            line["line"]["width"] = 1.25 if faint else 2.5
            traces.append(line if faint else hovering(line, "block", title))
        ends.append((member.group, last[1][-1] if last[1] else math.nan))
        least = min([least, *first[1], *last[1]])
        if last[1]:
            ends_said = f"{last[1][0]:.2g} in the first block, {last[1][-1]:.2g} in the last"
            said.append(f"{member.name}: {ends_said}")
    return TraceSet(tuple(traces), tuple(ends), tuple(said), least=least)


def _at_ends(table: pd.DataFrame, column: str) -> list[tuple[list[float], list[float]]]:
    """Blocks and finite values above 0, of the first epoch that has such and of the last."""
    values, epochs, places = (table[name].to_numpy() for name in (column, "epoch", "block"))
    there = np.isfinite(values) & (values > 0)
    values, epochs, places = values[there], epochs[there], places[there]
    if not len(values):
        return [([], []), ([], [])]
    parts = []
    for epoch in (epochs.min(), epochs.max()):
        mine = np.flatnonzero(epochs == epoch)
        mine = mine[np.argsort(places[mine], kind="stable")]
        parts.append((places[mine].tolist(), values[mine].tolist()))
    return parts


def by_block(lines: TraceSet, measure: BlockMeasure, count: int) -> FigureSpec:
    """The lines of `block_lines` on their axes.

    Args:
        lines: of the runs.
        measure: what they show.
        count: blocks of the deepest net.
    """
    floor = _floor(lines.least, measure)
    labels = end_labels(one_each(lines.ends), count, True, [floor, measure.top])
    layout = _axes(measure, count, floor)
    return FigureSpec((*lines.traces, labels.to_plotly_json()), layout, lines.static_traces)


def _floor(least: float, measure: BlockMeasure) -> float:
    floors = measure.floors
    lowest = math.log10(least) if math.isfinite(least) else 0.0
    return next((floor for floor in floors if lowest > floor), floors[-1])


@lru_cache(maxsize=64)
def _axes(measure: BlockMeasure, count: int, floor: float) -> dict[str, Any]:
    """The layout; shared, so nobody may change it."""
    top = measure.top
    figure = empty_axes("block, from the input on", measure.title, count)
    figure.update_xaxes(range=[0.5, count + 0.5] if count < 30 else [0, count * 1.02])
    step = 1 if floor > -9 else 4
    powers = range(math.ceil(floor / step) * step, math.floor(top) + 1, step)
    ticks = {"tickvals": [10.0**power for power in powers], "ticktext": [as_power(power) for power in powers]}
    figure.update_yaxes(type="log", range=[floor, top], **ticks)
    layout: dict[str, Any] = figure.to_plotly_json()["layout"]
    return layout
