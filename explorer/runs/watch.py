"""What can be seen of runs while they are trained? Records and the newest snapshot as one set of tables."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sqlalchemy import select

from explorer.runs import schema
from explorer.runs.groups import group_runs, members
from explorer.runs.library import RunSource
from explorer.runs.progress import Snapshot
from explorer.runs.run import Run
from explorer.runs.store import Store
from explorer.runs.tables import empty

ACTIVE = ("queued", "running")
ENDED = ("done", "stopped", "failed")
ZOO_GROUP = ", zoo"
_TABLES = ("epochs", "steps", "blocks")


@dataclass(frozen=True, eq=False)
class Record:
    """What has been recorded of one run, epoch by epoch.

    Attributes:
        epochs: its curve, columns `TABLE_COLUMNS["epochs"]`.
        steps: iteration, loss, lr of every step of the recorded epochs.
        blocks: block records of its first two epochs, the untrained one among them, and of its last.
    """

    epochs: pd.DataFrame
    steps: pd.DataFrame
    blocks: pd.DataFrame


class Follower:
    """Reads one run of the store while it is trained, each record once.

    Args:
        store: where the run is kept.
        run_id: of the run.
    """

    def __init__(self, store: Store, run_id: str) -> None:
        """Nothing is read yet."""
        self._store, self._run_id = store, run_id
        self._lock = threading.Lock()
        self._read_as: tuple[int, int] | None = None
        self._record = Record(*(empty(name) for name in _TABLES))

    def read(self, attempt: int, epoch: int) -> Record:
        """The records up to `epoch`, the last one of this attempt; the same object until there are more."""
        with self._lock:
            if self._read_as != (attempt, epoch):
                before = self._read_as
                fresh = before is None or before[0] != attempt or before[1] > epoch
                self._record = self._more(None if fresh else self._record)
                self._read_as = attempt, epoch
            return self._record

    def _more(self, known: Record | None) -> Record:
        last = int(known.epochs["epoch"].max()) if known is not None and len(known.epochs) else -1
        more = [getattr(self._store, name)([self._run_id], after=last) for name in _TABLES]
        if known is not None and last >= 0:
            parts = zip((known.epochs, known.steps, known.blocks), more, strict=True)
            more = [pd.concat(pair, ignore_index=True) for pair in parts]
        return Record(more[0], more[1], _ends(more[2]))


def zoo_records(source: RunSource, runs: Sequence[Run]) -> dict[str, Record]:
    """The records of finished runs, by run id."""
    ids = [run.run_id for run in runs]
    tables = [_by_run(getattr(source, name)(ids)) for name in _TABLES]
    nothing = [empty(name) for name in _TABLES]
    each = {
        run_id: [table.get(run_id, none) for table, none in zip(tables, nothing, strict=True)]
        for run_id in ids
    }
    return {run_id: Record(epochs, steps, _ends(blocks)) for run_id, (epochs, steps, blocks) in each.items()}


def named(runs: Sequence[Run]) -> pd.DataFrame:
    """One row per run: run_id, seed, group, family, depth, zoo; runs of the zoo are groups of their own."""
    zoo, own = ([run for run in runs if (run.source == "zoo") == is_zoo] for is_zoo in (True, False))
    context = members(group_runs(zoo)).assign(zoo=True)
    context["group"] = context["group"] + ZOO_GROUP
    return pd.concat([context, members(group_runs(own)).assign(zoo=False)], ignore_index=True)


def with_snapshot(kept: pd.DataFrame, shot: Snapshot | None, run: Run) -> pd.DataFrame:
    """The steps of a run's recorded epochs, and those of the epoch that it is in.

    Args:
        kept: columns run_id, iteration, loss, lr.
        shot: steps of it that are recorded already are dropped.
        run: whose recipe says the learning rate of each step.
    """
    if shot is None:
        return kept
    recorded = int(kept["iteration"].iloc[-1]) if len(kept) else 0
    iterations = np.arange(shot.iteration - len(shot.losses) + 1, shot.iteration + 1)
    fresh = iterations > recorded
    if not fresh.any():
        return kept
    rates = [run.recipe.lr_at(int(number) - 1, run.iterations) for number in iterations[fresh]]
    more = {"run_id": run.run_id, "iteration": iterations[fresh], "loss": shot.losses[fresh], "lr": rates}
    return pd.concat([kept, pd.DataFrame(more)], ignore_index=True) if len(kept) else pd.DataFrame(more)


def seconds_left(done: int, total: int, images_per_s: float, batch_size: int) -> float | None:
    """Time of the remaining steps at the present speed, or None where there is none yet."""
    if images_per_s <= 0 or total <= 0:
        return None
    return max(total - done, 0) * batch_size / images_per_s


def resolve(store: Store, asked: Sequence[str]) -> list[str]:
    """Run ids that the words of a link stand for, in the order of arrival.

    Args:
        store: to look in.
        asked: each a run's id, or the id of a group; what stands for nothing is passed over.
    """
    table = schema.runs
    named = table.c.run_id.in_(asked) | table.c.group_id.in_(asked)
    query = select(table.c.run_id).where(named, table.c.deleted.is_(None)).order_by(table.c.position)
    with store.database.reading() as connection:
        return [str(run_id) for run_id in connection.scalars(query)]


def being_trained(store: Store) -> list[str]:
    """All runs that are waiting or trained, in the order of arrival."""
    table = schema.runs
    query = select(table.c.run_id).where(table.c.status.in_(ACTIVE), table.c.deleted.is_(None))
    with store.database.reading() as connection:
        return [str(run_id) for run_id in connection.scalars(query.order_by(table.c.position))]


def _by_run(table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    return {str(run_id): part for run_id, part in table.groupby("run_id", sort=False)}


def _ends(blocks: pd.DataFrame) -> pd.DataFrame:
    """The records of one run before and after its first epoch, and after its last."""
    epochs = blocks["epoch"]
    kept: pd.DataFrame = blocks[(epochs == epochs.max()) | (epochs <= 1)]
    return kept
