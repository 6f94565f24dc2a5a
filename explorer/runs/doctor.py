"""What is here and what is missing: versions, device, cores, data and database."""

from __future__ import annotations

import os
import sqlite3
from typing import Any

from explorer.runs.library import open_library
from explorer.runs.provenance import commit, cores, processor, versions
from explorer.runs.zoo import PRETRAINED, Zoo
from explorer.system import limits
from explorer.training import kernels

# a rare bug with several connections writing and checkpointing at once was mended in this version
_SQLITE_SAFE = (3, 51, 3)


def examine() -> dict[str, Any]:
    """Facts about this installation, and `missing`: sentences about what should be looked at."""
    found = versions()
    library = open_library()
    runs = library.runs()
    missing = [f"{name} is not installed." for name, version in found.items() if version == "missing"]
    missing += library.problems
    try:
        bounds: dict[str, Any] = limits.in_force()
    except limits.LimitSettingError as error:
        bounds = {}
        missing.append(str(error))
    if not Zoo().manifest:
        missing.append(
            f"No zoo in {PRETRAINED}: make it with `python -m explorer zoo build --dataset digits`."
        )
    return {
        "commit": commit(),
        "versions": found,
        "device": _devices(),
        "cores": cores(),
        "processor": processor(),
        "fused kernels": kernels.state(),
        "data": {name: int(count) for name, count in runs.groupby("dataset").size().items()},
        "database": os.environ.get("EXPLORER_DATABASE_URL", "").split("@")[-1] or library.place,
        "sqlite": sqlite3.sqlite_version
        + ("" if sqlite3.sqlite_version_info >= _SQLITE_SAFE else " (one writer per database)"),
        "limits": bounds,
        "missing": missing,
    }


def _devices() -> list[str]:
    """Names of the devices that torch can train on, the CPU last."""
    try:
        import torch
    except ImportError:
        return []
    names = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
    return names + (["mps"] if torch.backends.mps.is_available() else []) + ["cpu"]
