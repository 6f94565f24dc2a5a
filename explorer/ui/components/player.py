"""Charts and texts that follow a slider in the browser, before the server has heard of the key press.

Why: docs/decisions/0008-slider.md. What moves in the browser is what Python drew and wrote beforehand, one
figure and one text per position; the slider, its URL and everything below the charts are Streamlit's own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

import streamlit as st

from explorer.ui.components.mount import HIDDEN_BUTTONS, mount

_JS = Path(__file__).with_suffix(".js")
_CSS = (
    HIDDEN_BUTTONS
    + """[data-follows] p { margin: 0; }
[data-follows] p + p { margin-top: 0.6rem; }
.figures { display: flex; flex-wrap: wrap; gap: 0.5rem; }
.figures > div { flex: 1 1 9.5rem; border: 1px solid rgba(128, 140, 150, 0.35); border-radius: 0.5rem;
  padding: 0.6rem 0.9rem; }
.figures span { display: block; font-size: 0.875rem; opacity: 0.8; }
.figures b { font-size: 1.5rem; font-weight: 400; font-variant-numeric: tabular-nums; }
"""
)


def is_lost(slider: str) -> bool:
    """Whether this visitor's browser could not find what to move; then the server must draw each position."""
    return bool(st.session_state.get(f"follow-{slider}", {}).get("lost"))


def place(name: str, texts: Sequence[str], at: int) -> None:
    """Put a text on the page that `follow` keeps at the charts' position.

    Args:
        name: unique on the page.
        texts: HTML at every position of the slider.
        at: the present position.
    """
    st.html(f'<div data-follows="{escape(name, quote=True)}" data-at="{at}">{texts[at]}</div>')


def follow(
    slider: str, first: int, charts: Mapping[str, Sequence[str]], texts: Mapping[str, Sequence[str]]
) -> None:
    """Let charts made by `frames.with_frames`, and texts placed by `place`, follow a slider.

    Args:
        slider: key of the slider.
        first: the position that the figures show before any key is pressed.
        charts: per key of a chart, the chart in words at every position of the slider.
        texts: per name of a text, its HTML at every position of the slider.
    """
    told = [{"key": key, "alts": list(alts)} for key, alts in charts.items()]
    mount(
        "follow_slider",
        _JS,
        key=f"follow-{slider}",
        data={
            "slider": slider,
            "first": first,
            "charts": told,
            "texts": {name: list(each) for name, each in texts.items()},
        },
        css=_CSS,
        on_lost_change=lambda: None,
    )
