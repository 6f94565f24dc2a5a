"""How far is the download of CIFAR? A process of its own does it; its state is a file that any page reads."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Lock, Thread
from typing import Any, Literal

import psutil

from explorer.data.cifar import ARCHIVES, Archive
from explorer.data.home import home
from explorer.data.keeping import Wish, add
from explorer.data.splits import DataError
from explorer.runs.processes import lives, this_process
from explorer.runs.provenance import ROOT

Phase = Literal["starting", "downloading", "decoding", "done", "failed", "cancelled", "interrupted"]
_ACTIVE = ("starting", "downloading", "decoding")
_STATE = "download.json"
_START_S = 120
_WRITE_EVERY_S = 0.3
_ENDS_S = 10
_starting = Lock()


@dataclass(frozen=True)
class Download:
    """Where a download stands.

    Attributes:
        name: cifar10 or cifar100.
        phase: what it does.
        done: bytes, or decoded images.
        total: of how many.
        since: when the phase began, in seconds since 1970.
        message: what went wrong.
    """

    name: str
    phase: Phase
    done: int = 0
    total: int = 1
    since: float = 0.0
    message: str = ""

    @property
    def active(self) -> bool:
        """Whether it goes on."""
        return self.phase in _ACTIVE

    @property
    def fraction(self) -> float:
        """How much of the phase is done, 0 to 1."""
        return min(self.done / max(self.total, 1), 1.0)

    @property
    def seconds_left(self) -> float | None:
        """Of this phase, at the pace so far; None before there is a pace."""
        if not 0 < self.done < self.total:
            return None
        return (time.time() - self.since) / self.done * (self.total - self.done)


def current(name: str) -> Download | None:
    """The latest download of that archive, if there was any."""
    state = _read(name)
    if state is None:
        return None
    phase, message = state["phase"], state["message"]
    alive = lives(state["pid"], state["started"]) if state["pid"] else time.time() - state["since"] < _START_S
    if phase in _ACTIVE and not alive:
        phase, message = "interrupted", "The download ended before it was done."
    return Download(name, phase, state["done"], state["total"], state["since"], message)


def start(name: str) -> None:
    """Begin in a process of its own, unless one is at it.

    Raises:
        DataError: the data folder cannot be written to.
    """
    with _starting:
        going = current(name)
        if going is not None and going.active:
            return
        archive = ARCHIVES[name]
        try:
            archive.folder.mkdir(parents=True, exist_ok=True)
            _write(name, {"archive": asdict(archive), "phase": "starting", "total": archive.bytes})
            command = [sys.executable, "-m", "explorer.runs.downloads", name]
            with (archive.folder / "download.log").open("wb") as log:
                process = subprocess.Popen(
                    command,
                    cwd=ROOT,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
        except OSError as error:
            raise DataError(f"{archive.folder} cannot be written to: {error.strerror or error}.") from None
        # waited for, so that no zombie stays
        Thread(target=process.wait, daemon=True).start()


def cancel(name: str) -> None:
    """Stop it, and delete what is there of the archive; a complete archive stays."""
    state = _read(name)
    if state is None or state["phase"] not in _ACTIVE:
        return
    if state["pid"] and lives(state["pid"], state["started"]):
        process = psutil.Process(state["pid"])
        process.terminate()
        try:
            process.wait(_ENDS_S)
        except psutil.TimeoutExpired:
            process.kill()
    archive = Archive(**state["archive"])
    if archive.path.exists() and archive.path.stat().st_size < archive.bytes:
        archive.path.unlink()
    _write(name, {**state, "phase": "cancelled", "pid": 0})


def work(name: str) -> None:
    """Download, unpack, decode and register; what the process of `start` does."""
    state = _read(name)
    if state is None:
        return
    archive, me = Archive(**state["archive"]), this_process()
    ARCHIVES[name] = archive
    state |= {"pid": me.pid, "started": me.started}
    reporter = _Reporter(name, state)
    reporter("downloading", 0, archive.bytes)
    try:
        add(
            Wish(name, name),
            lambda done, total: reporter("decoding", done, total),
            lambda done, total: reporter("downloading", done, total),
        )
    except DataError as error:
        _write(name, {**state, "phase": "failed", "message": str(error)})
        return
    _write(name, {**state, "phase": "done", "message": ""})


class _Reporter:
    """Writes where the download stands, not more often than pages read it."""

    def __init__(self, name: str, state: dict[str, Any]) -> None:
        self._name, self._state, self._written = name, state, 0.0

    def __call__(self, phase: Phase, done: int, total: int) -> None:
        now = time.time()
        begins = (phase, total) != (self._state["phase"], self._state["total"])
        if begins:
            self._state["since"] = now
        self._state |= {"phase": phase, "done": done, "total": total}
        if begins or done == total or now - self._written > _WRITE_EVERY_S:
            self._written = now
            _write(self._name, self._state)


def _path(name: str) -> Path:
    return home() / "data" / name / _STATE


def _read(name: str) -> dict[str, Any] | None:
    try:
        state = json.loads(_path(name).read_text(encoding="utf-8"))
        return {"done": 0, "total": 1, "since": 0.0, "message": "", "pid": 0, "started": 0.0, **state}
    except (OSError, ValueError, TypeError):
        return None


def _write(name: str, state: dict[str, Any]) -> None:
    part = _path(name).with_suffix(".part")
    part.write_text(json.dumps({"since": time.time(), **state}), encoding="utf-8")
    part.replace(_path(name))


if __name__ == "__main__":
    work(sys.argv[1])
