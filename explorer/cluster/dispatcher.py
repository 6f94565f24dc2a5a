"""The order of queued runs on a Ray cluster: an actor that lives there hands them out, fairly.

Placement, packing and retries are Ray's. What is ours is the order: no more tasks wait in Ray than a few,
so that owners go on taking turns. The actor outlives whoever started it, and Ray starts it again elsewhere.
"""

from __future__ import annotations

import logging
import os
import secrets
import threading
import time
from collections.abc import Mapping
from typing import Any

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy
from sqlalchemy import or_, select, update

from explorer.cluster import settings as cluster
from explorer.cluster.state import write_state
from explorer.cluster.training import train_run
from explorer.jobs import progress
from explorer.jobs.run_queue import KILLED, waiting_order
from explorer.runs import schema
from explorer.runs.database import StoreGoneError
from explorer.runs.status import Status
from explorer.runs.store import Store, StoreError

log = logging.getLogger(__name__)

RETRIES = 10
"""So often a run is begun again whose process dies; one that kills its node each time ends then."""
AHEAD = 2
"""Tasks that wait in Ray beyond the cluster's cores: they begin at once, and tell an autoscaler."""
GPU_SHARE = 0.25
_PERIOD_S = 0.5
_STATE_S = 1.0
_START_S = 60.0
_HEAD = "node:__internal_head__"


class Dispatcher:
    """Hands queued runs of one store to the cluster that it lives in, until the store is gone.

    Args:
        settings: environment by which the store is found.
        address: of the cluster, as people call it.
    """

    def __init__(self, settings: Mapping[str, str], address: str) -> None:
        """Begin at once, in a thread: an actor that Ray starts again has nobody who calls it."""
        os.environ.update(settings)
        self._settings, self._address = dict(settings), address
        self._tasks: dict[Any, tuple[str, str]] = {}
        self._problem, self._written = "", 0.0
        self._store: Store | None = None
        self._thread = threading.Thread(target=self._dispatch_on, name="dispatcher", daemon=True)
        self._thread.start()

    def is_alive(self) -> bool:
        """Whether it hands out runs."""
        return self._thread.is_alive()

    def _dispatch_on(self) -> None:
        while True:
            try:
                self._store = self._store or Store()
                self._look(self._store)
            except StoreGoneError as error:
                log.error("%s", error)
                return
            except StoreError as error:  # its server is away, or it is held by others
                log.warning("%s", error)
                time.sleep(_PERIOD_S)

    def _look(self, store: Store) -> None:
        """One round: what ended, what was lost, what comes next."""
        if self._tasks:
            done, _ = ray.wait(list(self._tasks), timeout=_PERIOD_S)
        else:
            done = []
            time.sleep(_PERIOD_S)
        for reference in done:
            self._note_end(store, reference)
        progress.mark_interrupted(store)
        self._queue_lost(store)
        nodes = alive_nodes()
        self._submit(store, nodes)
        if time.monotonic() - self._written >= _STATE_S:
            write_state(store, self._address, nodes, self._problem)
            self._written = time.monotonic()

    def _note_end(self, store: Store, reference: Any) -> None:
        """A task that ended by itself has written how; of one that could not, it is written here."""
        run_id, task = self._tasks[reference]
        try:
            ray.get(reference)
        except ray.exceptions.RayError as error:
            self._problem = f"{run_id}: {_said(error)}"
            log.warning("%s", self._problem)
            _end(store, run_id, task, f"The cluster could not train it: {_said(error)}")
        del self._tasks[reference]

    def _queue_lost(self, store: Store) -> None:
        """Runs whose task is gone with an earlier dispatcher go on; those of this one are Ray's to repeat."""
        table = schema.runs
        lost = update(table).where(
            table.c.status == Status.INTERRUPTED,
            table.c.reason == KILLED,
            table.c.task.is_not(None),
            table.c.task.not_in([task for _, task in self._tasks.values()]),
            table.c.deleted.is_(None),
        )
        with store.database.reading() as connection:
            if connection.scalar(select(table.c.run_id).where(lost.whereclause).limit(1)) is None:  # type: ignore[arg-type]
                return
        with store.database.writing() as connection:
            connection.execute(lost.values(status=Status.QUEUED, reason=None))

    def _submit(self, store: Store, nodes: list[dict[str, Any]]) -> None:
        given = {run_id for run_id, _ in self._tasks.values()}
        free = max(int(sum(node["cpus"] for node in nodes)), 1) + AHEAD - len(given)
        if free <= 0:
            return
        with store.database.reading() as connection:
            order = [run_id for run_id in waiting_order(connection) if run_id not in given]
        for run_id in order[:free]:
            self._give(run_id, _gpus(store.get_run(run_id).recipe.device, nodes))

    def _give(self, run_id: str, gpus: float) -> None:
        task = secrets.token_hex(16)
        options = {"num_cpus": 1, "num_gpus": gpus, "max_retries": RETRIES, "name": f"train {run_id}"}
        remote = ray.remote(on_this_node).options(**options)
        self._tasks[remote.remote(self._settings, run_id, task)] = (run_id, task)


