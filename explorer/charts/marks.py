"""What do charts of errors share? The axis in per cent, the line of guessing, labels at the line ends."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from explorer.charts import words
from explorer.charts.scales import error_range, spread_labels
from explorer.charts.theme import CONTEXT, LABEL_SIZE

LABEL_GAP = 0.058
_ASIDE = 4 * "\u00a0"  # clear of the ring around the depth that was chosen


def set_error_axis(figure: go.Figure, log: bool) -> None:
    """The same range and ticks in every chart of errors, whatever it shows."""
    shown = [0.1, 1, 10, 100] if log else [0, 20, 40, 60, 80, 100]
    figure.update_yaxes(
        type="log" if log else "linear",
        range=error_range(log),
        tickvals=shown,
        ticktext=[f"{value:g}" for value in shown],
    )


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
