"""The tables as they were when Alembic came; databases that numbered them themselves get what they lack."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Column

revision = "0001"
down_revision = None

_RESULTS = ("train_loss", "train_error_pct", "test_loss", "test_error_pct")
_EPOCH = (*_RESULTS, "lr", "seconds", "images_per_s")


def upgrade() -> None:
    """Make all tables, or add to those of number 1 and 2 what came later."""
    present = sa.inspect(op.get_bind()).get_table_names()
    if "explorer_schema" not in present:
        _create()
        return
    number = op.get_bind().exec_driver_sql("SELECT version FROM explorer_schema").scalar_one()
    for later, change in _LATER.items():
        if number < later:
            change()
    op.drop_table("explorer_schema")


def _create() -> None:
    op.create_table(
        "runs",
        Column("run_id", sa.String(200), primary_key=True),
        *(Column(name, sa.JSON, nullable=False) for name in ("spec", "recipe", "provenance")),
        Column("dataset", sa.Text, nullable=False),
        Column("status", sa.String(16), nullable=False, index=True),
        Column("reason", sa.Text),
        Column("epochs", sa.Integer, nullable=False),
        Column("iterations", sa.Integer, nullable=False),
        Column("parameters", sa.BigInteger, nullable=False),
        *(Column(name, sa.Double) for name in _RESULTS),
        Column("seconds", sa.Double, nullable=False),
        Column("checkpoint", sa.Text),
        Column("created", sa.String(40), nullable=False),
        Column("source", sa.String(16), nullable=False),
        Column("position", sa.Integer, nullable=False),
        Column("name", sa.Text),
        Column("note", sa.Text),
        Column("pinned", sa.Boolean, nullable=False, server_default=sa.false()),
        Column("owner", sa.Text),
        Column("pid", sa.BigInteger),
        Column("process_started", sa.Double),
        Column("heartbeat", sa.Double),
        *_of_number_2(),
    )
    op.create_table(
        "epochs",
        Column("run_id", sa.String(200), sa.ForeignKey("runs.run_id", ondelete="CASCADE"), primary_key=True),
        Column("epoch", sa.Integer, primary_key=True, autoincrement=False),
        Column("iteration", sa.Integer, nullable=False),
        *(Column(name, sa.Double) for name in _EPOCH),
    )
    op.create_table(
        "series",
        Column("run_id", sa.String(200), primary_key=True),
        Column("name", sa.String(16), primary_key=True),
        Column("epoch", sa.Integer, primary_key=True, autoincrement=False),
        Column("data", sa.LargeBinary, nullable=False),
        Column("columns", sa.Text),
        sa.ForeignKeyConstraint(
            ["run_id", "epoch"], ["epochs.run_id", "epochs.epoch"], ondelete="CASCADE"
        ),
    )  # fmt: skip
    _create_live()


def _of_number_2() -> list[Column[object]]:
    return [
        Column("data", sa.Text),
        Column("group_id", sa.String(40)),
        Column("command", sa.String(16)),
        Column("attempt", sa.Integer, nullable=False, server_default="1"),
        Column("turn", sa.BigInteger),
        Column("host", sa.Text),
        Column("threads", sa.Integer),
        Column("deleted", sa.Double),
    ]


def _create_live() -> None:
    op.create_table(
        "live",
        Column("run_id", sa.String(200), sa.ForeignKey("runs.run_id", ondelete="CASCADE"), primary_key=True),
        Column("iteration", sa.Integer, nullable=False),
        Column("losses", sa.LargeBinary, nullable=False),
        Column("images_per_s", sa.Double, nullable=False),
        Column("updated", sa.Double, nullable=False),
    )


def _to_2() -> None:
    for column in _of_number_2():
        op.add_column("runs", column)
    _create_live()


def _to_3() -> None:
    op.add_column("series", Column("columns", sa.Text))


_LATER: dict[int, Callable[[], None]] = {2: _to_2, 3: _to_3}
