"""A chart that grows while it is watched: drawn once, then told what its lines have gained.

The page's own run draws the charts; a fragment that runs several times a second only tells them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import plotly.graph_objects as go
import streamlit as st

from explorer.charts.growing import Drawing, same_sheet, values, with_button
from explorer.ui.figures import Finished, show

_JS = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")
_CSS = ".js-plotly-plot .updatemenu-container { pointer-events: none; opacity: 0; }"


@dataclass(frozen=True, eq=False)
class Picture:
    """A chart as it is now; made once, and shown to all who watch.

    Attributes:
        drawing: in the page's colours.
        title: what it is, in words that never change.
        alt: the chart in words, with its numbers.
    """

    drawing: Drawing
    title: str
    alt: str

    @cached_property
    def told(self) -> str:
        """What a drawn chart needs to become this one, as JSON."""
        return json.dumps({"alt": self.alt, **values(self.drawing)})


@dataclass(frozen=True)
class _Shown:
    """What one visitor's browser was shown first."""

    drawing: Drawing
    figure: go.Figure


def show_growing(now: Picture, key: str) -> None:
    """Show a chart as it was first drawn, as long as only its numbers have changed since.

    Args:
        now: the chart.
        key: unique on the page.
    """
    if not _stands(now, key):
        shown = _Shown(now.drawing, Finished(with_button(now.drawing.figure())))
        st.session_state[_name(key)] = shown
    show(st.session_state[_name(key)].figure, key, now.title)


def grow(charts: Mapping[str, Picture]) -> bool:
    """Tell the charts, by key, what they have gained; shows nothing itself.

    Returns:
        False, having told nothing, where a chart has to be drawn anew.
    """
    if not all(_stands(now, key) for key, now in charts.items()):
        return False
    # registered at each run, since a module is imported once but a server may be started twice
    component = st.components.v2.component("growing_charts", js=_JS, css=_CSS, isolate_styles=False)
    component(key="growing-charts", data={key: now.told for key, now in charts.items()}, height=1)
    return True


def _stands(now: Picture, key: str) -> bool:
    """Whether the chart that this visitor was shown needs nothing but new numbers."""
    shown = st.session_state.get(_name(key))
    return isinstance(shown, _Shown) and same_sheet(shown.drawing, now.drawing)


def _name(key: str) -> str:
    return f"drawn-{key}"
