"""Texts that follow what is measured: a page's run places them, live_charts.js updates them.

The texts stand in elements of their own HTML, which React draws again only where the page's run has others.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape

import streamlit as st

_BOLD = re.compile(r"\*\*(.+?)\*\*")


@dataclass(frozen=True)
class LiveText:
    """A sentence with **bold** words, and a share of what has to be done where it tells of progress.

    Attributes:
        text: the sentence.
        share: in [0, 1], or None.
    """

    text: str
    share: float | None = None

    @property
    def payload(self) -> dict[str, str | float | None]:
        """For the browser: HTML, and the share in per cent."""
        share = None if self.share is None else round(100 * self.share, 1)
        return {"html": _html(self.text), "percent": share}


def render(name: str, text: LiveText) -> None:
    """Put it on the page, as wide as there is room.

    Args:
        name: unique on the page; updates call it so.
        text: as it is now.
    """
    html, percent = text.payload["html"], text.payload["percent"]
    bar = f'<div class="share"><i style="width: {percent}%"></i></div>' if percent is not None else ""
    st.html(f'<div class="told" data-told="{escape(name, quote=True)}"><p>{html}</p>{bar}</div>')


def _html(text: str) -> str:
    return _BOLD.sub(r"<b>\1</b>", escape(text, quote=False))
