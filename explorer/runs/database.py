"""Opening the database of runs: SQLite in WAL mode or PostgreSQL, checked before it is touched."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from explorer.runs import postgres, schema
from explorer.runs.migrations import migrate
from explorer.runs.run_paths import DATABASE, HOME_VARIABLE, URL_VARIABLE, home

BUSY_TIMEOUT_S = 5
_CREATION_LOCK = 1512_03385  # any number that other programs do not lock
_COUNTING_LOCK = _CREATION_LOCK + 1
_ADVICE = (
    ("is locked", "Another process is writing to it. Try again."),
    ("lock timeout", "Another process is writing to it. Try again."),
    ("deadlock", "Another process is writing to it. Try again."),
    ("connection", "Check that the server runs, and that the URL has its address, user and password."),
    ("disk is full", "Make room on the disk and try again; nothing that was stored is lost."),
    ("readonly", f"It cannot be written: check its permissions, or set {HOME_VARIABLE} to another folder."),
    ("unable to open", f"Check that you may write there, or set {HOME_VARIABLE} to another folder."),
    ("disk i/o", "Check the disk and the permissions of the folder."),
)
_DAMAGED = (
    "The file is damaged and was left as it is. Move it aside, together with the files beside it that end in "
    "-wal and -shm, {then}; or set {variable} to another folder."
)


class StoreError(ValueError):
    """The database of runs cannot be used; the text says where it is and what to do."""


class StoreBusyError(StoreError):
    """Another process held the database for longer than the busy timeout; the same call may work later."""


class StoreAwayError(StoreBusyError):
    """The database's server does not answer; the same call may work later."""


class StoreDamagedError(StoreError):
    """The database's file is damaged; nothing of it was changed."""


class StoreGoneError(StoreError):
    """The database's file was deleted, moved or replaced while it was open."""


