"""How do pages sit on small and large screens? The little that Streamlit's theme does not settle."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from explorer.ui.figures import is_dark

_JS = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")

# wide enough for twin charts, never stretched; on a phone less room above and at the sides; a container
# whose key begins with "unseen" draws nothing, and is taken out of the row so that it pushes nobody
_CSS = """<style>
.stMainBlockContainer { max-width: 84rem; padding-top: 3.25rem; padding-bottom: 4rem; }
.stMetric [data-testid="stMetricValue"] { font-size: 1.5rem; font-variant-numeric: tabular-nums; }
.st-key-live [data-stale="true"] { opacity: 1 !important; transition: none !important; }
[class*="st-key-gap"] > * { flex: 1 1 9.5rem !important; }
.told p { margin: 0; }
.told .share { height: 0.4rem; margin-top: 0.35rem; border-radius: 0.2rem; overflow: hidden;
  background: rgba(128, 140, 150, 0.25); }
.told .share i { display: block; height: 100%; border-radius: 0.2rem; background: #3E95CD;
  transition: width 0.4s linear; }
div:has(> [class*="st-key-unseen"]), [class*="st-key-unseen"] { position: absolute; height: 0; }
@media (max-width: 640px) {
  .stMainBlockContainer { padding: 3.25rem 1rem 3rem; }
  h1 { font-size: 1.6rem !important; }
  .stElementContainer:has(> .stHtml > .told) { flex: 1 1 100% !important; }
}
</style>"""


def settle() -> None:
    """Set widths and paddings; once per page run, before anything is drawn."""
    st.html(_CSS)


def follow_theme() -> None:
    """Run the page anew where the reader's screen turns dark or light: charts have that page's ink.

    Before the page is drawn, so that one which computes for long follows at once.
    """
    # registered at each run, since a module is imported once but a server may be started twice
    component = st.components.v2.component("look", js=_JS, isolate_styles=False)
    with st.container(key="unseen-look"):
        component(key="look", height=1, data={"dark": is_dark()}, on_turned_change=lambda: None)
