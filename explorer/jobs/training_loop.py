"""Training a taken run step by step, kept as it goes, until it ends or a person asks for something."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, TypeVar

import psutil
import torch
from sqlalchemy import case

from explorer.data.dataset import Dataset
from explorer.data.sources import open_dataset
from explorer.jobs.failure_messages import check_finite, explain
from explorer.jobs.progress import training_pids
from explorer.jobs.resume import frozen_state, load_resume
from explorer.jobs.run_queue import Job, change_held
from explorer.jobs.run_recorder import PERIOD_S, RunRecorder
from explorer.jobs.sweep import finished_run, save_trained
from explorer.runs import artifacts, run_paths, schema
from explorer.runs.database import StoreDamagedError, StoreGoneError
from explorer.runs.status import Command, Status
from explorer.runs.store import LostRunError, Store, StoreBusyError, StoreError, UnknownRunError
from explorer.training.allocator import trim
from explorer.training.estimates import DoesNotFitError, check_fits, estimate
from explorer.training.history import EpochRecord
from explorer.training.trainer import Trainer, find_device

log = logging.getLogger(__name__)

LEFT = "The explorer was closed. Resume goes on from the step it had reached."
_MIB = 2**20
_LEAVE = "leave"
_ENDS = (Command.PAUSE, Command.STOP, _LEAVE)
_RETRY_S = 1.0
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class TrainingSession:
    """How this process trains.

    Attributes:
        store: where runs are kept.
        threads: of a run that has not begun; one that has keeps its number.
        shutting_down: whether the process is asked to end.
        progress: called with the trainer and each record.
    """

    store: Store
    threads: int = 1
    shutting_down: Callable[[], bool] = lambda: False
    progress: Callable[[Trainer, EpochRecord], None] = lambda _trainer, _record: None


def train(session: TrainingSession, job: Job) -> Status | None:
    """Train until the run ends or is asked to; whatever happens in it becomes its status and its reason.

    Returns:
        The status that it was left with, or None if this process does not hold it any more. A run that was
        resumed while its pause was being kept is told as paused, and is in the queue again.
    """
    try:
        status, changes = _trained(session, job)
    except (LostRunError, UnknownRunError):
        return None
    except DoesNotFitError as error:
        others = set(training_pids(session.store)) - {job.worker.pid}
        reason = f"Waiting: another run is using the memory that this one needs. {error}"
        waits = {"reason": reason, "command": job.state.command}
        status, changes = (Status.QUEUED, waits) if others else (Status.FAILED, {"reason": str(error)})
    except Exception as error:
        log.info("%s failed", job.run.run_id, exc_info=True)
        status, changes = Status.FAILED, {"reason": explain(error)}
    trim()  # what fused kernels kept between steps
    return status if _conclude(session, job, {"status": status} | changes) else None


@lru_cache(maxsize=2)
def opened(data: str) -> Dataset:
    """The dataset of that name or path, read once per process."""
    return open_dataset(data)


def _trained(session: TrainingSession, job: Job) -> tuple[Status, dict[str, Any]]:
    threads = job.state.threads or session.threads
    torch.set_num_threads(threads)
    trainer = _trainer(job)
    path = run_paths.resume_path(job.run.run_id, job.state.attempt)
    _patiently(session, lambda: artifacts.bring(session.store.database, path))
    load_resume(path, trainer)
    _begin(session, job, trainer, threads)
    with RunRecorder(session.store, job) as recorder:
        asked = _loop(session, job, trainer, recorder)
    if asked == _LEAVE:
        return Status.INTERRUPTED, {"reason": LEFT}
    if asked == Command.PAUSE:  # whoever resumed it while it was being kept wants it to go on
        status = case((schema.runs.c.command == Command.RESUME, Status.QUEUED), else_=Status.PAUSED)
        return Status.PAUSED, {"reason": None, "status": status}
    checkpoint = session.store.checkpoint_path(job.run.run_id)
    results = _results(session, job) if trainer.at_epoch_end else {}
    save_trained(checkpoint, trainer, replace(job.run, results=results))
    _patiently(session, lambda: artifacts.keep(session.store.database, job.run.run_id, checkpoint))
    ended = Status.STOPPED if asked == Command.STOP else Status.DONE
    return ended, {"reason": None, "checkpoint": str(checkpoint)}


def _loop(session: TrainingSession, job: Job, trainer: Trainer, recorder: RunRecorder) -> str | None:
    """Train to the end, or to what a person asks for: pause, stop, or leave."""
    stepping = job.state.command == Command.STEP
    shown = -math.inf  # so that the first step is shown
    if trainer.iteration == 0:
        _keep(session, trainer, recorder)
    while not trainer.finished:
        trainer.step()
        if trainer.at_epoch_end:
            _keep(session, trainer, recorder)
            stepping = recorder.command == Command.STEP or (stepping and recorder.command is None)
            if stepping:
                return None if trainer.finished else Command.PAUSE
        elif time.monotonic() - shown >= PERIOD_S:
            shown = time.monotonic()
            recorder.show(trainer.live())
        asked = _LEAVE if session.shutting_down() else recorder.command
        if asked in _ENDS and not trainer.finished:
            recorder.add(None, frozen_state(trainer))
            return asked
    return None


def _keep(session: TrainingSession, trainer: Trainer, recorder: RunRecorder) -> None:
    record = trainer.record()
    recorder.add(record)
    session.progress(trainer, record)
    check_finite(record, trainer.recipe.lr)  # a net that diverged is no place to go on from
    if trainer.iteration > 0:
        recorder.add(None, frozen_state(trainer))


def _trainer(job: Job) -> Trainer:
    run = job.run
    dataset = opened(job.state.data or run.dataset)
    split = dataset.split("train")
    spec = replace(run.spec, in_channels=split.in_channels, classes=len(dataset.classes))
    free = _free_mib(find_device(run.recipe.device))
    if free is not None:
        check_fits(estimate(spec, run.recipe, split.image_size, len(split.labels)), free)
    return Trainer(spec, run.recipe, dataset)


def _free_mib(device: torch.device) -> float | None:
    """Free memory of the device, or None where it cannot be asked."""
    if device.type == "cuda":
        torch.cuda.empty_cache()  # what an earlier run of this process left
        return float(torch.cuda.mem_get_info(device)[0]) / _MIB
    return float(psutil.virtual_memory().available) / _MIB if device.type == "cpu" else None


def _begin(session: TrainingSession, job: Job, trainer: Trainer, threads: int) -> None:
    """Complete what was not known of the run before its data was read."""
    row = finished_run(job.run.run_id, trainer, []).row()
    names = ("spec", "recipe", "dataset", "epochs", "iterations", "parameters", "provenance")
    known = {name: row[name] for name in names}
    _patiently(session, lambda: change_held(session.store, job, threads=threads, **known))


def _results(session: TrainingSession, job: Job) -> dict[str, float]:
    """The results of the last epoch, as they are kept."""
    return _patiently(session, lambda: session.store.get_run(job.run.run_id).results)


def _patiently(session: TrainingSession, ask: Callable[[], Answer]) -> Answer:
    """Ask a store that is held by others, or whose server does not answer, until it does."""
    while True:
        try:
            return ask()
        except StoreBusyError as error:
            if session.shutting_down():
                raise
            log.info("%s", error)
            time.sleep(_RETRY_S)


def _conclude(session: TrainingSession, job: Job, changes: dict[str, Any]) -> bool:
    """Write how the run ended, for as long as it takes: a disk that is full now may have room later."""
    said = ""
    while True:
        try:
            change_held(session.store, job, **({"command": None} | changes))
        except (LostRunError, UnknownRunError):
            return False
        except (StoreDamagedError, StoreGoneError) as error:
            log.error("%s cannot be kept: %s", job.run.run_id, error)
            return False
        except StoreError as error:
            if str(error) != said:
                said = str(error)
                log.warning("%s waits to be written: %s", job.run.run_id, said)
            if session.shutting_down():
                return False
            time.sleep(_RETRY_S)
            continue
        if changes["status"] == Status.DONE:
            _remove_resume(session, job)
        return True


def _remove_resume(session: TrainingSession, job: Job) -> None:
    """Nobody goes on from the file of a run that is done; where that fails, it goes with the run."""
    path = run_paths.resume_path(job.run.run_id, job.state.attempt)
    path.unlink(missing_ok=True)
    try:
        artifacts.forget(session.store.database, job.run.run_id, path.name)
    except StoreError as error:
        log.warning("%s", error)
