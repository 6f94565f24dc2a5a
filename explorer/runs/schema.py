"""The tables in which runs are kept, their revision, and a check that a database has them.

Every change of these tables is a revision of Alembic in `migrations/versions`, and its number is added to
REVISIONS. A database of a revision that is not known is refused, never changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Connection,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    column,
    false,
    inspect,
    select,
    text,
)
from sqlalchemy import table as sql_table

from explorer.runs.run import RESULTS
from explorer.training.history import EPOCH_COLUMNS

REVISIONS = ("0001", "0002", "0003", "0004")
"""Of the tables, the last of them as below."""
REVISION_TABLE = "explorer_revision"
NUMBERED = "explorer_schema"
"""The table in which explorers before Alembic kept the number of their tables, one of NUMBERS."""
NUMBERS = (1, 2, 3)

metadata = MetaData()
_WAITS = text("status = 'queued' AND deleted IS NULL")
runs = Table(
    "runs",
    metadata,
    Column("run_id", String(200), primary_key=True),
    Column("spec", JSON, nullable=False),
    Column("recipe", JSON, nullable=False),
    Column("provenance", JSON, nullable=False),
    Column("dataset", Text, nullable=False),
    Column("status", String(16), nullable=False, index=True),
    Column("reason", Text),
    Column("epochs", Integer, nullable=False),
    Column("iterations", Integer, nullable=False),
    Column("parameters", BigInteger, nullable=False),
    *(Column(name, Double) for name in RESULTS),
    Column("seconds", Double, nullable=False),
    Column("checkpoint", Text),
    Column("created", String(40), nullable=False),
    Column("source", String(16), nullable=False),
    Column("position", Integer, nullable=False),
    Column("name", Text),
    Column("note", Text),
    Column("pinned", Boolean, nullable=False, server_default=false()),
    Column("owner", Text),
    Column("pid", BigInteger),
    Column("process_started", Double),
    Column("heartbeat", Double),
    Column("data", Text),
    Column("group_id", String(40)),
    Column("command", String(16)),
    Column("attempt", Integer, nullable=False, server_default="1"),
    Column("turn", BigInteger),
    Column("host", Text),
    Column("threads", Integer),
    Column("deleted", Double),
    Column("task", String(64)),
    Column("node", Text),
    Index("runs_waiting", "owner", "position", "run_id", postgresql_where=_WAITS, sqlite_where=_WAITS),
    Index("runs_turn", "turn"),
    Index("runs_turns", "owner", "turn"),
)
epochs = Table(
    "epochs",
    metadata,
    Column("run_id", ForeignKey("runs.run_id", ondelete="CASCADE"), primary_key=True),
    Column("epoch", Integer, primary_key=True, autoincrement=False),
    Column("iteration", Integer, nullable=False),
    *(Column(name, Double) for name in EPOCH_COLUMNS if name not in ("epoch", "iteration")),
)
series = Table(
    "series",
    metadata,
    Column("run_id", String(200), primary_key=True),
    Column("name", String(16), primary_key=True),
    Column("epoch", Integer, primary_key=True, autoincrement=False),
    Column("data", LargeBinary, nullable=False),
    Column("columns", Text),
    ForeignKeyConstraint(["run_id", "epoch"], ["epochs.run_id", "epochs.epoch"], ondelete="CASCADE"),
)
live = Table(
    "live",
    metadata,
    Column("run_id", ForeignKey("runs.run_id", ondelete="CASCADE"), primary_key=True),
    Column("iteration", Integer, nullable=False),
    Column("losses", LargeBinary, nullable=False),
    Column("images_per_s", Double, nullable=False),
    Column("updated", Double, nullable=False),
)
clusters = Table(
    "clusters",
    metadata,
    Column("address", String(200), primary_key=True),
    Column("updated", Double, nullable=False),
    Column("nodes", JSON, nullable=False),
    Column("problem", Text),
)
artifacts = Table(
    "artifacts",
    metadata,
    Column("name", String(260), primary_key=True),
    Column("run_id", ForeignKey("runs.run_id", ondelete="CASCADE"), nullable=False, index=True),
    Column("sha256", String(64), nullable=False),
    Column("size", BigInteger, nullable=False),
)


class SchemaError(Exception):
    """The database has other tables than this version of the explorer makes; the text says which."""


def found_revision(connection: Connection) -> str | None:
    """Revision of the tables that are there; None in a database without any of them.

    Raises:
        SchemaError: they are of a revision that is not known, or damaged.
    """
    present = set(inspect(connection).get_table_names())
    if not present & {*metadata.tables, NUMBERED, REVISION_TABLE}:
        return None
    if REVISION_TABLE not in present:
        return _numbered(connection, present)
    rows = connection.scalars(
        select(column("version_num", String)).select_from(sql_table(REVISION_TABLE))
    ).all()
    revision = str(_only(rows, REVISIONS, f"{REVISIONS[0]} to {REVISIONS[-1]}"))
    if revision == REVISIONS[-1]:
        check_columns(connection)
    return revision


def check_columns(connection: Connection) -> None:
    """Raise a SchemaError where a table of the last revision, or a column of one, is not there."""
    found = inspect(connection)
    present = set(found.get_table_names())
    for table in metadata.sorted_tables:
        columns = found.get_columns(table.name) if table.name in present else []
        lacking = set(table.columns.keys()) - {column["name"] for column in columns}
        if lacking:
            raise SchemaError(f"its table {table.name} lacks {', '.join(sorted(lacking))}")


def _numbered(connection: Connection, present: set[str]) -> str:
    """What an explorer wrote that did not know Alembic yet, and numbered its tables itself."""
    if NUMBERED not in present:
        ours = ", ".join(sorted(present & set(metadata.tables)))
        raise SchemaError(f"it has {ours}, but no table {REVISION_TABLE}")
    found = connection.scalars(select(column("version", Integer)).select_from(sql_table(NUMBERED))).all()
    return f"{NUMBERED} {_only(found, NUMBERS, f'{NUMBERS[0]} to {NUMBERS[-1]}')}"


def _only(found: Sequence[Any], known: Sequence[Any], names: str) -> Any:
    if len(found) != 1 or found[0] not in known:
        written = ", ".join(map(str, found)) or "none"
        raise SchemaError(f"its schema version is {written}, and this explorer knows version {names}")
    return found[0]
