"""A task of the cluster: it takes its run, or goes on with it after a death, and trains."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select, update

from explorer.jobs.run_queue import KILLED, Job, state_of
from explorer.runs import rows, schema
from explorer.runs.status import Status
from explorer.runs.store import Store, StoreBusyError, UnknownRunError
from explorer.system.processes import Process, this_process

_AGAIN_S = 1.0


def train_run(settings: Mapping[str, str], run_id: str, task: str, node: str, threads: int = 1) -> str:
    """Train the run in this process, unless its status or another task forbids it.

    Args:
        settings: environment by which the run is found.
        run_id: of the run.
        task: name that is used for one submission, and for its repetitions after a node's death.
        node: where this is.
        threads: of a run that has not begun.

    Returns:
        The status that the run was left with; empty where it was not taken, or taken away.

    Raises:
        UnknownRunError: the database that this node reaches has no such run.
    """
    os.environ.update(settings)
    from explorer.jobs.training_loop import TrainingSession, train

    store = _opened()
    try:
        job = _patiently_taken(store, run_id, task, node)
        return "" if job is None else str(train(TrainingSession(store, threads), job) or "")
    finally:
        store.close()


def take_for_task(store: Store, worker: Process, run_id: str, task: str, node: str) -> Job | None:
    """Take a queued run, or one that this task held before its process or its node died.

    Raises:
        UnknownRunError: there is none of that id.
    """
    table = schema.runs
    with store.database.writing() as connection:
        query = select(table).filter_by(run_id=run_id).with_for_update()
        row = connection.execute(query).mappings().one_or_none()
        if row is None:
            raise UnknownRunError(
                f"The database that this node reaches has no run {run_id}. All nodes need the same "
                "EXPLORER_DATABASE_URL: docs/cluster.md."
            )
        if not _is_free(row, task):
            return None
        turn = select(func.coalesce(func.max(table.c.turn), 0) + 1).scalar_subquery()
        taken = {"status": Status.RUNNING, "reason": None, "heartbeat": time.time(), "turn": turn}
        # what a person asked while the node was dying is still to be done
        command = row["command"] if row["status"] == Status.RUNNING else None
        values = taken | {"command": command, "task": task, "node": node} | worker.values
        connection.execute(update(table).filter_by(run_id=run_id).values(**values))
    return Job(rows.read_run(dict(row)), state_of(row), worker)


def _is_free(row: Mapping[Any, Any], task: str) -> bool:
    if row["deleted"] is not None:
        return False
    if row["status"] == Status.QUEUED:
        return True
    lost = row["status"] == Status.INTERRUPTED and row["reason"] == KILLED
    return bool(row["task"] == task and (lost or row["status"] == Status.RUNNING))


def _opened() -> Store:
    while True:
        try:
            return Store()
        except StoreBusyError:
            time.sleep(_AGAIN_S)


def _patiently_taken(store: Store, run_id: str, task: str, node: str) -> Job | None:
    while True:
        try:
            return take_for_task(store, this_process(), run_id, task, node)
        except StoreBusyError:
            time.sleep(_AGAIN_S)
