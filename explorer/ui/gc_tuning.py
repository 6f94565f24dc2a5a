"""Garbage collection after a page run, so that the next ones are quick.

Streamlit would collect all garbage after every run of a script, the smallest part of a page included; where a
page moves four times a second that took two thirds of the server's time. It is told not to
(`.streamlit/config.toml`), and a thread does it here, less often.
"""

from __future__ import annotations

import gc
import sys
import threading
from dataclasses import dataclass, field

_MANY = 40
_COLLECT_EVERY_S = 5.0


@dataclass
class _Heap:
    """How many modules were imported when this process's heap was last frozen, and who collects it."""

    modules: int = 0
    collector: threading.Thread | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


_HEAP = _Heap()  # one per process, whatever happens to Streamlit's caches


def tidy_heap() -> bool:
    """Take what is imported out of the garbage collector's sight, once after each page that imports much.

    The cost of collecting grows with all that is alive; what modules hold stays for good. Torch comes
    late, with the first page that needs it. The first call also starts the thread that collects.

    Returns:
        Whether the heap was frozen by this call.
    """
    modules = len(sys.modules)
    with _HEAP.lock:
        if _HEAP.collector is None:
            _HEAP.collector = threading.Thread(target=_collect_on, name="collector", daemon=True)
            _HEAP.collector.start()
        if modules < _HEAP.modules + _MANY:
            return False
        _HEAP.modules = modules
        gc.collect()
        gc.freeze()
    return True


def _collect_on() -> None:
    """Cycles hold tensors and tables that are large but few, which Python's own counting overlooks."""
    forever = threading.Event()
    while not forever.wait(_COLLECT_EVERY_S):
        gc.collect()
