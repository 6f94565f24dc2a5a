"""In which tables are runs kept? Tables, their version, and a check that a database has them.

Every change of these tables raises VERSION and says in `_ADDED` what an older database lacks. A
database of a version that is not known is refused, never changed.
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
    update,
)
from sqlalchemy.schema import CreateColumn

from explorer.runs.run import RESULTS
from explorer.training.history import EPOCH_COLUMNS

VERSION = 3

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
    Column("data", Text),
    Column("group_id", String(40)),
    Column("command", String(16)),
    Column("attempt", Integer, nullable=False, server_default="1"),
    Column("turn", BigInteger),
    Column("host", Text),
    Column("threads", Integer),
    Column("deleted", Double),
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
# what each version brought: columns by table, and whole tables
_ADDED: dict[int, tuple[dict[Table, tuple[str, ...]], tuple[Table, ...]]] = {
    2: (
        {runs: ("data", "group_id", "command", "attempt", "turn", "host", "threads", "deleted")},
        (live,),
    ),
    3: ({series: ("columns",)}, ()),
}


class SchemaError(Exception):
    """The database has other tables than this version of the explorer makes; the text says which."""


def found_version(connection: Connection) -> int:
    """Version of the tables that are there, each checked; 0 in a database without any of them.

    Raises:
        SchemaError: they are of a version that is not known, or damaged.
    """
    present = set(inspect(connection).get_table_names()) & set(metadata.tables)
    if not present:
        return 0
    if schema_version.name not in present:
        raise SchemaError(f"it has {', '.join(sorted(present))}, but no table {schema_version.name}")
    found = list(connection.scalars(select(schema_version.c.version)))
    if len(found) != 1 or found[0] not in range(1, VERSION + 1):
        written = ", ".join(map(str, found)) or "none"
        raise SchemaError(f"its schema version is {written}, and this explorer knows version 1 to {VERSION}")
    _check_columns(connection, found[0], present)
    return int(found[0])


def create(connection: Connection) -> None:
    """Make the tables, inside the caller's transaction."""
    metadata.create_all(connection)
    connection.execute(insert(schema_version).values(version=VERSION))


def upgrade(connection: Connection, version: int) -> None:
    """Add to the tables of an older version what they lack, inside the caller's transaction."""
    for columns, tables in (_ADDED[later] for later in range(version + 1, VERSION + 1)):
        for table, name in ((table, name) for table, names in columns.items() for name in names):
            definition = CreateColumn(table.c[name]).compile(dialect=connection.dialect)
            connection.exec_driver_sql(f"ALTER TABLE {table.name} ADD COLUMN {definition}")
        metadata.create_all(connection, tables=tables)
    connection.execute(update(schema_version).values(version=VERSION))


def _check_columns(connection: Connection, version: int, present: set[str]) -> None:
    later = [parts for number, parts in _ADDED.items() if number > version]
    new_columns = {(table, name) for columns, _ in later for table in columns for name in columns[table]}
    new_tables = {table for _, tables in later for table in tables}
    for table in metadata.sorted_tables:
        if table in new_tables:
            continue
        wanted = {name for name in table.columns.keys() if (table, name) not in new_columns}  # noqa: SIM118
        columns = inspect(connection).get_columns(table.name) if table.name in present else []
        lacking = wanted - {column["name"] for column in columns}
        if lacking:
            raise SchemaError(f"its table {table.name} lacks {', '.join(sorted(lacking))}")
