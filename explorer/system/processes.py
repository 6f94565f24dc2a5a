"""Processes: which one this is, whether another still lives, how one is started and how it is ended."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import IO, Any

import psutil

from explorer.system.paths import ROOT

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


def started_at(pid: int) -> float:
    """When that process of this machine started, in seconds since 1970; 0 where there is none."""
    try:
        return float(psutil.Process(pid).create_time())
    except psutil.NoSuchProcess:
        return 0.0


def lives(pid: int, started: float) -> bool:
    """Whether that process of this machine still runs.

    Args:
        pid: its number.
        started: when it started, in seconds since 1970; numbers are given out again. A process that ended
            but was not waited for does not live.
    """
    try:
        process = psutil.Process(pid)
        same = bool(abs(process.create_time() - started) < _SAME_START_S)
        return same and str(process.status()) != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True


def spawn(
    module: str,
    *arguments: str,
    output: IO[bytes] | int = subprocess.DEVNULL,
    environment: Mapping[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """Run a module of ours in a process of its own; returns at once.

    Args:
        module: as after `python -m`.
        arguments: of its command line.
        output: where it prints; nowhere by default.
        environment: variables that it gets besides this process's own.
    """
    return subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        env=_environment() | dict(environment or {}),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        start_new_session=True,  # Ctrl-C is for this process, which then ends the other in its own way
    )


def end_all(children: Iterable[subprocess.Popen[bytes]], patience_s: float) -> None:
    """Ask processes to end, and kill those that have not within `patience_s` seconds, counted for all."""
    children = list(children)
    for child in children:
        child.terminate()
    deadline = time.monotonic() + patience_s
    for child in children:
        try:
            child.wait(max(deadline - time.monotonic(), 0.1))
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def end(pid: int, started: float, patience_s: float) -> None:
    """As `end_all`, of a process that somebody else may have started; nothing where it is gone already."""
    if not lives(pid, started):
        return
    try:
        process = psutil.Process(pid)
        process.terminate()
        process.wait(patience_s)
    except psutil.TimeoutExpired:
        process.kill()
    except psutil.NoSuchProcess:
        return


def _environment() -> dict[str, str]:
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return dict(os.environ) | {"PYTHONPATH": os.pathsep.join(paths)}


@lru_cache(maxsize=4)
def _process(pid: int) -> Process:
    return Process(pid, psutil.Process(pid).create_time(), platform.node())
