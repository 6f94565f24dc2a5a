"""How pages sit on small and large screens: what Streamlit's theme does not settle."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from explorer.ui.components.figure import LOOK, PRESENT, is_dark, is_large
from explorer.ui.components.mount import mount
from explorer.ui.menu import PRODUCT
from explorer.ui.url_parameters import Switch, bound, declare

_PRESENT = declare(Switch(PRESENT))
_JS = Path(__file__).with_suffix(".js")

# wide enough for twin charts, never stretched; on a phone less room above and at the sides; a container
# whose key begins with "unseen" draws nothing, and is taken out of the row so that it pushes nobody
_CSS = """
.stMainBlockContainer { position: relative; max-width: 84rem; padding-top: 3.5rem; padding-bottom: 4rem; }
.stMetric [data-testid="stMetricValue"] { font-size: 1.5rem; font-variant-numeric: tabular-nums; }
.st-key-live [data-stale="true"] { opacity: 1 !important; transition: none !important; }
[class*="st-key-gap"] > * { flex: 1 1 9.5rem !important; }
.told p { margin: 0; }
.told .share { height: 0.4rem; margin-top: 0.35rem; border-radius: 0.2rem; overflow: hidden;
  background: rgba(128, 140, 150, 0.25); }
.told .share i { display: block; height: 100%; border-radius: 0.2rem; background: #3E95CD;
  transition: width 0.4s linear; }
div:has(> [class*="st-key-unseen"]), [class*="st-key-unseen"] { position: absolute; height: 0; width: 0;
  overflow: hidden; }
.stMainBlockContainer > .stVerticalBlock { position: static; }
div:has(> .st-key-masthead) { position: absolute; top: 0.75rem; left: 5rem; right: 5rem; width: auto; }
.stMainBlockContainer div:has(> .st-key-masthead) { z-index: 1000000; }
.st-key-masthead p { font-weight: 600; }
.st-key-learn { margin-top: 0.75rem; }
[class*="st-key-learn"] a[data-testid="stPageLink-NavLink"] { border: 1px solid rgba(128, 140, 150, 0.55);
  border-radius: 0.5rem; padding: 0.35rem 0.75rem; margin: 0; }
[class*="st-key-learn"] a[data-testid="stPageLink-NavLink"]:not(:hover) { background: transparent; }
[class*="st-key-learn"] a[data-testid="stPageLink-NavLink"] * { font-weight: 400; }
.stColumn:has([data-testid="stButtonGroup"]) { min-width: fit-content; }
[data-testid="stButtonGroup"] > div { flex-wrap: wrap; }
:is(a, button, input, textarea, summary, [role], [tabindex]):focus-visible {
  outline: 3px solid var(--st-primary-color, #3E95CD) !important; outline-offset: 2px !important; }
"""
# columns go below one another before a control is cut off; on a phone a slider's sentence stands by it
_NARROW = """
@media (max-width: 1100px) {
  .stMain .stColumn { min-width: min(100%, 17rem) !important; }
  .stMain .stColumn .stColumn { min-width: 7rem !important; }
  .stMain .stColumn .stColumn:has([data-testid="stButtonGroup"]) { min-width: fit-content !important; }
}
@media (max-width: 640px) {
  .stMainBlockContainer div:has(> .st-key-masthead) { left: 3.5rem; right: 3.5rem; }
  .stMainBlockContainer { padding: 3.5rem 1rem 3rem; }
  .stMain { overflow-x: hidden !important; }
  h1 { font-size: 1.6rem !important; }
  .stElementContainer:has(> .stHtml > .told) { flex: 1 1 100% !important; }
  .modebar-container { display: none; }
  .st-key-learn-steps { row-gap: 0.25rem !important; }
  .st-key-learn-steps > :first-child { flex: 1 1 100% !important; }
  div:has(> .st-key-depth), div:has(> .st-key-epoch), .st-key-depth, .st-key-epoch { order: -2; }
  div:has(> .st-key-conclusion), .st-key-conclusion { order: -1; }
}
@media (hover: none) { .modebar-container { display: none; } }
"""
_PRINTED = """
@media print {
  :is(.stApp, .stAppViewContainer, .stMain, .stMainBlockContainer, [data-testid="stAppViewContainer"]) {
    position: static !important; overflow: visible !important; height: auto !important;
    display: block !important; }
  .stMainBlockContainer { max-width: none; padding: 0; }
  [data-testid="stSidebar"], header, .st-key-masthead .stCheckbox { display: none !important; }
  div:has(> .st-key-masthead) { position: static !important; }
  /* a flex box breaks badly: what moves to the next page would lie over what follows */
  .stMain :is(.stVerticalBlock, .stElementContainer, .stHtml, [data-testid="stLayoutWrapper"],
    .stHorizontalBlock:has(.tiles, .seen)) { display: block !important; }
  .stMain .stVerticalBlock > * { margin-bottom: 0.9rem; }
  .stMain .stVerticalBlock > :has(+ * .stPlotlyChart) { break-after: avoid; }
  :is(h1, h2, h3) { break-after: avoid; }
  :is(.stPlotlyChart, figure, table, .stMetric, .tiles, .seen) { break-inside: avoid; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
"""
_LARGE = """
html { font-size: 21px !important; }
.stMainBlockContainer { max-width: 92rem; }
"""
# what Streamlit writes too pale on either ground, and on the light blue of dark pages
_LIGHT = """
[data-testid="stCaptionContainer"], [data-testid="stCaptionContainer"] :not(a) {
  color: #565D66 !important; opacity: 1 !important; }
[data-testid="stWidgetLabel"] [data-testid="stMarkdownContainer"] { color: #1B1F24 !important; }
"""
_DARK = """
[data-testid="stCaptionContainer"], [data-testid="stCaptionContainer"] :not(a) {
  color: #A9B1BA !important; opacity: 1 !important; }
[data-testid="stWidgetLabel"] [data-testid="stMarkdownContainer"] { color: #E8ECF0 !important; }
[data-testid="stBaseButton-primary"]:not(:disabled) * { color: #12161B !important; }
.stMultiSelect span[title], .stMultiSelect span[title] ~ *, .stMultiSelect span[title] ~ * * {
  color: #12161B !important; }
"""
_WIDE = f"@media screen and (min-width: 1900px) {{ {_LARGE} }}"


def inject_css() -> None:
    """Set widths and paddings; once per page run, before anything is drawn."""
    large, dark = _LARGE if is_large() else "", _DARK if is_dark() else _LIGHT
    st.html(f"<style>{_CSS}{_NARROW}{_PRINTED}{_WIDE}{large}{dark}</style>")


def masthead() -> None:
    """The product's name above the page's question, and the switch for presentations; the URL's `present`."""
    with st.container(horizontal=True, horizontal_alignment="distribute", key="masthead"):
        st.markdown(f":small[{PRODUCT}]", width="content")
        st.toggle(
            "Presentation", **bound(_PRESENT), width="content",
            help="Larger type and charts, for a projector; the link then opens them so.",
        )  # fmt: skip


def follow_theme() -> None:
    """Run the page again where the reader's screen turns dark or light: charts have that page's ink.

    Before the page is drawn, so that one which computes for long follows at once.
    """
    wide = st.session_state.get(LOOK, {}).get("wide", False)
    with st.container(key="unseen-look"):
        mount(
            "look", _JS, key=LOOK, data={"dark": is_dark(), "wide": wide},
            on_turned_change=lambda: None, on_wide_change=lambda: None,
        )  # fmt: skip