class Database:
    """An open, checked database.

    Args:
        url: of SQLAlchemy, SQLite or PostgreSQL; without one EXPLORER_DATABASE_URL, and without that
            a file in `home()`.

    Raises:
        StoreError: it cannot be opened or created, is damaged, or belongs to another version.
    """

    def __init__(self, url: str | None = None) -> None:
        """Check what is there, and make the tables in an empty database."""
        self.url = _parse(url or os.environ.get(URL_VARIABLE))
        self.place = self.url.database or "" if _is_sqlite(self.url) else self.url.render_as_string()
        if _is_sqlite(self.url):
            self._check_file(Path(self.place))
        self._engine = _engine(self.url)
        self._writer = self._engine.execution_options(writing=True)
        self._beating = self._engine.execution_options(writing=True, synced=False)
        self._file: tuple[int, int] | None = None
        try:
            self._prepare()
            self._file = self._identity()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let go of all connections; the next transaction opens new ones."""
        self._engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees one state of the database throughout."""
        self._check_there()
        with self._explained(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def writing(self, *, synced: bool = True) -> Iterator[Connection]:
        """A transaction that is kept whole at its end, or not at all if an error leaves it.

        Args:
            synced: whether it must survive a power cut; a heartbeat need not, and is cheaper so.
        """
        self._check_there()
        with self._explained(), (self._writer if synced else self._beating).begin() as connection:
            yield connection

    def _check_there(self) -> None:
        """SQLite goes on with a file that was removed, and what it writes there would be lost in silence."""
        if self._file is not None and self._identity() != self._file:
            raise StoreGoneError(
                f"The run database {self.place} is gone: it or its folder was deleted, moved or replaced. "
                "Put it back, or start the explorer again to begin an empty one."
            )

    def _identity(self) -> tuple[int, int] | None:
        if not _is_sqlite(self.url):
            return None
        try:
            found = os.stat(self.place)
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def _prepare(self) -> None:
        try:
            with self.reading() as connection:
                if schema.found_revision(connection) == schema.REVISIONS[-1]:
                    return
            with self.writing() as connection:
                if connection.dialect.name == "postgresql":
                    connection.execute(text(f"SELECT pg_advisory_xact_lock({_CREATION_LOCK})"))
                if schema.found_revision(connection) != schema.REVISIONS[-1]:  # another process may be faster
                    migrate(connection)
        except schema.SchemaError as error:
            raise StoreError(
                f"The run database {self.place} cannot be used: {error}. Nothing in it was changed. Use the "
                f"version of the explorer that made it, or set {HOME_VARIABLE} to another folder (or "
                f"{URL_VARIABLE} to another database) to start an empty one."
            ) from error

    def _check_file(self, path: Path) -> None:
        """Make the folder, or look for damage through a connection that cannot write."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.exists() or path.stat().st_size == 0:
                return
        except OSError as error:
            raise StoreError(
                f"The folder {path.parent} for the run database cannot be made or read ({error.strerror}). "
                f"Set {HOME_VARIABLE} to a folder that you may write to."
            ) from error
        try:
            check = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_TIMEOUT_S)
            with closing(check):
                found = [str(row[0]) for row in check.execute("PRAGMA quick_check(3)")]
        except sqlite3.Error as error:
            raise self._error(error) from error
        if found != ["ok"]:
            raise StoreDamagedError(
                f"The run database {path} fails SQLite's quick check: {found[0]}. {_damaged(path)}"
            )

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            raise self._error(error.orig or error) from error
        except PoolTimeoutError as error:
            raise StoreBusyError(
                f"The run database {self.place} has no free connection. Try again."
            ) from error

    def _error(self, error: BaseException) -> StoreError:
        said = " ".join(str(error).split())
        if not _is_sqlite(self.url) and postgres.is_away(error):
            return StoreAwayError(
                f"The database does not answer: {self.place} ({said.rstrip('.?')}). What is asked for next "
                "tries it again. Check that the server runs, and that the URL has its address."
            )
        if "malformed" in said or "not a database" in said:
            return StoreDamagedError(
                f"The run database {self.place} cannot be read: {said}. {_damaged(Path(self.place))}"
            )
        advice = next((advice for sign, advice in _ADVICE if sign in said.lower()), "")
        busy = advice.startswith("Another process") or postgres.is_busy(error)
        kind = StoreBusyError if busy else StoreError
        return kind(f"The run database {self.place} refused: {said.rstrip('.?')}. {advice}".rstrip())


def alone(connection: Connection) -> None:
    """Let this transaction go on when no other one is between this call and its end.

    What it counts from then on stays so until it has written; SQLite's writers are alone in any case.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_COUNTING_LOCK})"))


def backup_path(file: Path) -> Path:
    """Where the copy of an SQLite database is kept that was made when it was last found sound."""
    return file.with_name(f"{file.stem}-backup{file.suffix}")


def _damaged(file: Path) -> str:
    copy = backup_path(file)
    then = "to start an empty one (there is no backup of it)"
    if copy.exists():
        made = datetime.fromtimestamp(copy.stat().st_mtime).astimezone()
        then = f"and put its backup {copy}, made on {made:%Y-%m-%d %H:%M}, in its place"
    return _DAMAGED.format(then=then, variable=HOME_VARIABLE)


def _parse(text: str | None) -> URL:
    if not text:
        return URL.create("sqlite", database=str(home() / DATABASE))
    try:
        url = make_url(text)
    except ArgumentError:
        # the text may hold a password, so it is not shown
        raise StoreError(f"{URL_VARIABLE} is not the URL of a database. {_EXAMPLES}") from None
    backend = url.get_backend_name()
    if backend in ("postgresql", "postgres"):
        return url.set(drivername="postgresql+psycopg")
    if backend != "sqlite" or not url.database or url.database == ":memory:":
        raise StoreError(f"A database of the kind {url.drivername} is not supported. {_EXAMPLES}")
    return url.set(drivername="sqlite", database=str(Path(url.database).expanduser().absolute()))


_EXAMPLES = "Write sqlite:////folder/runs.sqlite3 or postgresql://user:password@host/database."


def _is_sqlite(url: URL) -> bool:
    return url.get_backend_name() == "sqlite"


def _engine(url: URL) -> Engine:
    if not _is_sqlite(url):
        try:
            return create_engine(url, pool_pre_ping=True, connect_args=postgres.CONNECT_ARGS)
        except ModuleNotFoundError as error:
            raise StoreError(
                "PostgreSQL needs the package psycopg: pip install 'resnet-explorer[postgres]'."
            ) from error
    engine = create_engine(url, connect_args={"timeout": BUSY_TIMEOUT_S})
    event.listen(engine, "connect", _set_pragmas)
    event.listen(engine, "begin", _begin)
    return engine


def _set_pragmas(connection: Any, _record: Any) -> None:
    """Set up one SQLite connection.

    FULL, not NORMAL: a run commits once per epoch, so that a sync each time costs milliseconds, and an
    epoch that was reported survives a power cut as the checkpoint beside it does.
    """
    connection.isolation_level = None  # transactions are begun below, not guessed by the driver
    connection.execute(f"PRAGMA busy_timeout = {1000 * BUSY_TIMEOUT_S}")
    _keep_a_log(connection)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _keep_a_log(connection: sqlite3.Connection) -> None:
    """Change to WAL; while another connection makes that change, SQLite refuses it without any timeout."""
    until = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
        time.sleep(0.01)


def _begin(connection: Connection) -> None:
    """Writers queue at the start: a reader that turned writer would be refused without waiting."""
    options = connection.get_execution_options()
    if options.get("writing"):
        level = "FULL" if options.get("synced", True) else "NORMAL"
        connection.exec_driver_sql(f"PRAGMA synchronous = {level}")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("writing") else "BEGIN")