def on_this_node(settings: Mapping[str, str], run_id: str, task: str) -> str:
    """`train_run` on the node on which Ray runs this."""
    return train_run(settings, run_id, task, ray.get_runtime_context().get_node_id())


def alive_nodes() -> list[dict[str, Any]]:
    """The nodes of the cluster that live: node, host, cpus, gpus, alive."""
    return [
        {
            "node": node["NodeID"],
            "host": node["NodeManagerHostname"],
            "cpus": node["Resources"].get("CPU", 0.0),
            "gpus": node["Resources"].get("GPU", 0.0),
            "alive": True,
        }
        for node in _nodes()
        if node["Alive"]
    ]


def _nodes() -> list[dict[str, Any]]:
    return list(ray.nodes())  # type: ignore[no-untyped-call]


def start_dispatcher(address: str) -> None:
    """Start the dispatcher of this machine's store in the cluster, if it is not there; it stays.

    Raises:
        ClusterError: the cluster does not answer, or could not reach the runs.
        StoreError: the store cannot be opened.
    """
    store = Store()
    cluster.check_answers(cluster.checked_address(address))
    try:
        ray.init(
            address=address, namespace=cluster.NAMESPACE, logging_level=logging.ERROR, log_to_driver=False,
            configure_logging=False,
        )  # fmt: skip
        hosts = [node["host"] for node in alive_nodes()]
        cluster.check_shared(store, hosts, os.environ.get("EXPLORER_STORAGE"))
        actor = _actor(store, address)
        if not ray.get(actor.is_alive.remote(), timeout=_START_S):  # of a store that was gone
            ray.kill(actor)
            ray.get(_actor(store, address).is_alive.remote(), timeout=_START_S)
    except cluster.ClusterError:
        raise
    except (ray.exceptions.RayError, ConnectionError, RuntimeError, ValueError, OSError) as error:
        raise cluster.ClusterError(
            f"The cluster at {address} cannot be used: {_said(error)}. This machine must be one of its "
            f"nodes: `ray start --address={address} --num-cpus=0` makes it one."
        ) from error
    finally:
        ray.shutdown()
        store.close()


def _actor(store: Store, address: str) -> Any:
    """The dispatcher as an actor: it needs no core, outlives its starter, and is best kept on the head."""
    head = next((node["NodeID"] for node in _nodes() if _HEAD in node["Resources"]), None)
    place = {"scheduling_strategy": NodeAffinitySchedulingStrategy(head, soft=True)} if head else {}
    options = {"num_cpus": 0, "lifetime": "detached", "max_restarts": -1, "get_if_exists": True, **place}
    name = cluster.actor_name(store)
    return ray.remote(Dispatcher).options(name=name, **options).remote(cluster.settings(), address)


def _gpus(device: str, nodes: list[dict[str, Any]]) -> float:
    """The share of a GPU that a run gets: one that may take any device gets one where there is one."""
    there = any(node["gpus"] for node in nodes)
    return GPU_SHARE if device == "cuda" or (device == "auto" and there) else 0.0


def _end(store: Store, run_id: str, task: str, reason: str) -> None:
    """Mark a run as failed that this task held, or could not take."""
    table = schema.runs
    mine = or_(table.c.task == task, table.c.status == Status.QUEUED)
    open_ = table.c.status.in_((Status.QUEUED, Status.RUNNING, Status.INTERRUPTED))
    values = {"status": Status.FAILED, "reason": reason, "command": None}
    with store.database.writing() as connection:
        connection.execute(update(table).where(table.c.run_id == run_id, mine, open_).values(**values))


def _said(error: BaseException) -> str:
    cause = getattr(error, "cause", None) or error
    return " ".join(str(cause).split())[:300] or type(cause).__name__
