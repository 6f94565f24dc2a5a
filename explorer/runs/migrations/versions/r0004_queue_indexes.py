"""Indexes by which the next run of a long queue is found without reading the queue."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_WAITS = sa.text("status = 'queued' AND deleted IS NULL")


def upgrade() -> None:
    """Waiting runs by owner and arrival, and turns; the index over all runs that they replace goes."""
    op.create_index(
        "runs_waiting", "runs", ["owner", "position", "run_id"], postgresql_where=_WAITS, sqlite_where=_WAITS
    )
    op.create_index("runs_turn", "runs", ["turn"])
    op.drop_index("runs_queue", "runs")
