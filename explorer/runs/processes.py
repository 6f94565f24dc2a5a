"""Which process trains a run, and does it still live? A pid counts only with its start time and machine."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import psutil

_SAME_START_S = 2.0


@dataclass(frozen=True)
class Process:
    """A process of some machine.

    Attributes:
        pid: its number, which may be given out again after its end.
        started: when it started, in seconds since 1970.
        host: name of its machine.
    """

    pid: int
    started: float
    host: str

    def holds(self, row: Mapping[str, Any]) -> bool:
        """Whether that row of `schema.runs` is being trained by this process."""
        held = (row["pid"], row["process_started"], row["host"])
        return row["status"] == "running" and held == (self.pid, self.started, self.host)

    @property
    def values(self) -> dict[str, Any]:
        """The columns of `schema.runs` that name it."""
        return {"pid": self.pid, "process_started": self.started, "host": self.host}


def this_process() -> Process:
    """The process that asks."""
    return _process(os.getpid())


def lives(pid: int, started: float) -> bool:
    """Whether that process of this machine still runs; one that ended but was not waited for does not."""
    try:
        process = psutil.Process(pid)
        same = bool(abs(process.create_time() - started) < _SAME_START_S)
        return same and str(process.status()) != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True


@lru_cache(maxsize=4)
def _process(pid: int) -> Process:
    return Process(pid, psutil.Process(pid).create_time(), platform.node())
