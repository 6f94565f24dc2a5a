"""What is done now and then: a backup of the database, and the end of what was deleted."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path

from sqlalchemy import select

from explorer.runs import schema
from explorer.runs.database import backup_path
from explorer.runs.status import Status
from explorer.runs.store import Store
from explorer.system.files import replacing

KEEP_DELETED_S = 24 * 3600.0
_BACKUP_EVERY_S = 3600.0


def run_maintenance(store: Store) -> None:
    """Back the database up, and remove what was deleted a day ago."""
    back_up(store)
    remove_deleted(store, time.time() - KEEP_DELETED_S)


def back_up(store: Store) -> Path | None:
    """Copy an SQLite database that was found sound beside itself, at most once an hour.

    Returns:
        The copy, or None where nothing was to be done.
    """
    file = Path(store.place)
    if store.database.url.get_backend_name() != "sqlite":
        return None
    copy = backup_path(file)
    if copy.exists() and time.time() - copy.stat().st_mtime < _BACKUP_EVERY_S:
        return None
    # the connections are closed before the copy takes its place
    with (
        replacing(copy) as part,
        closing(sqlite3.connect(file)) as old,
        closing(sqlite3.connect(part)) as new,
    ):
        old.backup(new, pages=256)
    return copy


def remove_deleted(store: Store, before: float) -> int:
    """Remove runs for good that were deleted before that time (in seconds since 1970); how many."""
    table = schema.runs
    ended = table.c.status != Status.RUNNING
    with store.database.reading() as connection:
        found = list(connection.scalars(select(table.c.run_id).where(table.c.deleted < before, ended)))
    for run_id in found:
        store.delete_run(run_id)
    return len(found)
