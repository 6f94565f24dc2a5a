"""How does a figure grow in the browser without being drawn anew? By what its traces have gained.

A hidden button of Plotly's own restyles traces; whoever presses it first tells it the new values. Why:
docs/decisions/0014-growing.md.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import plotly.graph_objects as go

_VALUES = ("x", "y", "text", "hovertext")
_UNSEEN = "rgba(0,0,0,0)"


def with_button(figure: go.Figure) -> go.Figure:
    """The figure with a hidden button that restyles its traces."""
    button = {"label": "", "method": "restyle", "args": [{}, []]}
    menu = {
        "type": "buttons", "buttons": [button], "showactive": False, "x": 0, "y": 0, "xanchor": "left",
        "yanchor": "bottom", "pad": {"t": 0, "b": 0, "l": 0, "r": 0}, "bgcolor": _UNSEEN,
        "bordercolor": _UNSEEN, "borderwidth": 0, "font": {"size": 1, "color": _UNSEEN},
    }  # fmt: skip
    return go.Figure(figure).update_layout(updatemenus=[menu])


def same_sheet(drawn: go.Figure, now: go.Figure) -> bool:
    """Whether `now` differs from what was drawn in the values of its traces alone."""
    styles = [[_style(trace) for trace in figure.data] for figure in (drawn, now)]
    sheets = [figure.to_plotly_json()["layout"] | {"updatemenus": None} for figure in (drawn, now)]
    return styles[0] == styles[1] and bool(sheets[0] == sheets[1])


def changes(drawn: go.Figure, now: go.Figure) -> list[dict[str, Any]]:
    """What to restyle: numbers of traces, and for each attribute that they have one list per trace."""
    groups: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for number, (old, new) in enumerate(zip(drawn.data, now.data, strict=True)):
        there = tuple(name for name in _VALUES if new[name] is not None or old[name] is not None)
        if any(_list(old[name]) != _list(new[name]) for name in there):
            groups[there].append(number)
    return [
        {"traces": numbers, "values": {name: [_list(now.data[i][name]) for i in numbers] for name in there}}
        for there, numbers in groups.items()
    ]


def _style(trace: go.Scatter) -> dict[str, Any]:
    return {name: value for name, value in trace.to_plotly_json().items() if name not in _VALUES}


def _list(values: Any) -> list[Any] | str:
    """Plain values; NaN, which JSON has not, as None."""
    if values is None or isinstance(values, str):
        return values or []
    return [None if value != value else getattr(value, "item", lambda v=value: v)() for value in values]
