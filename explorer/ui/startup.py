"""What happens after a page run, so that the next ones are quick?"""

from __future__ import annotations

import gc
import sys
from dataclasses import dataclass

import streamlit as st

_MANY = 40


@dataclass
class _Heap:
    """How many modules were imported when the heap was last frozen."""

    modules: int = 0


def freeze_heap() -> bool:
    """Take what is imported out of the garbage collector's sight, once after each page that imports much.

    Streamlit collects after every script run, and the cost grows with all that is alive; what modules
    hold stays for good. Torch comes late, with the first page that needs it.

    Returns:
        Whether the heap was frozen by this call.
    """
    heap, modules = _heap(), len(sys.modules)
    if modules < heap.modules + _MANY:
        return False
    heap.modules = modules
    gc.collect()
    gc.freeze()
    return True


@st.cache_resource(show_spinner=False)
def _heap() -> _Heap:
    return _Heap()
