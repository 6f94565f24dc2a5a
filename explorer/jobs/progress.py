"""How far the runs are: their states, places in the queue, and the epoch they are in; no torch."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy import Select, func, select

from explorer.jobs import run_queue
from explorer.runs import schema
from explorer.runs.status import Status
from explorer.runs.store import Store, StoreError
from explorer.system.processes import this_process

STATE_COLUMNS = (
    "run_id", "status", "reason", "epoch", "epochs", "iteration", "iterations", "place", "owner", "group_id",
    "command", "attempt", "heartbeat",
)  # fmt: skip


@dataclass(frozen=True)
class Snapshot:
    """How far a running run is within its current epoch.

    Attributes:
        iteration: finished steps of the run.
        losses: of the steps of this epoch so far, (steps,); the last one belongs to `iteration`.
        images_per_s: images trained in this epoch over its time so far.
        updated: when it was written, in seconds since 1970.
    """

    iteration: int
    losses: NDArray[np.float32]
    images_per_s: float
    updated: float


def places(store: Store) -> dict[str, int]:
    """The place of every queued run, from 1: the order in which they will start."""
    with store.database.reading() as connection:
        return {run_id: place for place, run_id in enumerate(run_queue.waiting_order(connection), 1)}


def live(store: Store, run_ids: Collection[str]) -> dict[str, Snapshot]:
    """The newest snapshot of each of these runs that is within an epoch.

    A snapshot may be older than the run's last record: drop its losses up to that record's iteration.
    """
    table = schema.live
    with store.database.reading() as connection:
        found = connection.execute(select(table).where(table.c.run_id.in_(run_ids))).all()
    return {
        row.run_id: Snapshot(
            row.iteration, np.frombuffer(row.losses, "<f4"), row.images_per_s, row.updated
        )
        for row in found
    }  # fmt: skip


def states(store: Store, run_ids: Collection[str] | None = None) -> pd.DataFrame:
    """Where runs stand, in the order of arrival; a run whose process has died is marked as such first.

    Args:
        store: to look in.
        run_ids: of the runs; None for all that are not deleted.

    Returns:
        Columns `STATE_COLUMNS`: epoch and iteration are those of the last record (-1 before the first),
        place is that in the queue (0 for what is not queued), the rest is as in `Run` and `RunState`.
    """
    mark_interrupted(store)
    with store.database.reading() as connection:
        found = connection.execute(_states_query(run_ids)).mappings().all()
        place = {run_id: place for place, run_id in enumerate(run_queue.waiting_order(connection), 1)}
    rows = [dict(row) | {"place": place.get(row["run_id"], 0)} for row in found]
    table = pd.DataFrame(rows, columns=list(STATE_COLUMNS))
    if table.empty:
        return table.astype(dict.fromkeys(("epoch", "iteration", "place"), "int64"))
    return table


def mark_interrupted(store: Store) -> list[str]:
    """Mark the runs whose process is gone, and name them; a store that cannot be written is left as it is."""
    try:
        return run_queue.mark_interrupted(store, this_process().host)
    except StoreError:
        return []


def training_pids(store: Store) -> list[int]:
    """The processes of this machine that hold a running run."""
    table = schema.runs
    query = select(table.c.pid).filter_by(status=Status.RUNNING, host=this_process().host)
    with store.database.reading() as connection:
        return [pid for pid in connection.scalars(query) if pid is not None]


def _states_query(run_ids: Collection[str] | None) -> Select[Any]:
    runs, epochs = schema.runs, schema.epochs
    last = select(func.max(epochs.c.epoch)).where(epochs.c.run_id == runs.c.run_id).scalar_subquery()
    reached = select(func.max(epochs.c.iteration)).where(epochs.c.run_id == runs.c.run_id).scalar_subquery()
    named = [runs.c[name] for name in STATE_COLUMNS if name in runs.c]
    chosen = runs.c.deleted.is_(None) if run_ids is None else runs.c.run_id.in_(run_ids)
    ends = {"epoch": last, "iteration": reached}
    so_far = [func.coalesce(end, -1).label(name) for name, end in ends.items()]
    query = select(*named, *so_far).where(chosen)
    return query.order_by(runs.c.position, runs.c.run_id)
