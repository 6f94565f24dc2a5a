"""The state of a cluster: nodes and what runs where, as its dispatcher writes it; without Ray."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from sqlalchemy import delete, insert, select

from explorer.runs import schema
from explorer.runs.status import ACTIVE, Status
from explorer.runs.store import Store

FRESH_S = 15.0
"""A dispatcher writes every second; one that has not for so long is gone."""
NODE_COLUMNS = ("node", "host", "cpus", "gpus", "alive", "runs")


@dataclass(frozen=True)
class ClusterState:
    """One cluster, as it was last seen.

    Attributes:
        address: HOST:PORT.
        updated: when its dispatcher wrote this, in seconds since 1970.
        nodes: one row per node, columns `NODE_COLUMNS`; runs are the ids of those trained there.
        problem: what its dispatcher could not do; empty where there is nothing.
        waiting: queued runs.
        seconds_left: until all queued and running runs are trained, at the present speed; None while no run
            has a speed yet.
    """

    address: str
    updated: float
    nodes: pd.DataFrame
    problem: str
    waiting: int
    seconds_left: float | None = None

    @property
    def is_fresh(self) -> bool:
        """Whether its dispatcher is at work."""
        return time.time() - self.updated < FRESH_S


def write_state(store: Store, address: str, nodes: Sequence[dict[str, Any]], problem: str) -> None:
    """Keep how the cluster stands now.

    Args:
        store: whose runs it trains.
        address: of the cluster.
        nodes: each with node, host, cpus, gpus and alive.
        problem: for a person; empty where there is none.
    """
    table = schema.clusters
    values = {"updated": time.time(), "nodes": list(nodes), "problem": problem or None}
    with store.database.writing(synced=False) as connection:
        connection.execute(delete(table).filter_by(address=address))
        connection.execute(insert(table).values(address=address, **values))


def read_state(store: Store, address: str) -> ClusterState | None:
    """How the cluster stood last; None where it never trained for this store."""
    table, runs = schema.clusters, schema.runs
    active = runs.c.status.in_(ACTIVE), runs.c.deleted.is_(None)
    with store.database.reading() as connection:
        row = connection.execute(select(table).filter_by(address=address)).mappings().one_or_none()
        if row is None:
            return None
        there = connection.execute(select(runs).where(*active)).mappings().all()
        ids = [one["run_id"] for one in there if one["status"] == Status.RUNNING]
        shots = connection.execute(select(schema.live).where(schema.live.c.run_id.in_(ids))).all()
    held = [(one["node"], one["run_id"]) for one in there if one["status"] == Status.RUNNING]
    known = [node | {"runs": [run for where, run in held if where == node["node"]]} for node in row["nodes"]]
    nodes = pd.DataFrame(known, columns=list(NODE_COLUMNS))
    left = seconds_left(there, {shot.run_id: (shot.iteration, shot.images_per_s) for shot in shots})
    return ClusterState(
        address, row["updated"], nodes, row["problem"] or "", len(there) - len(held), left
    )  # fmt: skip


def seconds_left(active: Sequence[Mapping[Any, Any]], shots: Mapping[str, tuple[int, float]]) -> float | None:
    """Time that these runs still take together, a step counted by the layers of its net.

    Args:
        active: rows of `schema.runs` that are queued or running. One whose length is not known, since its
            data was not read yet, counts as long as the mean of the others.
        shots: of running ones the finished steps and the images per second.
    """
    if not active:
        return 0.0
    depth = {row["run_id"]: row["spec"]["depth"] for row in active}
    batch = {row["run_id"]: row["recipe"]["batch_size"] for row in active}
    speed = sum(rate * depth[run_id] for run_id, (_, rate) in shots.items() if run_id in depth)
    lengths = [row["iterations"] for row in active if row["iterations"]]
    if not speed or not lengths:
        return None
    usual = sum(lengths) / len(lengths)
    work = 0.0
    for row in active:
        done, _ = shots.get(row["run_id"], (0, 0.0))
        steps = max((row["iterations"] or usual) - done, 0)
        work += steps * batch[row["run_id"]] * depth[row["run_id"]]
    return float(work / speed)


def last_address(store: Store) -> str | None:
    """The cluster that was at work last for this store."""
    table = schema.clusters
    query = select(table.c.address).order_by(table.c.updated.desc()).limit(1)
    with store.database.reading() as connection:
        return connection.scalar(query)
