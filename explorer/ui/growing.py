"""A chart that grows while it is watched: drawn once, then told what its lines have gained."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from explorer.charts.growing import changes, same_sheet, with_button
from explorer.ui.figures import Finished, show

_JS = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")
_CSS = ".js-plotly-plot .updatemenu-container { pointer-events: none; opacity: 0; }"


def show_growing(figure: go.Figure, key: str, title: str, alt: str) -> dict[str, Any]:
    """Show a figure in the page's colours, as it was first drawn as long as only its numbers change.

    Args:
        figure: as it is now.
        key: unique on the page.
        title: what the chart is, in words that never change.
        alt: the chart in words, with its numbers.

    Returns:
        What `grow` has to tell the chart.
    """
    name = f"drawn-{key}"
    drawn = st.session_state.get(name)
    if drawn is None or not same_sheet(drawn, figure):
        drawn = st.session_state[name] = Finished(with_button(figure))
    show(drawn, key, title)
    return {"key": key, "groups": changes(drawn, figure), "alt": alt}


def grow(charts: Sequence[dict[str, Any]]) -> None:
    """Tell the charts, as `show_growing` returned them, what they have gained; shows nothing itself."""
    # registered at each run, since a module is imported once but a server may be started twice
    component = st.components.v2.component("growing_charts", js=_JS, css=_CSS, isolate_styles=False)
    component(key="growing-charts", data={"charts": list(charts)}, height=1)
