"""The download of CIFAR: a background task whose state any page reads, and which any page can cancel."""

from __future__ import annotations

import sys
import time
from dataclasses import asdict, dataclass
from typing import Any

from explorer.data.add_dataset import AddRequest, add
from explorer.data.cifar import ARCHIVES, Archive
from explorer.data.dataset import DataError
from explorer.system import background
from explorer.system.background import BackgroundTask, Progress
from explorer.system.paths import home

_LOST = "The download ended before it was done."


@dataclass(frozen=True)
class Download:
    """Where a download stands.

    Attributes:
        name: cifar10 or cifar100.
        phase: starting, downloading, decoding, done, failed, cancelled or interrupted.
        done: bytes, or decoded images.
        total: of how many.
        since: when the phase began, in seconds since 1970.
        message: what went wrong.
    """

    name: str
    phase: str
    done: int = 0
    total: int = 1
    since: float = 0.0
    message: str = ""

    @property
    def active(self) -> bool:
        """Whether it goes on."""
        return background.is_active({"phase": self.phase})

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
    state = _task(name).state
    if state is None:
        return None
    message = _LOST if state["phase"] == background.INTERRUPTED else state["message"]
    return Download(name, state["phase"], state["done"], state["total"], state["since"], message)


def start(name: str) -> None:
    """Begin in a process of its own, unless one is at it.

    Raises:
        DataError: the data folder cannot be written to.
    """
    archive = ARCHIVES[name]
    try:
        archive.folder.mkdir(parents=True, exist_ok=True)
        with (archive.folder / "download.log").open("ab") as log:
            details = {"archive": asdict(archive), "total": archive.bytes}
            _task(name).start("explorer.runs.cifar_download", [name], output=log, **details)
    except OSError as error:
        raise DataError(f"{archive.folder} cannot be written to: {error.strerror or error}.") from None


def cancel(name: str) -> None:
    """Stop it, and delete what is there of the archive; a complete archive stays."""
    state = _task(name).cancel()
    if state is None:
        return
    archive = Archive(**state["archive"])
    if archive.path.exists() and archive.path.stat().st_size < archive.bytes:
        archive.path.unlink()


def _work(name: str, state: dict[str, Any], progress: Progress) -> None:
    """Download, unpack, decode and register."""
    archive = Archive(**state["archive"])
    ARCHIVES[name] = archive
    progress("downloading", 0, archive.bytes)
    add(
        AddRequest(name, name),
        lambda done, total: progress("decoding", done, total),
        lambda done, total: progress("downloading", done, total),
    )


def _task(name: str) -> BackgroundTask:
    return BackgroundTask(home() / "data" / name / "download.json")


if __name__ == "__main__":
    asked = sys.argv[1]
    _task(asked).run(lambda state, progress: _work(asked, state, progress))
