"""The user's runs and their records in a relational database, one commit per epoch."""

from __future__ import annotations

import base64
import secrets
import shutil
from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import pandas as pd
from sqlalchemy import ColumnElement, Connection, Table, delete, func, insert, select, update

from explorer.nets.spec import NetSpec
from explorer.runs import artifacts, rows, run_paths, schema
from explorer.runs.database import Database, StoreBusyError, StoreError
from explorer.runs.listing import list_runs
from explorer.runs.run import RESULTS, Run, RunState, run_table
from explorer.runs.status import Status
from explorer.runs.tables import Tables
from explorer.system.processes import Process
from explorer.training.history import EpochRecord
from explorer.training.recipe import Recipe

__all__ = [
    "LostRunError", "RunState", "Store", "StoreBusyError", "StoreError", "UnknownRunError", "new_run_id",
]  # fmt: skip


class UnknownRunError(StoreError):
    """The store has no run of that id."""


class LostRunError(StoreError):
    """Another process has the run now, or nobody; what this one made of it is not kept."""


_BEFORE_ALL = -1
# the status changes by compare-and-set alone, and settings never
_CHANGEABLE = {field.name for field in fields(RunState)} - {"status"} | {
    "checkpoint",
    "provenance",
    "seconds",
}


class Store:
    """Runs of one user or one team.

    Args:
        url: of the database; without one EXPLORER_DATABASE_URL, and without that a file in EXPLORER_HOME.

    Raises:
        StoreError: the database cannot be opened, is damaged, or belongs to another version.
    """

    def __init__(self, url: str | None = None) -> None:
        """Open and check the database; an empty one gets its tables, an older one what it lacks."""
        self.database = Database(url)
        self.place = self.database.place

    def close(self) -> None:
        """Let go of the database's connections."""
        self.database.close()

    def checkpoint_path(self, run_id: str) -> Path:
        """The file for a run's weights, in a folder that exists."""
        path = run_paths.checkpoint_path(run_id)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def copy_weights(self, run_id: str, target: Path) -> Path | None:
        """Copy the file of a run's weights; None where it has none.

        Raises:
            UnknownRunError: there is no run of that id.
            StorageError: the shared storage has lost it, or does not answer.
            OSError: the file is not there, or the copy cannot be written.
        """
        kept = self.get_run(run_id).checkpoint
        if kept is None:
            return None
        return Path(shutil.copyfile(artifacts.brought(Path(kept), self.database), target))

    def add_run(self, run: Run, **more: Any) -> None:
        """Keep a new run at the end of the order.

        Args:
            run: its `run_id` must be new and URL-safe.
            more: fields of `RunState`, such as owner.

        Raises:
            StoreError: there is a run of that id.
        """
        self.add_runs([run], **more)

    def add_runs(
        self, runs: Sequence[Run], check: Callable[[Connection], None] | None = None, **more: Any
    ) -> None:
        """Keep several new runs, or none of them where one is refused; as `add_run`.

        Args:
            runs: in their order.
            check: called first in the same transaction; what it raises refuses them all.
            more: fields of `RunState`, of each of them.
        """
        with self.database.writing() as connection:
            if check is not None:
                check(connection)
            for run in runs:
                _insert(connection, run, more)

    def add_whole(self, run: Run, tables: Tables, **more: Any) -> None:
        """Keep a run that has ended and all its records, or nothing of it; errors as `add_run`.

        Args:
            run: its results and its time are kept as it says them.
            tables: its records, as `checks` or `record_tables` give them.
            more: fields of `RunState`.
        """
        epochs, series = rows.table_values(run.run_id, tables)
        with self.database.writing() as connection:
            _insert(connection, run, more)
            for table, values in ((schema.epochs, epochs), (schema.series, series)):
                if values:
                    connection.execute(insert(table), values)

    def get_run(self, run_id: str) -> Run:
        """The run as it stands.

        Raises:
            UnknownRunError: there is none of that id.
        """
        with self.database.reading() as connection:
            return rows.read_run(_row(connection, run_id))

    def get_state(self, run_id: str) -> RunState:
        """Everything else that is kept of the run; raises as `get_run`."""
        with self.database.reading() as connection:
            row = _row(connection, run_id)
        return RunState(**{field.name: row[field.name] for field in fields(RunState)})

    def update_run(self, run_id: str, **changes: Any) -> None:
        """Set fields of `RunState`, but not the status, or checkpoint, provenance or seconds of the run.

        Raises as `get_run`.
        """
        with self.database.writing() as connection:
            done = connection.execute(
                update(schema.runs).filter_by(run_id=run_id).values(**_checked(changes))
            )
            if done.rowcount == 0:
                raise _unknown(run_id)

    def set_status(
        self, run_id: str, expected: Status, new: Status, reason: str | None = None, **changes: Any
    ) -> bool:
        """Compare and set: of several processes that try at once, exactly one gets True.

        Args:
            run_id: of the run.
            expected: the status it must have now.
            new: the status it gets.
            reason: text for a person; None removes an older one.
            changes: fields set in the same moment, as in `update_run`; such as pid and heartbeat.

        Returns:
            Whether the run was there with the expected status, and now has the new one.
        """
        values = _checked(changes) | {"status": new, "reason": reason}
        with self.database.writing() as connection:
            done = connection.execute(
                update(schema.runs).filter_by(run_id=run_id, status=expected).values(**values)
            )
            return done.rowcount == 1

    def delete_run(self, run_id: str) -> None:
        """Delete a run, its records and its files; raises as `get_run`, and as its shared storage does."""
        artifacts.forget(self.database, run_id)
        with self.database.writing() as connection:
            if connection.execute(delete(schema.runs).filter_by(run_id=run_id)).rowcount == 0:
                raise _unknown(run_id)
        for path in run_paths.run_files(run_id):
            path.unlink(missing_ok=True)

    def add_epoch(self, run_id: str, record: EpochRecord, holder: Process | None = None) -> None:
        """Keep one epoch and the run's results so far, in one transaction.

        The record becomes the run's last: records of this epoch and of later ones are replaced, since a
        run that goes on from a checkpoint trains them again.

        Args:
            run_id: of the run.
            record: the epoch.
            holder: process that trains it, if it must still hold the run.

        Raises:
            UnknownRunError: there is none of that id.
            LostRunError: the holder does not hold it any more.
        """
        epochs = schema.epochs
        with self.database.writing() as connection:
            row = _row(connection, run_id)
            if holder is not None and not holder.holds(row):
                raise LostRunError(f"This process does not train {run_id} any more.")
            run = rows.read_run(row)
            connection.execute(
                delete(epochs).where(epochs.c.run_id == run_id, epochs.c.epoch >= record.epoch)
            )
            connection.execute(insert(epochs).values(run_id=run_id, **rows.without_nan(record.row())))
            connection.execute(insert(schema.series), rows.series_values(run, record))
            connection.execute(delete(schema.live).filter_by(run_id=run_id))
            results = rows.without_nan({name: getattr(record, name) for name in RESULTS})
            seconds = select(func.sum(epochs.c.seconds)).filter_by(run_id=run_id).scalar_subquery()
            connection.execute(
                update(schema.runs).filter_by(run_id=run_id).values(seconds=seconds, **results)
            )

    def runs(self) -> pd.DataFrame:
        """One row per run that is not deleted, in the order of arrival; columns `RUN_COLUMNS`."""
        table = schema.runs
        query = select(table).where(table.c.deleted.is_(None)).order_by(table.c.position, table.c.run_id)
        with self.database.reading() as connection:
            found = connection.execute(query).mappings().all()
        return run_table([rows.read_run(dict(row)) for row in found])

    def listing(self) -> pd.DataFrame:
        """One light row per run that is not deleted, in the order of arrival; columns `LISTING_COLUMNS`."""
        with self.database.reading() as connection:
            return list_runs(connection)

    def epochs(
        self, run_ids: Sequence[str], after: int = _BEFORE_ALL, until: int | None = None
    ) -> pd.DataFrame:
        """Curves of these runs; see `TABLE_COLUMNS`; only epochs after `after`, up to `until`."""
        table = schema.epochs
        wanted = table.c.run_id.in_(run_ids), *_between(table, after, until)
        query = select(table).where(*wanted).order_by(table.c.run_id, table.c.epoch)
        with self.database.reading() as connection:
            found = [tuple(row) for row in connection.execute(query)]
        return rows.read_epochs(table.columns.keys(), found)

    def blocks(
        self, run_ids: Sequence[str], after: int = _BEFORE_ALL, until: int | None = None
    ) -> pd.DataFrame:
        """Block records of these runs; see `TABLE_COLUMNS`; only epochs after `after`, up to `until`."""
        return self._series("blocks", run_ids, after, until)

    def layers(self, run_ids: Sequence[str]) -> pd.DataFrame:
        """Layer responses of these runs; see `TABLE_COLUMNS`."""
        return self._series("layers", run_ids)

    def steps(
        self, run_ids: Sequence[str], after: int = _BEFORE_ALL, until: int | None = None
    ) -> pd.DataFrame:
        """Losses per step of these runs; see `TABLE_COLUMNS`; only epochs after `after`, up to `until`."""
        return self._series("steps", run_ids, after, until)

    def _series(
        self, name: str, run_ids: Sequence[str], after: int = _BEFORE_ALL, until: int | None = None
    ) -> pd.DataFrame:
        table = schema.series
        query = (
            select(table.c.run_id, table.c.epoch, table.c.data, table.c["columns"])
            .where(table.c.run_id.in_(run_ids), table.c.name == name, *_between(table, after, until))
            .order_by(table.c.run_id, table.c.epoch)
        )
        with self.database.reading() as connection:
            found = [tuple(row) for row in connection.execute(query)]
        return rows.read_series(name, found)


