"""A chart made larger for a projector: type, lines and height grow alike."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

LARGE = 1.45
"""On a projector or a wide screen, charts are so many times as large."""
_GROWS = {
    "size",
    "width",
    "height",
    "l",
    "r",
    "t",
    "b",
    "standoff",
    "ticklen",
    "xshift",
    "yshift",
    "ax",
    "ay",
}


def enlarged(figure: go.Figure, factor: float = LARGE) -> dict[str, Any]:
    """A figure as plain values with type, lines, marks, margins and height `factor` times as large.

    Widths of bars are shares of an axis, and a figure without a height of its own stays without.
    """
    plain: dict[str, Any] = figure.to_dict()
    grown: dict[str, Any] = _grown(plain, factor)
    for trace, before in zip(grown.get("data", ()), plain.get("data", ()), strict=True):
        for name in ("width", "x", "y", "z"):
            if name in before:
                trace[name] = before[name]
    return grown


def _grown(value: Any, factor: float) -> Any:
    if isinstance(value, dict):
        return {
            name: part * factor if name in _GROWS and _is_number(part) else _inside(name, part, factor)
            for name, part in value.items()
        }
    if isinstance(value, list | tuple) and any(isinstance(part, dict) for part in value):
        return [_grown(part, factor) for part in value]
    return value


def _inside(name: str, part: Any, factor: float) -> Any:
    """Tables of numbers are shared and not looked through; sizes of many marks are."""
    if name == "size" and isinstance(part, list | tuple):
        return [one * factor if _is_number(one) else one for one in part]
    return _grown(part, factor)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
