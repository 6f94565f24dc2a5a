"""A task in a process of its own, started once; any process reads its state and can cancel it."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import IO, Any

from filelock import FileLock

from explorer.system.files import replace_text
from explorer.system.processes import end, lives, spawn, started_at, this_process

STARTING, RUNNING = "starting", "running"
DONE, FAILED, CANCELLED, INTERRUPTED = "done", "failed", "cancelled", "interrupted"
_ENDED = (DONE, FAILED, CANCELLED, INTERRUPTED)
_PATIENCE_S = 10.0
_WRITE_EVERY_S = 0.3


@dataclass(frozen=True)
class BackgroundTask:
    """A module of ours that is run in a process of its own, at most once at a time.

    Attributes:
        path: of the file that holds its state, a JSON object: phase, pid, started, since (when the phase
            began, in seconds since 1970), done, total, message, and whatever else the task keeps there.
            A phase that is none of done, failed, cancelled and interrupted means that it goes on.
    """

    path: Path

    @property
    def state(self) -> dict[str, Any] | None:
        """The state; None where the task was never started. One whose process is gone is interrupted."""
        state = self._read()
        if state is not None and is_active(state) and not lives(state["pid"], state["started"]):
            return state | {"phase": INTERRUPTED}
        return state

    @property
    def running(self) -> bool:
        """Whether its process is at work."""
        state = self.state
        return state is not None and is_active(state)

    def start(
        self,
        module: str,
        arguments: Sequence[str] = (),
        *,
        output: IO[bytes] | int = subprocess.DEVNULL,
        **details: Any,
    ) -> bool:
        """Start it, unless it is running; returns at once.

        Args:
            module: as after `python -m`; it calls `run`.
            arguments: of its command line.
            output: where it prints.
            **details: of the state, as the task begins.

        Returns:
            Whether this call started it.

        Raises:
            OSError: its state cannot be written, or no process can be started.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self._changing():
            if self.running:
                return False
            process = spawn(module, *arguments, output=output)
            me = {"pid": process.pid, "started": started_at(process.pid)}
            self._write({"phase": STARTING, **details, **me})
        Thread(target=process.wait, daemon=True).start()  # waited for, so that no zombie stays
        return True

    def run(self, work: Callable[[dict[str, Any], Progress], object]) -> None:
        """In the process itself: do the work, unless the task was cancelled meanwhile.

        Args:
            work: gets the state, and tells how far it is. What it raises is the message of a failed task.
        """
        state = self._begin()
        if state is None:
            return
        try:
            work(state, Progress(self, state))
        except Exception as error:
            self.change(phase=FAILED, message=str(error))
            raise
        self.change(phase=DONE, message="")

    def _begin(self) -> dict[str, Any] | None:
        with self._changing():
            state = self._read()
            if state is None or state["phase"] != STARTING:
                return None
            me = this_process()
            state |= {"pid": me.pid, "started": me.started}
            self._write(state)
            return state

    def change(self, **changes: Any) -> None:
        """Change the state."""
        with self._changing():
            self._write({**(self._read() or {}), **changes})

    def cancel(self, patience_s: float = _PATIENCE_S) -> dict[str, Any] | None:
        """End its process, by force after `patience_s` seconds.

        Returns:
            The state that it had; None where it did not run.
        """
        with self._changing():
            state = self.state
            if state is None or not is_active(state):
                return None
            end(state["pid"], state["started"], patience_s)
            self._write({**state, "phase": CANCELLED, "pid": 0})
            return state

    def _changing(self) -> FileLock:
        return FileLock(self.path.with_name(f"{self.path.name}.lock"))

    def _read(self) -> dict[str, Any] | None:
        try:
            state = json.loads(self.path.read_text(encoding="utf-8"))
            return {"done": 0, "total": 1, "since": 0.0, "message": "", "pid": 0, "started": 0.0, **state}
        except (OSError, ValueError, TypeError):
            return None

    def _write(self, state: Mapping[str, Any]) -> None:
        replace_text(self.path, json.dumps({"since": time.time(), **state}))


class Progress:
    """Writes how far a task is, not more often than pages read it.

    Args:
        task: whose state it is.
        state: as the task begins.
    """

    def __init__(self, task: BackgroundTask, state: Mapping[str, Any]) -> None:
        self._task, self._phase, self._written = task, (state["phase"], state["total"]), 0.0

    def __call__(self, phase: str, done: int, total: int) -> None:
        """The phase is at `done` of `total`."""
        now = time.time()
        begins = (phase, total) != self._phase
        if begins or done == total or now - self._written > _WRITE_EVERY_S:
            self._phase, self._written = (phase, total), now
            since = {"since": now} if begins else {}
            self._task.change(phase=phase, done=done, total=total, **since)


def is_active(state: Mapping[str, Any]) -> bool:
    """Whether a task with that state goes on, as far as its file says."""
    return state["phase"] not in _ENDED


def lower_priority(by: int) -> None:
    """Let other processes of this machine go first, where the system has such a thing."""
    if hasattr(os, "nice"):
        os.nice(by)
