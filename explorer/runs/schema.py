"""In which tables are runs kept? Tables, their version, and a check that a database has them.

Every change of these tables raises VERSION. A database of another version is refused, never changed.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Connection,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    false,
    insert,
    inspect,
    select,
)

from explorer.runs.run import RESULTS
from explorer.training.history import EPOCH_COLUMNS

VERSION = 1

metadata = MetaData()
schema_version = Table("explorer_schema", metadata, Column("version", Integer, nullable=False))
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
    ForeignKeyConstraint(["run_id", "epoch"], ["epochs.run_id", "epochs.epoch"], ondelete="CASCADE"),
)


class SchemaError(Exception):
    """The database has other tables than this version of the explorer makes; the text says which."""


def ready(connection: Connection) -> bool:
    """Whether the tables are there and of this version; False in a database without any of them.

    Raises:
        SchemaError: they are of another version, or damaged.
    """
    inspector = inspect(connection)
    present = set(inspector.get_table_names()) & set(metadata.tables)
    if not present:
        return False
    if schema_version.name not in present:
        raise SchemaError(f"it has {', '.join(sorted(present))}, but no table {schema_version.name}")
    found = list(connection.scalars(select(schema_version.c.version)))
    if found != [VERSION]:
        written = ", ".join(map(str, found)) or "none"
        raise SchemaError(f"its schema version is {written}, and this explorer knows version {VERSION} only")
    for table in metadata.sorted_tables:
        there = (
            {column["name"] for column in inspector.get_columns(table.name)}
            if table.name in present
            else set()
        )
        lacking = set(table.columns.keys()) - there
        if lacking:
            raise SchemaError(f"its table {table.name} lacks {', '.join(sorted(lacking))}")
    return True


def create(connection: Connection) -> None:
    """Make the tables, inside the caller's transaction."""
    metadata.create_all(connection)
    connection.execute(insert(schema_version).values(version=VERSION))
