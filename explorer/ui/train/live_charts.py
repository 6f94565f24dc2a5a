"""Charts that grow while they are watched: drawn once, then updated with what their lines have gained.

The page's own run draws the charts; then the browser asks a feed (live_api.py) what to tell them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import plotly.graph_objects as go
import streamlit as st

from explorer.charts.patch import FigureSpec, restyle_patch, with_button
from explorer.ui.components.figure import SharedFigure, show
from explorer.ui.components.mount import HIDDEN_BUTTONS, mount

_JS = Path(__file__).with_suffix(".js")


@dataclass(frozen=True, eq=False)
class LiveFigure:
    """A chart as it is now; made once, and shown to all who watch.

    Attributes:
        drawing: in the page's colours.
        title: what it is, in words that never change.
        alt: the chart in words, with its numbers.
    """

    drawing: FigureSpec
    title: str
    alt: str

    @cached_property
    def payload(self) -> str:
        """What a drawn chart needs to become this one, as JSON."""
        return json.dumps({"alt": self.alt, **restyle_patch(self.drawing)}, separators=(",", ":"))


@dataclass(frozen=True)
class _ShownFigure:
    """What one visitor's browser was shown first, on which sheet."""

    layout_key: str
    figure: go.Figure
    alt: str


def show_live_figure(now: LiveFigure, key: str) -> None:
    """Show a chart as it was first drawn, as long as only its numbers have changed since.

    Args:
        now: the chart.
        key: unique on the page.
    """
    name = f"drawn-{key}"
    shown = st.session_state.get(name)
    if not isinstance(shown, _ShownFigure) or shown.layout_key != now.drawing.layout_key:
        shown = _ShownFigure(now.drawing.layout_key, SharedFigure(with_button(now.drawing.figure())), now.alt)
        st.session_state[name] = shown
    show(shown.figure, key, shown.alt)


def follow(feed: str, query: dict[str, str], drawn: dict[str, str]) -> None:
    """Poll the endpoint and update charts and texts in place; rerun the page when its structure changes.

    Args:
        feed: its path, beside those of the pages.
        query: what to ask of it.
        drawn: signatures of the page as it is drawn now: "sheets" of its charts, and "rest". The feed tells
            those of the page that it means.
    """
    mount(
        "growing_charts",
        _JS,
        key="growing-charts",
        data={"feed": feed, "query": query, "drawn": drawn},
        css=HIDDEN_BUTTONS,
        on_changed_change=lambda: None,
    )
