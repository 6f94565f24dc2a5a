"""A chart that grows while it is watched: drawn once, then told what its lines have gained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from explorer.charts.growing import changes, same_sheet, with_button
from explorer.ui.figures import Finished, show

_JS = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")
_CSS = ".js-plotly-plot .updatemenu-container { pointer-events: none; opacity: 0; }"


@dataclass(frozen=True)
class Picture:
    """A chart as it is now.

    Attributes:
        figure: in the page's colours.
        title: what it is, in words that never change.
        alt: the chart in words, with its numbers.
    """

    figure: go.Figure
    title: str
    alt: str


@dataclass(frozen=True)
class _Shown:
    """What one visitor's browser has: the figure as it was drawn, and the last one it was told of."""

    drawn: go.Figure
    last: Picture
    told: dict[str, Any]


def show_growing(now: Picture, key: str) -> dict[str, Any]:
    """Show a chart as it was first drawn, as long as only its numbers change.

    Args:
        now: the chart; the same object means that nothing has changed.
        key: unique on the page.

    Returns:
        What `grow` has to tell the chart.
    """
    name = f"drawn-{key}"
    shown = st.session_state.get(name)
    if not isinstance(shown, _Shown) or shown.last is not now:
        shown = st.session_state[name] = _compared(shown, now, key)
    show(shown.drawn, key, now.title)
    return shown.told


def _compared(shown: object, now: Picture, key: str) -> _Shown:
    if isinstance(shown, _Shown) and same_sheet(shown.drawn, now.figure):
        drawn = shown.drawn
    else:
        drawn = Finished(with_button(now.figure))
    return _Shown(drawn, now, {"key": key, "groups": changes(drawn, now.figure), "alt": now.alt})


def grow(charts: Sequence[dict[str, Any]]) -> None:
    """Tell the charts, as `show_growing` returned them, what they have gained; shows nothing itself."""
    # registered at each run, since a module is imported once but a server may be started twice
    component = st.components.v2.component("growing_charts", js=_JS, css=_CSS, isolate_styles=False)
    component(key="growing-charts", data={"charts": list(charts)}, height=1)
