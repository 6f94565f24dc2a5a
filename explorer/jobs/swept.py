"""The runs of a sweep as one table: what was varied, how far each run is, its errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from sqlalchemy import func, select

from explorer.jobs.grid import GROUP, SETTINGS
from explorer.jobs.progress import states
from explorer.runs import rows, schema
from explorer.runs.run import Run
from explorer.runs.status import ACTIVE, Status
from explorer.runs.store import Store

COLUMNS = (
    "run_id", "net", "family", "depth", "seed", "status", "command", "share",
    "train_error_pct", "test_error_pct",
)  # fmt: skip
"""And one more column for each setting that differs between the runs, by its key in `SETTINGS`."""
MOST_LISTED = 20


def sweeps(store: Store) -> dict[str, str]:
    """The latest sweeps, the newest first: when each was ordered and how many runs it has, by group id."""
    table = schema.runs
    begun, count = func.min(table.c.created), func.count()
    query = (
        select(table.c.group_id, begun, count)
        .where(table.c.group_id.startswith(GROUP), table.c.deleted.is_(None))
        .group_by(table.c.group_id)
        .order_by(begun.desc(), table.c.group_id)
        .limit(MOST_LISTED)
    )
    with store.database.reading() as connection:
        found = connection.execute(query).all()
    return {group: f"{when[:16].replace('T', ' ')} UTC, {runs} runs" for group, when, runs in found}


def swept_runs(store: Store, group: str) -> list[Run]:
    """The runs of a sweep, in the order in which they were ordered."""
    table = schema.runs
    query = select(table).where(table.c.group_id == group, table.c.deleted.is_(None))
    with store.database.reading() as connection:
        found = connection.execute(query.order_by(table.c.position, table.c.run_id)).mappings().all()
    return [rows.read_run(dict(row)) for row in found]


def sweep_table(store: Store, runs: list[Run]) -> pd.DataFrame:
    """One row per run, columns `COLUMNS` and what was varied; errors as of the last epoch."""
    found = states(store, [run.run_id for run in runs]).to_dict("records")
    stands = {row["run_id"]: row for row in found}
    return pd.DataFrame([_row(run, stands[run.run_id]) for run in runs if run.run_id in stands],
                        columns=[*COLUMNS, *varied(runs)])  # fmt: skip


def varied(runs: list[Run]) -> list[str]:
    """The settings that differ between the runs, besides family, depth and seed."""
    return [name for name in SETTINGS if len({_value(run, name) for run in runs}) > 1]


def seconds_left(table: pd.DataFrame, seconds: list[float | None], lanes: int) -> float | None:
    """Until the last run ends, from what each takes in all; None where that is unknown.

    Args:
        table: as `sweep_table` gives it.
        seconds: of each whole run, in the order of the table.
        lanes: runs that are trained at once.
    """
    left = [
        None if whole is None else whole * (1 - share)
        for whole, share, status in zip(seconds, table["share"], table["status"], strict=True)
        if status in ACTIVE
    ]
    if any(one is None for one in left):
        return None
    known = [float(one) for one in left if one is not None]
    longest: float = max(known, default=0.0)
    return max(sum(known) / max(lanes, 1), longest)


def _row(run: Run, stands: Mapping[Any, Any]) -> dict[str, Any]:
    total = max(int(stands["iterations"]), 1)
    share = 1.0 if stands["status"] == Status.DONE else max(int(stands["iteration"]), 0) / total
    return {
        "run_id": run.run_id, "net": run.spec.title, "family": run.spec.family, "depth": run.spec.depth,
        "seed": run.recipe.seed, "status": stands["status"], "command": stands["command"], "share": share,
        **{name: run.results.get(name) for name in ("train_error_pct", "test_error_pct")},
        **{name: _value(run, name) for name in SETTINGS},
    }  # fmt: skip


def _value(run: Run, name: str) -> Any:
    if name == "epochs":  # a worker counts them as it begins
        return run.recipe.epochs
    return getattr(run.spec if SETTINGS[name].of_net else run.recipe, name)
