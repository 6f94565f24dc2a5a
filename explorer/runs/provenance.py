"""Where a number comes from: commit, versions and hardware, as found on this machine."""

from __future__ import annotations

import os
import platform
import subprocess
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any

from explorer.system.paths import ROOT

_PACKAGES = ("torch", "torchvision", "streamlit", "plotly", "captum", "pandas", "numpy", "scikit-learn")


def versions() -> dict[str, str]:
    """Version of Python and of every library that a result may depend on; 'missing' where not there."""
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "missing"
    return found


@lru_cache(maxsize=1)
def commit() -> str | None:
    """The commit of this checkout, or EXPLORER_COMMIT where there is none; '+' marks changes since."""
    try:
        head = _git("rev-parse", "--short=12", "HEAD")
        changed = _git("status", "--porcelain", "--untracked-files=no", "--", "explorer")
        return head + ("+" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return os.environ.get("EXPLORER_COMMIT")


@lru_cache(maxsize=1)
def processor() -> str:
    """The processor's name and how many cores this process may use."""
    name = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = [line for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        name = lines[0].partition(":")[2].strip() if lines else name
    return f"{name}, {cores()} cores"


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def provenance(hardware: str, data_hash: str) -> dict[str, Any]:
    """What must be known to make a run again: commit, versions, hardware, hash of the training data."""
    return {"commit": commit(), "versions": versions(), "hardware": hardware, "data_hash": data_hash}


def _git(*words: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(ROOT), *words],  # noqa: S607
        capture_output=True, text=True, check=True, timeout=10,
    )  # fmt: skip
    return done.stdout.strip()
