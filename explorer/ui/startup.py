"""What happens once per process, and once per page run, before anything is drawn."""

from __future__ import annotations

import gc

import streamlit as st


@st.cache_resource(show_spinner=False)
def freeze_heap() -> bool:
    """Take what is imported out of the garbage collector's sight.

    Streamlit collects after every script run, and the cost grows with all that is alive; what is
    alive now stays for good.
    """
    gc.collect()
    gc.freeze()
    return True
