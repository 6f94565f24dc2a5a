"""What a run's task on a cluster is called and where it runs, and how each cluster stands."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Column

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add both columns, the table, and indexes by which a long queue is ordered."""
    op.add_column("runs", Column("task", sa.String(64)))
    op.add_column("runs", Column("node", sa.Text))
    op.create_index("runs_queue", "runs", ["status", "deleted", "owner", "position", "run_id"])
    op.create_index("runs_turns", "runs", ["owner", "turn"])
    op.create_table(
        "clusters",
        Column("address", sa.String(200), primary_key=True),
        Column("updated", sa.Double, nullable=False),
        Column("nodes", sa.JSON, nullable=False),
        Column("problem", sa.Text),
    )
