"""Settings of glibc's allocator: who gets freed memory back, the system or the next step of this process."""

from __future__ import annotations

import ctypes
import sys
from typing import Any

_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_THRESHOLD = -1, -2, -3
_THRESHOLD = 128 * 1024
_KEPT = 2**30
_PAD = 2**28


def give_back_freed_maps() -> bool:
    """Let every map of 128 KiB and more be a mapping of its own, for the whole process.

    glibc raises that limit by itself as large blocks are freed, and small gaps between kept maps
    then hold most of what checkpointing saves (docs/decisions/0029-very-deep.md has the numbers).

    Returns:
        Whether the allocator took the setting; other allocators do not know it.
    """
    return _set(_M_MMAP_THRESHOLD, _THRESHOLD)


def keep_freed_maps() -> bool:
    """Let the process keep the memory of its maps from step to step, until `trim`.

    Else every step asks the system for the same pages again, which costs 8 % of a step with fused kernels.

    Returns:
        Whether the allocator took the settings; other allocators do not know them.
    """
    kept = ((_M_MMAP_THRESHOLD, _KEPT), (_M_TRIM_THRESHOLD, 2 * _KEPT - 1), (_M_TOP_PAD, _PAD))
    return sum(_set(name, value) for name, value in kept) == len(kept)


def trim() -> bool:
    """Give all free memory back to the system now.

    Returns:
        Whether the allocator can.
    """
    give = _glibc("malloc_trim")
    return give is not None and bool(give(0))


def _set(name: int, value: int) -> bool:
    mallopt = _glibc("mallopt")
    return mallopt is not None and bool(mallopt(name, value))


def _glibc(name: str) -> Any:
    return getattr(ctypes.CDLL(None), name, None) if sys.platform.startswith("linux") else None
