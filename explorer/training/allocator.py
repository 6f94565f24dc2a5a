"""Who gets freed memory back? With checkpointing the system: glibc would keep it between maps in use."""

from __future__ import annotations

import ctypes
import sys

_M_MMAP_THRESHOLD = -3
_THRESHOLD = 128 * 1024


def give_back_freed_maps() -> bool:
    """Let every map of 128 KiB and more be a mapping of its own, for the whole process.

    glibc raises that limit by itself as large blocks are freed, and small gaps between kept maps
    then hold most of what checkpointing saves (docs/decisions/0029-very-deep.md has the numbers).

    Returns:
        Whether the allocator took the setting; other allocators do not know it.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and bool(mallopt(_M_MMAP_THRESHOLD, _THRESHOLD))
