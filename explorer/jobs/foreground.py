"""One run, here and now: trained in this process by the engine that the workers use."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from explorer.jobs.actions import new_run
from explorer.jobs.run_queue import Job
from explorer.jobs.training_loop import TrainingSession, train
from explorer.jobs.worker_pool import worker_threads
from explorer.nets.spec import NetSpec
from explorer.runs.status import Status
from explorer.runs.store import Store
from explorer.system.processes import this_process
from explorer.training.history import EpochRecord
from explorer.training.recipe import Recipe
from explorer.training.trainer import Trainer


class EndedEarlyError(ValueError):
    """The run did not reach its end; the text says why, and the store has what there is of it."""


def train_and_keep(
    spec: NetSpec, recipe: Recipe, data: str, *, progress: Callable[[str], None]
) -> dict[str, Any]:
    """Train to the end, storing each epoch as it ends.

    Ctrl-C keeps the run as of its current step; `runs resume` lets it go on.

    Returns:
        run_id, train_error_pct, test_error_pct, seconds (of training steps), images_per_s, checkpoint.

    Raises:
        EndedEarlyError: it failed, or was stopped or paused from elsewhere.
        KeyboardInterrupt: it was stopped from this shell.
    """
    from explorer.jobs.worker import shutdown_signals

    store, worker = Store(), this_process()
    run = replace(new_run(spec, recipe, data), status=Status.RUNNING)
    store.add_run(run, data=data, heartbeat=time.time(), **worker.values)
    job = Job(run, store.get_state(run.run_id), worker)
    start, rows = time.monotonic(), 0

    def note(trainer: Trainer, record: EpochRecord) -> None:
        nonlocal rows
        rows = trainer.total_iterations * trainer.batch_size
        progress(_line(trainer, record, time.monotonic() - start))

    with shutdown_signals() as shutdown:
        status = train(TrainingSession(store, worker_threads(), shutdown.is_set, note), job)
    if status == Status.INTERRUPTED:
        raise KeyboardInterrupt
    if status != Status.DONE:
        reason = store.get_state(run.run_id).reason or f"it was {status or 'taken away'} from elsewhere"
        raise EndedEarlyError(f"The run {run.run_id} did not reach its end: {reason}")
    done = store.get_run(run.run_id)
    return {
        "run_id": run.run_id,
        "train_error_pct": done.results["train_error_pct"],
        "test_error_pct": done.results["test_error_pct"],
        "seconds": round(done.seconds, 3),
        "images_per_s": round(rows / done.seconds, 1),
        "checkpoint": done.checkpoint,
    }


def _line(trainer: Trainer, record: EpochRecord, elapsed: float) -> str:
    done = record.iteration / trainer.total_iterations
    left = f"{elapsed / done * (1 - done):.0f} s left" if done else "starting"
    return (
        f"{trainer.spec.title}: epoch {record.epoch}/{trainer.total_epochs}, training error "
        f"{record.train_error_pct:.1f} %, test error {record.test_error_pct:.1f} %, {left}"
    )
