"""A chart that grows while it is watched: drawn once, then told what its lines have gained.

The page's own run draws the charts; a fragment that runs several times a second only tells them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from explorer.charts.growing import Drawing, changes, same_sheet, with_button
from explorer.ui.figures import Finished, show

_JS = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")
_CSS = ".js-plotly-plot .updatemenu-container { pointer-events: none; opacity: 0; }"


@dataclass(frozen=True)
class Picture:
    """A chart as it is now.

    Attributes:
        drawing: in the page's colours.
        title: what it is, in words that never change.
        alt: the chart in words, with its numbers.
    """

    drawing: Drawing
    title: str
    alt: str


@dataclass
class _Shown:
    """What one visitor's browser has: the chart as it was drawn, and what it was told of last."""

    drawing: Drawing
    figure: go.Figure
    last: Picture | None = None
    told: dict[str, Any] | None = None


def show_growing(now: Picture, key: str) -> None:
    """Show a chart as it was first drawn, as long as only its numbers have changed since.

    Args:
        now: the chart.
        key: unique on the page.
    """
    shown = _shown(key)
    if shown is None or not same_sheet(shown.drawing, now.drawing):
        shown = _Shown(now.drawing, Finished(with_button(now.drawing.figure())))
        st.session_state[_name(key)] = shown
    show(shown.figure, key, now.title)


def told(now: Picture, key: str) -> dict[str, Any] | None:
    """What `grow` has to tell the chart, or None where it has to be drawn anew."""
    shown = _shown(key)
    if shown is None or not same_sheet(shown.drawing, now.drawing):
        return None
    if shown.last is not now:
        shown.last = now
        shown.told = {"key": key, "alt": now.alt, **changes(shown.drawing, now.drawing)}
    return shown.told


def grow(charts: Sequence[dict[str, Any]]) -> None:
    """Tell the charts, as `told` returned it, what they have gained; shows nothing itself."""
    # registered at each run, since a module is imported once but a server may be started twice
    component = st.components.v2.component("growing_charts", js=_JS, css=_CSS, isolate_styles=False)
    component(key="growing-charts", data={"charts": list(charts)}, height=1)


def _shown(key: str) -> _Shown | None:
    shown = st.session_state.get(_name(key))
    return shown if isinstance(shown, _Shown) else None


def _name(key: str) -> str:
    return f"drawn-{key}"