def _between(table: Table, after: int, until: int | None) -> list[ColumnElement[bool]]:
    return [table.c.epoch > after, *([] if until is None else [table.c.epoch <= until])]


def _insert(connection: Connection, run: Run, more: dict[str, Any]) -> None:
    run_paths.checkpoint_path(run.run_id)
    values = rows.run_values(run) | _checked(more)
    last = select(func.coalesce(func.max(schema.runs.c.position), 0) + 1).scalar_subquery()
    if connection.scalar(select(schema.runs.c.run_id).filter_by(run_id=run.run_id)) is not None:
        raise StoreError(f"There is already a run {run.run_id}.")
    connection.execute(insert(schema.runs).values({"position": last} | values))


def new_run_id(spec: NetSpec, recipe: Recipe) -> str:
    """A unique, URL-safe name such as residual-20-s0-k3v7qa2d."""
    return f"{spec.id}-s{recipe.seed}-{base64.b32encode(secrets.token_bytes(5)).decode().lower()}"


def _row(connection: Connection, run_id: str) -> dict[str, Any]:
    row = connection.execute(select(schema.runs).filter_by(run_id=run_id)).mappings().one_or_none()
    if row is None:
        raise _unknown(run_id)
    return dict(row)


def _unknown(run_id: str) -> UnknownRunError:
    return UnknownRunError(f"There is no run '{run_id[:80]}'. `python -m explorer runs list` shows all.")


def _checked(changes: dict[str, Any]) -> dict[str, Any]:
    unknown = sorted(set(changes) - _CHANGEABLE)
    if unknown:
        raise ValueError(
            f"{', '.join(unknown)} cannot be changed; only {', '.join(sorted(_CHANGEABLE))} can, "
            "and the status by set_status."
        )
    return changes
