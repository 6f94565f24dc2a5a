"""What can be seen of runs while they are trained? Records and the newest snapshot as one set of tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sqlalchemy import select

from explorer.runs import schema
from explorer.runs.groups import group_runs, members
from explorer.runs.library import RunSource
from explorer.runs.progress import Snapshot
from explorer.runs.run import Run
from explorer.runs.store import Store

ACTIVE = ("queued", "running")
ENDED = ("done", "stopped", "failed")
ZOO_GROUP = ", zoo"


@dataclass(frozen=True)
class Records:
    """What has been recorded of some runs, epoch by epoch.

    Attributes:
        members: one row per run: run_id, seed, group, family, depth, zoo.
        epochs: curves, columns `TABLE_COLUMNS["epochs"]`.
        steps: run_id, iteration, loss, lr of every step of the recorded epochs.
        blocks: block records of the first and the last epoch of each run.
    """

    members: pd.DataFrame
    epochs: pd.DataFrame
    steps: pd.DataFrame
    blocks: pd.DataFrame


def records(source: RunSource, runs: Sequence[Run]) -> Records:
    """Read what is kept of these runs; those of the zoo become groups of their own."""
    ids = [run.run_id for run in runs]
    zoo, own = ([run for run in runs if (run.source == "zoo") == is_zoo] for is_zoo in (True, False))
    context = members(group_runs(zoo)).assign(zoo=True)
    context["group"] = context["group"] + ZOO_GROUP
    table = pd.concat([context, members(group_runs(own)).assign(zoo=False)], ignore_index=True)
    return Records(table, source.epochs(ids), source.steps(ids), _ends(source.blocks(ids)))


def with_snapshots(
    kept: pd.DataFrame, snapshots: Mapping[str, Snapshot], runs: Mapping[str, Run]
) -> pd.DataFrame:
    """The steps of the recorded epochs, and those of the epoch that each run is in.

    Args:
        kept: columns run_id, iteration, loss, lr.
        snapshots: by run id; steps that are recorded already are dropped.
        runs: by run id; whose recipe says the learning rate of each step.
    """
    parts = [kept]
    reached = kept.groupby("run_id")["iteration"].max()
    for run_id, shot in snapshots.items():
        iterations = np.arange(shot.iteration - len(shot.losses) + 1, shot.iteration + 1)
        fresh = iterations > int(reached.get(run_id, 0))
        if fresh.any() and run_id in runs:
            recipe, total = runs[run_id].recipe, runs[run_id].iterations
            rates = [recipe.lr_at(int(number) - 1, total) for number in iterations[fresh]]
            losses = shot.losses[fresh]
            parts.append(
                pd.DataFrame({"run_id": run_id, "iteration": iterations[fresh], "loss": losses, "lr": rates})
            )
    return pd.concat(parts, ignore_index=True) if len(parts) > 1 else kept


def seconds_left(done: int, total: int, images_per_s: float, batch_size: int) -> float | None:
    """Time of the remaining steps at the present speed, or None where there is none yet."""
    if images_per_s <= 0 or total <= 0:
        return None
    return max(total - done, 0) * batch_size / images_per_s


def resolve(store: Store, asked: Sequence[str]) -> list[str]:
    """Run ids that the words of a link stand for, in the order of arrival.

    Args:
        store: to look in.
        asked: each a run's id, or the id of a group; what stands for nothing is passed over.
    """
    table = schema.runs
    named = table.c.run_id.in_(asked) | table.c.group_id.in_(asked)
    query = select(table.c.run_id).where(named, table.c.deleted.is_(None)).order_by(table.c.position)
    with store.database.reading() as connection:
        return [str(run_id) for run_id in connection.scalars(query)]


def being_trained(store: Store) -> list[str]:
    """All runs that are waiting or trained, in the order of arrival."""
    table = schema.runs
    query = select(table.c.run_id).where(table.c.status.in_(ACTIVE), table.c.deleted.is_(None))
    with store.database.reading() as connection:
        return [str(run_id) for run_id in connection.scalars(query.order_by(table.c.position))]


def _ends(blocks: pd.DataFrame) -> pd.DataFrame:
    by_run = blocks.groupby("run_id")["epoch"]
    return blocks[(blocks["epoch"] == by_run.transform("max")) | (blocks["epoch"] <= 1)]
