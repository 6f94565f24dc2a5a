"""Runs as they are trained: records and the newest snapshot as one set of tables."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from cachetools import LRUCache
from sqlalchemy import select

from explorer.jobs.progress import Snapshot
from explorer.runs import schema
from explorer.runs.groups import group_runs, members
from explorer.runs.library import RunSource
from explorer.runs.run import Run
from explorer.runs.status import ACTIVE
from explorer.runs.store import Store
from explorer.runs.tables import empty

ZOO_GROUP = ", zoo"
_TABLES = ("epochs", "steps", "blocks")
_MOST_KEPT = 256


@dataclass(frozen=True, eq=False)
class RecordTables:
    """What has been recorded of one run, epoch by epoch.

    Attributes:
        epochs: its curve, columns `TABLE_COLUMNS["epochs"]`.
        steps: iteration, loss, lr of every step of the recorded epochs.
        blocks: block records of its first two epochs, the untrained one among them, and of its last.
    """

    epochs: pd.DataFrame
    steps: pd.DataFrame
    blocks: pd.DataFrame


NOTHING = RecordTables(*(empty(name) for name in _TABLES))
"""Of a run that has not begun."""


@dataclass(frozen=True)
class RunCursor:
    """How far a run is.

    Attributes:
        run_id: of the run.
        epoch: its last one on record, -1 before the first.
        attempt: grows with every retry, which starts the run again.
    """

    run_id: str
    epoch: int
    attempt: int


class IncrementalRunReader:
    """Reads runs of the store while they are trained: each record once, and those of several runs together.

    Args:
        store: where the runs are kept.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._known: LRUCache[str, tuple[RunCursor, RecordTables]] = LRUCache(_MOST_KEPT)

    def read(self, cursors: Sequence[RunCursor]) -> dict[str, RecordTables]:
        """By run id, the records that far; the same object until there are more."""
        with self._lock:
            before = {one: self._before(one) for one in cursors}
            behind: dict[tuple[int, int], dict[RunCursor, RecordTables]] = {}
            for one, (known, record) in before.items():
                if one != known:
                    behind.setdefault((known.epoch, one.epoch), {})[one] = record
            found = {one.run_id: record for one, (_, record) in before.items()}
            for (after, until), runs in behind.items():
                found |= self._read_more(runs, after, until)
            return found

    def _before(self, now: RunCursor) -> tuple[RunCursor, RecordTables]:
        """What is known already, of the same attempt."""
        known = self._known.get(now.run_id)
        if known and known[0].attempt == now.attempt and known[0].epoch <= now.epoch:
            return known
        return RunCursor(now.run_id, -1, -1), NOTHING

    def _read_more(
        self, runs: Mapping[RunCursor, RecordTables], after: int, until: int
    ) -> dict[str, RecordTables]:
        """Nothing later than `until`: what a worker has recorded since would be read once more next time."""
        ids, found = [one.run_id for one in runs], {}
        more = [_by_run(getattr(self._store, name)(ids, after=after, until=until)) for name in _TABLES]
        for one, known in runs.items():
            parts = [
                _joined(before, table.get(one.run_id))
                for before, table in zip((known.epochs, known.steps, known.blocks), more, strict=True)
            ]
            found[one.run_id] = RecordTables(parts[0], parts[1], _ends(parts[2]))
            self._known[one.run_id] = one, found[one.run_id]
        return found


def _joined(before: pd.DataFrame, more: pd.DataFrame | None) -> pd.DataFrame:
    """Rows of one table after the other, renumbered."""
    if more is None:
        return before
    return pd.concat([before, more], ignore_index=True) if len(before) else more.reset_index(drop=True)


def zoo_records(source: RunSource, runs: Sequence[Run]) -> dict[str, RecordTables]:
    """The records of finished runs, by run id."""
    ids = [run.run_id for run in runs]
    tables = [_by_run(getattr(source, name)(ids)) for name in _TABLES]
    nothing = (NOTHING.epochs, NOTHING.steps, NOTHING.blocks)
    each = {
        run_id: [table.get(run_id, none) for table, none in zip(tables, nothing, strict=True)]
        for run_id in ids
    }
    return {
        run_id: RecordTables(epochs, steps, _ends(blocks)) for run_id, (epochs, steps, blocks) in each.items()
    }


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
