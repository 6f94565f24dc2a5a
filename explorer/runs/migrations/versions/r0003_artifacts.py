"""Which files of runs a shared storage holds, and what they hash to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Column

revision = "0003"
down_revision = "0002"

_OF_RUN = sa.ForeignKey("runs.run_id", ondelete="CASCADE")


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "artifacts",
        Column("name", sa.String(260), primary_key=True),
        Column("run_id", sa.String(200), _OF_RUN, nullable=False, index=True),
        Column("sha256", sa.String(64), nullable=False),
        Column("size", sa.BigInteger, nullable=False),
    )
