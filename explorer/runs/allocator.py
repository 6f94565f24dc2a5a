"""How does a training process take memory? It is kept, not given back: the next step wants it again."""

from __future__ import annotations

import platform
import sys

_KEEP = {
    # the largest value that glibc takes: below it, memory comes from the heap, which is kept
    "MALLOC_MMAP_THRESHOLD_": str(32 * 2**20),
    "MALLOC_TRIM_THRESHOLD_": str(8 * 2**30),
    "MALLOC_TOP_PAD_": str(64 * 2**20),
}


def settings() -> dict[str, str]:
    """Variables for the environment of a process that trains; none where libc is not glibc.

    Measured by `benchmarks/allocator.py`. They must be set before the process starts.
    """
    return dict(_KEEP) if sys.platform == "linux" and platform.libc_ver()[0] == "glibc" else {}
