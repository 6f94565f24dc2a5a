"""Keeping a run while it trains, by a thread beside the loop, which never waits for a disk.

The loop hands over what happened and goes on. The thread writes it in order: the records of an epoch
in one transaction, after them the file to resume from, so that the store is never behind the file. It
also says a few times a second that the process lives, shows how far the epoch is, and reads what a
person has asked for. While another process holds the database, it keeps everything and tries again.
"""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import Any

from sqlalchemy import delete, insert, select

from explorer.jobs.resume import write_resume
from explorer.jobs.run_queue import Job, update_held
from explorer.runs import artifacts, schema
from explorer.runs.run_paths import resume_path
from explorer.runs.store import Store, StoreBusyError
from explorer.training.history import EpochRecord, Live

PERIOD_S = 0.25


class RunRecorder:
    """Keeps one run while the process that holds it trains it; a context that starts and ends the thread.

    Args:
        store: where the run is kept.
        job: the run.
    """

    def __init__(self, store: Store, job: Job) -> None:
        self._store, self._job = store, job
        self._path = resume_path(job.run.run_id, job.state.attempt)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._lock, self._woken = threading.Lock(), threading.Event()
        self._records: list[EpochRecord] = []
        self._frozen: dict[str, Any] | None = None
        self._live: Live | None = None
        self._command: str | None = None
        self._error: Exception | None = None
        self._closing = False
        self._beaten, self._shown = 0.0, False
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)

    def __enter__(self) -> RunRecorder:
        """Start the thread."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """Write what is left and end the thread; what failed there is raised unless something else was."""
        self._closing = True
        self._woken.set()
        self._thread.join()
        if error is None and self._error is not None:
            raise self._error

    def add(self, record: EpochRecord | None, frozen: dict[str, Any] | None = None) -> None:
        """Keep a record, and what to resume from if it is given; both are written soon."""
        with self._lock:
            if record is not None:
                self._records.append(record)
                self._live = None  # older than the record
            self._frozen = frozen or self._frozen
        self._woken.set()

    def show(self, live: Live) -> None:
        """Show how far the epoch is, soon; the first time at once, since somebody waits for it."""
        if not self._shown:
            self._shown, self._beaten = True, 0.0
        self._live = live
        self._woken.set()

    @property
    def command(self) -> str | None:
        """What a person asked for last: pause, stop or step.

        Raises:
            StoreError: the run cannot be kept, or this process has lost it.
            ResumeError: its checkpoint cannot be written.
        """
        if self._error is not None:
            raise self._error
        return self._command

    def _run(self) -> None:
        while self._error is None:
            closing = self._closing
            try:
                self._write()
            except StoreBusyError:
                closing = False  # nothing is lost: it is tried again, for as long as it takes
                time.sleep(PERIOD_S)
            except Exception as error:  # noqa: BLE001 - it is raised in the loop
                self._error = error
            if closing:
                return
            self._woken.wait(PERIOD_S)
            self._woken.clear()

    def _write(self) -> None:
        while self._records:
            self._store.add_epoch(self._job.run.run_id, self._records[0], self._job.worker)
            with self._lock:
                self._records.pop(0)
        with self._lock:
            frozen, waiting = self._frozen, bool(self._records)
        if frozen is not None and not waiting:
            write_resume(self._path, frozen)
            artifacts.keep(self._store.database, self._job.run.run_id, self._path)
            with self._lock:
                self._frozen = None if self._frozen is frozen else self._frozen
        if time.monotonic() - self._beaten >= PERIOD_S or self._closing:
            self._heartbeat()

    def _heartbeat(self) -> None:
        """Heartbeat, snapshot and command, in one small transaction."""
        self._beaten = time.monotonic()
        live, table, run_id = self._live, schema.live, self._job.run.run_id
        with self._store.database.writing(synced=False) as connection:
            update_held(connection, self._job, {"heartbeat": time.time()})
            if live is not None and len(live.losses):
                connection.execute(delete(table).filter_by(run_id=run_id))
                connection.execute(insert(table).values(run_id=run_id, updated=time.time(), **_values(live)))
            asked = select(schema.runs.c.command).filter_by(run_id=run_id)
            self._command = connection.scalar(asked)
        if self._live is live:
            self._live = None


def _values(live: Live) -> dict[str, Any]:
    losses = live.losses.astype("<f4").tobytes()
    return {"iteration": live.iteration, "losses": losses, "images_per_s": live.images_per_s}
