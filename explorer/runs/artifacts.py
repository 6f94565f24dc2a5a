"""The files of runs in a shared storage: kept with a hash in the database, and brought here checked by it.

Without a shared storage files lie in the data folder, and nothing here does anything.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from sqlalchemy import Row, delete, insert, select

from explorer.runs import run_paths, schema
from explorer.runs.database import Database
from explorer.runs.storage import Storage, StorageError, shared_storage
from explorer.system.files import replacing

_CHUNK = 2**20
_TRIES = 5
_ADVICE = "Put it back from a backup, or train the run again."


class ArtifactError(StorageError):
    """A file of a run is lost or damaged in the shared storage; the text says which and what to do."""


def keep(database: Database, run_id: str, file: Path) -> None:
    """Copy a file of a run to the shared storage; what was kept under its name is replaced.

    The new object is written first, then the database names it, then the old one goes: whoever reads finds
    the one or the other, whole.

    Raises:
        StorageError: it cannot be written there.
        StoreError: the database refuses.
    """
    storage = shared_storage()
    if storage is None:
        return
    digest, table = _digest(file), schema.artifacts
    before = _row(database, file.name)
    storage.put(file, _object(file.name, digest))
    with database.writing() as connection:
        connection.execute(delete(table).filter_by(name=file.name))
        values = {"sha256": digest, "size": file.stat().st_size}
        connection.execute(insert(table).values(name=file.name, run_id=run_id, **values))
    if before is not None and before.sha256 != digest:
        storage.remove(_object(file.name, before.sha256))


def bring(database: Database, file: Path) -> bool:
    """See to it that the file in the data folder is the one that was kept last.

    Args:
        database: which says what was kept.
        file: its place here.

    Returns:
        Whether there is such a file.

    Raises:
        ArtifactError: it is lost or damaged.
        StorageError: the storage does not answer.
    """
    storage = shared_storage()
    if storage is None:
        return file.exists()
    row = _row(database, file.name)
    for _ in range(_TRIES):
        if row is None:
            return False
        if file.exists() and _digest(file) == row.sha256:
            return True
        if _fetch(storage, row, file):
            return True
        row, before = _row(database, file.name), row
        if row == before:
            break  # it was not replaced meanwhile
    raise ArtifactError(
        f"{file.name} is lost: the storage {storage.url} does not have it any more. {_ADVICE}"
    )


def brought(path: Path, database: Database | None = None) -> Path:
    """The file of a run's weights here, fetched first where a shared storage keeps it; others as they are.

    Args:
        path: as the run says it, perhaps a path of the machine that trained it.
        database: that of the runs; opened where it is not given.

    Raises:
        StoreError: it is lost, damaged, or cannot be reached.
    """
    if shared_storage() is None:
        return path
    here = run_paths.home() / "checkpoints" / path.name
    opened = database or Database()
    try:
        return here if bring(opened, here) else path
    finally:
        if database is None:
            opened.close()


def forget(database: Database, run_id: str, name: str | None = None) -> None:
    """Remove the objects of a run, or the one of that name; raises as `keep`."""
    storage = shared_storage()
    if storage is None:
        return
    table = schema.artifacts
    wanted = {"run_id": run_id} | ({} if name is None else {"name": name})
    with database.writing() as connection:
        rows = connection.execute(select(table).filter_by(**wanted)).all()
        connection.execute(delete(table).filter_by(**wanted))
    for row in rows:
        storage.remove(_object(row.name, row.sha256))


def _fetch(storage: Storage, row: Row[tuple[str, str, str, int]], file: Path) -> bool:
    """Put the object in the file's place, checked; False where the storage does not have it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        with replacing(file) as part:
            if not storage.get(_object(row.name, row.sha256), part):
                raise FileNotFoundError(row.name)
            if _digest(part) != row.sha256:
                raise ArtifactError(
                    f"{file.name} is damaged in the storage {storage.url}: its {part.stat().st_size:,} bytes "
                    f"are not the {row.size:,} that were kept. {_ADVICE}"
                )
    except FileNotFoundError:
        return False
    return True


def _object(name: str, digest: str) -> str:
    return f"checkpoints/{name}.{digest[:16]}"


def _row(database: Database, name: str) -> Row[tuple[str, str, str, int]] | None:
    with database.reading() as connection:
        return connection.execute(select(schema.artifacts).filter_by(name=name)).one_or_none()


def _digest(file: Path) -> str:
    found = hashlib.sha256()
    with file.open("rb") as opened:
        while chunk := opened.read(_CHUNK):
            found.update(chunk)
    return found.hexdigest()
