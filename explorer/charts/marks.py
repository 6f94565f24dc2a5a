"""What charts of errors share: the axis in per cent, the line of guessing, labels, marks beyond the frame."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from explorer.charts import words
from explorer.charts.scales import LOG_FLOOR_PCT, error_range, spread_labels
from explorer.charts.theme import CONTEXT, LABEL_SIZE

LABEL_GAP = 0.058
AT_MOST = "≤"
"""Before the lowest tick of a log axis: smaller values, and zero, are drawn there."""
_ASIDE = 4 * "\u00a0"  # clear of the ring around the depth that was chosen


def set_error_axis(figure: go.Figure, log: bool) -> None:
    """The same range and ticks in every chart of errors, whatever it shows."""
    shown = [LOG_FLOOR_PCT, 0.1, 1, 10, 100] if log else [0, 20, 40, 60, 80, 100]
    texts = [f"{value:g}" for value in shown]
    figure.update_yaxes(
        type="log" if log else "linear",
        range=error_range(log),
        tickvals=shown,
        ticktext=[AT_MOST + texts[0], *texts[1:]] if log else texts,
    )


def beyond_frame(traces: Iterable[Mapping[str, Any]], low: float, high: float) -> dict[str, Any]:
    """A mark on the frame's edge wherever one of these lines leaves it, as a trace of plain values.

    Args:
        traces: lines with x, y and name.
        low: lower edge of the frame, in data units.
        high: upper edge.
    """
    found = [
        (x, high if y > high else low, f"{trace.get('name')}: {y:.3g}, beyond the frame")
        for trace in traces
        for x, y in zip(trace.get("x") or (), trace.get("y") or (), strict=True)
        if x is not None and y is not None and (y > high or y < low)
    ]
    x, y, texts = ([one[place] for one in found] for place in range(3))
    return {
        "type": "scatter", "x": x, "y": y, "hovertext": texts, "mode": "markers", "name": "beyond the frame",
        "marker": {"symbol": "diamond-open", "size": 7, "color": CONTEXT}, "cliponaxis": False,
        "hovertemplate": "%{hovertext}<extra></extra>",
    }  # fmt: skip


def chance_line(chance_pct: float, ends: Sequence[float]) -> go.Scatter:
    """A dotted grey line at the error of guessing, from one end of the axis to the other."""
    return go.Scatter(
        x=list(ends),
        y=[chance_pct, chance_pct],
        mode="lines",
        name="guessing",
        line={"color": CONTEXT, "width": 1, "dash": "dot"},
        hoverinfo="text",
        hovertext=f"Guessing among the classes is wrong on {words.percent(chance_pct)}.",
    )


def end_labels(
    ends: Sequence[tuple[str, float]], at: float, log: bool, axis: Sequence[float] | None = None
) -> go.Scatter:
    """Names beside the ends of the lines, moved apart where they would collide; `axis` is that of errors."""
    heights = spread_labels([end for _, end in ends], axis or error_range(log), log, LABEL_GAP)
    return go.Scatter(
        x=[at] * len(ends),
        y=heights,
        text=[f"{_ASIDE}{name}" for name, _ in ends],
        mode="text",
        textposition="middle right",
        textfont={"size": LABEL_SIZE},
        cliponaxis=False,
        hoverinfo="skip",
        name="labels",
    )
