"""Incremental figure updates: what the traces of a figure have gained, instead of a new figure.

A hidden button of Plotly's own restyles traces; whoever presses it first tells it the new values. Why:
docs/decisions/0014-growing.md.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import plotly.graph_objects as go

_VALUES = ("x", "y", "text", "hovertext")
_UNSEEN = "rgba(0,0,0,0)"


@dataclass(frozen=True, eq=False)
class FigureSpec:
    """A figure as plain values, which are made and compared many times before one is drawn.

    Attributes:
        traces: in the order of drawing.
        layout: may be shared with other drawings, so nobody may change it.
        still: so many traces, the first ones, have all their values already.
    """

    traces: tuple[dict[str, Any], ...]
    layout: dict[str, Any]
    static_traces: int = 0

    @cached_property
    def layout_key(self) -> str:
        """Signature of all but the values of growing traces: with another one, the figure is redrawn."""
        still = [
            (trace.get("name"), *map(_end, _VALUES[:2], [trace] * 2))
            for trace in self.traces[: self.static_traces]
        ]
        styles = [_style(trace) for trace in self.traces[self.static_traces :]]
        told = json.dumps([self.layout, still, styles], default=str)
        return hashlib.blake2b(told.encode(), digest_size=8).hexdigest()

    def figure(self) -> go.Figure:
        """The figure of Plotly's, with all values checked."""
        return go.Figure(list(self.traces), self.layout)


def with_button(figure: go.Figure) -> go.Figure:
    """The figure, now with a hidden button that restyles its traces."""
    button = {"label": "", "method": "restyle", "args": [{}, []]}
    menu = {
        "type": "buttons", "buttons": [button], "showactive": False, "x": 0, "y": 0, "xanchor": "left",
        "yanchor": "bottom", "pad": {"t": 0, "b": 0, "l": 0, "r": 0}, "bgcolor": _UNSEEN,
        "bordercolor": _UNSEEN, "borderwidth": 0, "font": {"size": 1, "color": _UNSEEN},
    }  # fmt: skip
    return figure.update_layout(updatemenus=[menu])


def restyle_patch(now: FigureSpec) -> dict[str, Any]:
    """What to restyle, all at once: numbers of the growing traces, and per attribute one value for each.

    A value is a list, or None for an attribute that the trace has not.
    """
    growing = now.traces[now.static_traces :]
    there = [name for name in _VALUES if any(name in trace for trace in growing)]
    return {
        "traces": list(range(now.static_traces, len(now.traces))),
        "values": {
            name: [_list(trace[name]) if name in trace else None for trace in growing] for name in there
        },
    }


def _end(name: str, trace: dict[str, Any]) -> tuple[int, Any]:
    """How long a list of values is, and its last one: no two stages of a line have the same."""
    values = trace.get(name)
    return (0, None) if values is None or not len(values) else (len(values), values[-1])


def _style(trace: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in trace.items() if name not in _VALUES}


def _list(values: Any) -> list[Any] | str:
    """Plain values; NaN, which JSON has not, as None."""
    if values is None or isinstance(values, str):
        return values or []
    return [None if value != value else getattr(value, "item", lambda v=value: v)() for value in values]
