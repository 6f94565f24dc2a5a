"""Revisions of the run database: what each adds to the tables, carried out by Alembic.

A change of `runs/schema.py` comes with a file in `versions/` (copy the last one; `revision` is the next
number, `down_revision` the one before) and its number in `schema.REVISIONS`. A test compares what the
revisions make with the tables of `schema`, on SQLite and on PostgreSQL.
"""

from __future__ import annotations

import threading
from pathlib import Path

from sqlalchemy import Connection

from explorer.runs import schema

FOLDER = Path(__file__).parent
_one_at_a_time = threading.Lock()  # Alembic keeps the migration at hand in a variable of its module


def migrate(connection: Connection, revision: str = "head") -> None:
    """Bring an empty or older database to the revision, inside the caller's transaction.

    Raises:
        SchemaError: its tables are not those that its revision says.
    """
    # imported here: nobody needs Alembic whose database is of the last revision
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    with _one_at_a_time:
        command.upgrade(config, revision)
    if revision == "head":
        schema.check_columns(connection)
