"""What does every block add, and how large is its gradient, while a net learns?"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from explorer.charts.marks import end_labels
from explorer.charts.strokes import as_power, empty_sheet, hovering, one_each, stroke

BLOCK_MEASURES: dict[str, tuple[str, float, tuple[float, ...]]] = {
    "residual_ratio": ("‖F(x)‖ / ‖x‖", 1.5, (-1.5, -3.2)),
    "gradient_norm": ("gradient norm", 1.3, (-4.3, -8.3, -20.3)),
}
"""Axis title, upper end of the log axis as a power of ten, and its lower ends, the first that holds all."""


def by_block(blocks: pd.DataFrame, members: pd.DataFrame, column: str) -> go.Figure:
    """One measure of every block after the last recorded epoch, over what it was at first.

    Args:
        blocks: columns run_id, epoch, block and the measure.
        members: the runs, columns `MEMBER_COLUMNS`, in the order of drawing.
        column: residual_ratio or gradient_norm.
    """
    title = BLOCK_MEASURES[column][0]
    there = blocks[np.isfinite(blocks[column]) & (blocks[column] > 0)]
    most = int(blocks["block"].max()) if len(blocks) else 9
    figure = empty_sheet("block, from the input on", title, most)
    figure.update_xaxes(range=[0.5, most + 0.5] if most < 30 else [0, most * 1.02])
    axis = _block_axis(figure, there[column], column)
    ends = []
    for member in members.to_dict("records"):
        mine = there[there["run_id"] == member["run_id"]].sort_values("block")
        first, last = (mine[mine["epoch"] == at] for at in (mine["epoch"].min(), mine["epoch"].max()))
        for part, faint in ((first, True), (last, False)):
            line = stroke(part["block"].tolist(), part[column].tolist(), member, "test", faint)
            line.update(line_width=1.25 if faint else 2.5)
            figure.add_trace(line if faint else hovering(line, "block", title))
        ends.append((member["group"], float(last[column].iloc[-1]) if len(last) else math.nan))
    figure.add_trace(end_labels(one_each(ends), most, True, axis))
    return figure


def _block_axis(figure: go.Figure, values: pd.Series, column: str) -> list[float]:
    _, top, floors = BLOCK_MEASURES[column]
    least = math.log10(values.min()) if len(values) else 0.0
    floor = next((floor for floor in floors if least > floor), floors[-1])
    step = 1 if floor > -9 else 4
    powers = range(math.ceil(floor / step) * step, math.floor(top) + 1, step)
    ticks = {"tickvals": [10.0**power for power in powers], "ticktext": [as_power(power) for power in powers]}
    figure.update_yaxes(type="log", range=[floor, top], **ticks)
    return [floor, top]


def describe_blocks(blocks: pd.DataFrame, members: pd.DataFrame, column: str) -> str:
    """A chart of blocks in words."""
    title = BLOCK_MEASURES[column][0]
    said = []
    for member in members.to_dict("records"):
        mine = blocks[(blocks["run_id"] == member["run_id"]) & np.isfinite(blocks[column])]
        if len(mine):
            last = mine[mine["epoch"] == mine["epoch"].max()]
            said.append(
                f"{member['group']}, seed {member['seed']}: {last[column].iloc[0]:.2g} in the first block, "
                f"{last[column].iloc[-1]:.2g} in the last"
            )
    return f"{title} of every block. {'; '.join(said) or 'Nothing was recorded yet'}."
