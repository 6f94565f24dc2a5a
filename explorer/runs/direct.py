"""One run, here and now: trained in this process, kept in the user's store."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from explorer.data.splits import Dataset
from explorer.nets.spec import NetSpec
from explorer.runs.run import RESULTS
from explorer.runs.store import Store, new_run_id
from explorer.runs.sweep import finished_run, save_trained
from explorer.training.history import EpochRecord
from explorer.training.recipe import Recipe
from explorer.training.trainer import Trainer


def train_and_keep(
    spec: NetSpec, recipe: Recipe, dataset: Dataset, *, progress: Callable[[str], None]
) -> dict[str, Any]:
    """Train to the end, storing each epoch as it ends.

    Returns:
        run_id, train_error_pct, test_error_pct, seconds (of training steps), images_per_s, checkpoint.
    """
    trainer = Trainer(spec, recipe, dataset)
    store = Store()
    run = replace(finished_run(new_run_id(spec, recipe), trainer, []), status="running")
    store.add_run(run)
    last, start = None, time.monotonic()
    try:
        for last in trainer.records():
            store.add_epoch(run.run_id, last)
            progress(_line(trainer, last, time.monotonic() - start))
        checkpoint = store.checkpoint_path(run.run_id)
        final = replace(run, results={name: getattr(last, name) for name in RESULTS})
        save_trained(checkpoint, trainer, final)
        store.update_run(run.run_id, checkpoint=str(checkpoint))
    except BaseException as error:
        store.set_status(
            run.run_id, "running", "stopped", reason=f"The run ended early: {type(error).__name__}."
        )
        raise
    store.set_status(run.run_id, "running", "done")
    seconds = store.get_run(run.run_id).seconds
    assert last is not None
    return {
        "run_id": run.run_id,
        "train_error_pct": last.train_error_pct,
        "test_error_pct": last.test_error_pct,
        "seconds": round(seconds, 3),
        "images_per_s": round(trainer.total_iterations * trainer.batch_size / seconds, 1),
        "checkpoint": str(checkpoint),
    }


def _line(trainer: Trainer, record: EpochRecord, elapsed: float) -> str:
    done = record.iteration / trainer.total_iterations
    left = f"{elapsed / done * (1 - done):.0f} s left" if done else "starting"
    return (
        f"{trainer.spec.title}: epoch {record.epoch}/{trainer.total_epochs}, training error "
        f"{record.train_error_pct:.1f} %, test error {record.test_error_pct:.1f} %, {left}"
    )
