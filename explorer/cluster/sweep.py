"""A sweep on a cluster: queued runs of the store, each kept in the work folder as it ends."""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd
from sqlalchemy import select

from explorer.cluster.start import start
from explorer.cluster.state import read_state
from explorer.jobs import actions
from explorer.jobs.eta import EpochDone, EtaEstimator
from explorer.jobs.sweep import RunConfig, unfinished
from explorer.nets.spec import NetSpec
from explorer.runs import rows, schema
from explorer.runs.run import TABLES, Run
from explorer.runs.run_folder import write_archive
from explorer.runs.status import Status
from explorer.runs.store import Store, StoreBusyError

_LOOK_EVERY_S = 0.5
_ENDED_BADLY = (Status.FAILED, Status.STOPPED)


def sweep_on(address: str, plans: Sequence[RunConfig], work: Path) -> Iterator[str]:
    """Make every planned run that is not yet below `work`, on the cluster; yields a line per epoch.

    The runs are those of the store: pages show and steer them, and they go on when this process ends. The
    same command comes back to them.

    Args:
        address: of the cluster.
        plans: the runs; the costly ones should come first.
        work: folder that gets one folder per finished run; the nodes need not reach it.

    Raises:
        ValueError: the folder holds a run of that name with another recipe, the cluster cannot be used, or
            runs failed or were stopped.
    """
    todo = unfinished(plans, work)
    if not todo:
        return
    store = Store()
    try:
        waiting = _queued(store, todo, work)
        start(address)
        yield from _watched(store, address, waiting, work)
    finally:
        store.close()


def _queued(store: Store, plans: Sequence[RunConfig], work: Path) -> dict[str, RunConfig]:
    """By run id the plans, each queued unless an earlier sweep to this folder has done so."""
    group = f"sweep-{hashlib.sha256(str(work.absolute()).encode()).hexdigest()[:32]}"
    there = _runs_of(store, group)
    found = {}
    for plan in plans:
        run_id = next((run.run_id for name, run in there if name == plan.name and _is_of(run, plan)), None)
        if run_id is None:
            run = actions.new_run(NetSpec.parse(plan.net), plan.recipe, plan.data)
            run_id = run.run_id
            store.add_run(
                run, name=plan.name, group_id=group, owner=group, data=actions.whole_path(plan.data)
            )
        elif store.get_state(run_id).status not in (Status.DONE, Status.RUNNING, Status.QUEUED):
            actions.resume(store, run_id)
        found[run_id] = plan
    return found


def _runs_of(store: Store, group: str) -> list[tuple[str | None, Run]]:
    table = schema.runs
    query = select(table).where(table.c.group_id == group, table.c.deleted.is_(None))
    with store.database.reading() as connection:
        found = connection.execute(query.order_by(table.c.position.desc())).mappings().all()
    return [(row["name"], rows.read_run(dict(row))) for row in found]


def _is_of(run: Run, plan: RunConfig) -> bool:
    same = {"device": plan.recipe.device, "kernels": plan.recipe.kernels}
    return replace(run.recipe, **same) == plan.recipe  # type: ignore[arg-type]


def _watched(store: Store, address: str, waiting: dict[str, RunConfig], work: Path) -> Iterator[str]:
    pace = EtaEstimator(
        {plan.name: NetSpec.parse(plan.net).depth for plan in waiting.values()}, _lanes(store, address)
    )
    told = dict.fromkeys(waiting, -1)
    failed: list[str] = []
    left, said = dict(waiting), ""
    while left:
        try:
            states = actions.states(store, list(left)).set_index("run_id")
            for run_id, plan in list(left.items()):
                status = states.loc[run_id, "status"] if run_id in states.index else Status.STOPPED
                for epoch in _fresh(store, run_id, plan, told):
                    pace.update(epoch)
                    yield f"{epoch} ({pace})"
                if status == Status.DONE:
                    archive(store, run_id, plan, work)
                elif status in _ENDED_BADLY:
                    reason = states["reason"].get(run_id) or "it was stopped or deleted from elsewhere"
                    failed.append(f"{plan.name}: {reason}")
                else:
                    continue
                del left[run_id]
            said = ""
        except StoreBusyError as error:
            if not said:
                yield str(error)
            said = str(error)
        time.sleep(_LOOK_EVERY_S)
    if failed:
        raise ValueError(
            f"{len(failed)} of {len(waiting)} runs did not reach their end. {'; '.join(failed[:3])}. The "
            "same command resumes them."
        )


def _lanes(store: Store, address: str) -> int:
    """Runs that the cluster trains at once."""
    state = read_state(store, address)
    return max(int(state.nodes["cpus"].sum()), 1) if state is not None else 1


def _fresh(store: Store, run_id: str, plan: RunConfig, told: dict[str, int]) -> Iterator[EpochDone]:
    """The epochs that were not told yet."""
    epochs = store.epochs([run_id], after=told[run_id])
    if epochs.empty:
        return
    run = store.get_run(run_id)
    for row in epochs.to_dict("records"):
        told[run_id] = int(row["epoch"])
        yield EpochDone(
            run=plan.name,
            epoch=int(row["epoch"]),
            epochs=run.epochs,
            fraction=int(row["iteration"]) / max(run.iterations, 1),
            train_error_pct=float(row["train_error_pct"]),
            test_error_pct=float(row["test_error_pct"]),
        )


def archive(store: Store, run_id: str, plan: RunConfig, work: Path) -> None:
    """Write a run that is done to the work folder, as a sweep of this machine does."""
    kept = store.get_run(run_id)
    run = replace(kept, run_id=f"{kept.dataset}-{plan.name}", checkpoint=None)
    tables = {name: _renamed(getattr(store, name)([run_id]), run.run_id) for name in TABLES}
    with tempfile.TemporaryDirectory() as folder:
        weights = store.copy_weights(run_id, Path(folder) / "weights.safetensors")
        write_archive(work / plan.name, run, tables, weights)


def _renamed(table: pd.DataFrame, run_id: str) -> pd.DataFrame:
    return table.assign(
        run_id=pd.Series([run_id] * len(table), index=table.index, dtype=table["run_id"].dtype)
    )
