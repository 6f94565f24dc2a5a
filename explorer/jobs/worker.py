"""A worker process: it takes runs from the queue, one after the other, and trains them."""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

import torch

from explorer.jobs import progress, run_queue, training_loop
from explorer.nets.spec import NetSpec
from explorer.runs import provenance, run_paths
from explorer.runs.database import StoreGoneError
from explorer.runs.status import Status
from explorer.runs.store import Store, StoreError
from explorer.system.files import sweep_temporaries
from explorer.system.processes import lives, this_process
from explorer.training.recipe import Recipe
from explorer.training.trainer import Trainer

log = logging.getLogger(__name__)

POLL_S = 0.1
_LOOK_S = 1.0


@dataclass(frozen=True)
class WorkerOptions:
    """When a worker may leave, and how it trains.

    Attributes:
        until_idle: leave once nothing is queued.
        parent: pid and start of the process that started it; an idle worker leaves with it.
        threads: of each run.
        said: called with a line for a person when a run starts and ends.
    """

    until_idle: bool = False
    parent: tuple[int, float] | None = None
    threads: int = 1
    said: Callable[[str], None] = log.info


def work(store: Store, options: WorkerOptions) -> int:
    """Train queued runs until there is a reason to leave.

    On SIGTERM or SIGINT the run at hand is kept as of its current step, marked as interrupted, and the
    worker leaves.

    Returns:
        How many runs it trained.

    Raises:
        StoreGoneError: the data folder was deleted, moved or replaced; the run at hand is not trained on.
    """
    with shutdown_signals() as shutdown:
        return _work(store, options, shutdown)


def _work(store: Store, options: WorkerOptions, shutdown: threading.Event) -> int:
    session = training_loop.TrainingSession(store, options.threads, shutdown.is_set)
    trained, looked, problem = 0, 0.0, ""
    while not shutdown.is_set():
        try:
            if time.monotonic() - looked > _LOOK_S:
                looked = time.monotonic()
                progress.mark_interrupted(store)
                if options.parent is not None and not lives(*options.parent):
                    break
            job = run_queue.taken_unknowingly(store, this_process()) if problem else None
            job = job or run_queue.take(store, this_process())
            problem = ""
        except StoreGoneError:  # nothing that was trained on could be kept
            raise
        except StoreError as error:
            if str(error) != problem:
                problem = str(error)
                log.warning("%s", problem)
            shutdown.wait(_LOOK_S)
            continue
        if job is not None:
            trained += _train(session, job, options)
        elif options.until_idle:
            break
        else:
            shutdown.wait(POLL_S)
    return trained


def warm_up(threads: int) -> None:
    """Do once what the first step would wait for: imports, the embedded data, the kernels.

    What killed processes left beside the checkpoints is swept away too.
    """
    torch.set_num_threads(threads)
    sweep_temporaries(run_paths.home() / "checkpoints")
    spec, recipe = NetSpec(depth=8, width=4, in_channels=1), Recipe(iterations=1, device="cpu")
    trainer = Trainer(spec, recipe, training_loop.opened("digits"))
    trainer.run_epoch()
    provenance.commit()


def _train(session: training_loop.TrainingSession, job: run_queue.Job, options: WorkerOptions) -> int:
    run_id = job.run.run_id
    options.said(f"{run_id}: starts")
    status = training_loop.train(session, job)
    reason = session.store.get_state(run_id).reason if status == Status.FAILED else None
    options.said(f"{run_id}: {status or 'was taken away'}" + (f". {reason}" if reason else ""))
    if status == Status.QUEUED:  # it waits for memory that another run has
        time.sleep(_LOOK_S)
        return 0
    return 1


@contextmanager
def shutdown_signals() -> Iterator[threading.Event]:
    """An event that SIGTERM and SIGINT set instead of ending the process; both work as before afterwards."""
    asked = threading.Event()

    def note(_number: int, _frame: FrameType | None) -> None:
        asked.set()

    if threading.current_thread() is not threading.main_thread():  # only there signals can be caught
        yield asked
        return
    before = {number: signal.signal(number, note) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
