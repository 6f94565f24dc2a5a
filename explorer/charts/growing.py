"""How does a figure grow in the browser without being drawn anew? By what its traces have gained.

A hidden button of Plotly's own restyles traces; whoever presses it first tells it the new values. Why:
docs/decisions/0014-growing.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import plotly.graph_objects as go

_VALUES = ("x", "y", "text", "hovertext")
_UNSEEN = "rgba(0,0,0,0)"


@dataclass(frozen=True, eq=False)
class Drawing:
    """A figure as plain values, which are made and compared many times before one is drawn.

    Attributes:
        traces: in the order of drawing.
        layout: may be shared with other drawings, so nobody may change it.
        still: so many traces, the first ones, have all their values already.
    """

    traces: tuple[dict[str, Any], ...]
    layout: dict[str, Any]
    still: int = 0

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


@lru_cache(maxsize=256)
def same_sheet(drawn: Drawing, now: Drawing) -> bool:
    """Whether `now` differs from what was drawn in the values of growing traces alone."""
    if drawn is now:
        return True
    same = drawn.layout is now.layout or drawn.layout == now.layout
    if not same or (drawn.still, len(drawn.traces)) != (now.still, len(now.traces)):
        return False
    pairs = list(zip(drawn.traces, now.traces, strict=True))
    return all(old is new or old == new for old, new in pairs[: now.still]) and all(
        _style(old) == _style(new) for old, new in pairs[now.still :]
    )


def values(now: Drawing) -> dict[str, Any]:
    """What to restyle, all at once: numbers of the growing traces, and per attribute one value for each.

    A value is a list, or None for an attribute that the trace has not.
    """
    growing = now.traces[now.still :]
    there = [name for name in _VALUES if any(name in trace for trace in growing)]
    return {
        "traces": list(range(now.still, len(now.traces))),
        "values": {
            name: [_list(trace[name]) if name in trace else None for trace in growing] for name in there
        },
    }


def _style(trace: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in trace.items() if name not in _VALUES}


def _list(values: Any) -> list[Any] | str:
    """Plain values; NaN, which JSON has not, as None."""
    if values is None or isinstance(values, str):
        return values or []
    return [None if value != value else getattr(value, "item", lambda v=value: v)() for value in values]
