"""Home below its chart: the idea as a drawing, the pages as cards, a tour as links."""

from __future__ import annotations

import streamlit as st

from explorer.system.paths import ROOT
from explorer.ui.components.figure import ink, is_dark
from explorer.ui.menu import HOME, SECTIONS, card

_IDEA = (ROOT / "assets" / "block.svg").read_text(encoding="utf-8")
_IN_WORDS = (
    "Two blocks of two convolutions. In the plain block the input x passes through both. In the residual "
    "block x also takes a shortcut and is added to what the convolutions made, F(x), before the last ReLU."
)
_PER_ROW = 5
# page, what the URL sets there, what to look at
_TOUR: tuple[tuple[str, dict[str, str], str], ...] = (
    ("depth", {"depth": "8"}, "Begin with twins of 8 layers"),
    ("depth", {"depth": "56"}, "Go to 56: look at the training error"),
    ("gradients", {"layers": "56"}, "Ask whether gradients vanish"),
    ("residuals", {}, "See how much each block changes"),
    ("inspect", {}, "Follow a picture through the blocks"),
)


def idea() -> None:
    """The paper's change in one drawing: a plain block beside a residual one (its Figure 2)."""
    st.image(_IDEA.replace("currentColor", ink(is_dark())), width=340, alt=_IN_WORDS)


def cards() -> None:
    """A card per page, in the order of the sidebar."""
    entries = [entry for section in SECTIONS.values() for entry in section if entry is not HOME]
    for start in range(0, len(entries), _PER_ROW):
        columns = st.columns(_PER_ROW)
        for column, entry in zip(columns, entries[start : start + _PER_ROW], strict=False):
            with column:
                card(entry)


def tour() -> None:
    """Prepared links, in the order in which a lecture would take them."""
    for number, (path, query, text) in enumerate(_TOUR, start=1):
        st.page_link(f"../pages/{path}.py", label=f"{number}. {text}", query_params=query)
