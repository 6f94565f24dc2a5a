"""One figure with a view per depth: Plotly frames, switched in the browser without a redraw.

A hidden row of Plotly's own buttons plays frame 0, 1, 2, ...; whoever presses them need not know Plotly.
See docs/decisions/0008-slider.md for why.
"""

from __future__ import annotations

from collections.abc import Mapping

import plotly.graph_objects as go

_AT_ONCE = {"mode": "immediate", "frame": {"duration": 0, "redraw": False}, "transition": {"duration": 0}}
_UNSEEN = "rgba(0,0,0,0)"


def with_frames(views: Mapping[str, go.Figure], first: str, moving: int | None = None) -> go.Figure:
    """The figure of `first`, with all views as frames and one hidden button per view, in their order.

    Args:
        views: figures that differ in their traces' data only.
        first: the view drawn before any button is pressed.
        moving: how many of the last traces differ; None for all.
    """
    base = go.Figure(views[first])
    total = len(base.data)
    moved = list(range(total - (moving or total), total))
    base.frames = [
        go.Frame(name=name, traces=moved, data=[_data_only(view.data[i]) for i in moved])
        for name, view in views.items()
    ]
    base.update_layout(updatemenus=[_hidden_buttons(list(views))])
    return base


def _data_only(trace: go.Scatter) -> go.Scatter:
    """What differs between views: points, texts and names; styles stay with the base.

    As lists: Plotly packs arrays into a form that a script in the page cannot compare.
    """
    kept = {name: trace[name] for name in ("x", "y", "text", "hovertext", "name") if trace[name] is not None}
    return go.Scatter({name: getattr(value, "tolist", lambda v=value: v)() for name, value in kept.items()})


def _hidden_buttons(names: list[str]) -> dict[str, object]:
    buttons = [{"label": "", "method": "animate", "args": [[name], _AT_ONCE]} for name in names]
    return {
        "type": "buttons", "direction": "right", "buttons": buttons, "showactive": False, "x": 0, "y": 0,
        "xanchor": "left", "yanchor": "bottom", "pad": {"t": 0, "b": 0, "l": 0, "r": 0},
        "bgcolor": _UNSEEN, "bordercolor": _UNSEEN, "borderwidth": 0, "font": {"size": 1, "color": _UNSEEN},
    }  # fmt: skip
