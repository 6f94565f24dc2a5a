"""Charts that follow a slider in the browser: redrawn before the server has heard of the key press.

Why: docs/decisions/0008-slider.md. What moves in the browser is what Python drew beforehand, one
figure per position; the slider, its URL and everything below the charts are Streamlit's own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import streamlit as st

_JS = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")
_CSS = ".js-plotly-plot .updatemenu-container { pointer-events: none; opacity: 0; }"


def is_lost(slider: str) -> bool:
    """Whether this visitor's browser could not find what to move; then the server must draw each position."""
    return bool(st.session_state.get(f"follow-{slider}", {}).get("lost"))


def follow(slider: str, first: int, charts: Mapping[str, Sequence[str]]) -> None:
    """Let charts made by `frames.with_frames` follow a slider.

    Args:
        slider: key of the slider.
        first: the position that the figures show before any key is pressed.
        charts: per key of a chart, the chart in words at every position of the slider.
    """
    # registered at each run, since a module is imported once but a server may be started twice
    component = st.components.v2.component("follow_slider", js=_JS, css=_CSS, isolate_styles=False)
    told = [{"key": key, "alts": list(alts)} for key, alts in charts.items()]
    component(
        key=f"follow-{slider}",
        data={"slider": slider, "first": first, "charts": told},
        height=1,
        on_lost_change=lambda: None,
    )
