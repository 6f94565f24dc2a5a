"""What a person can do with a training run: start, pause, resume, step, stop, retry, delete, watch it.

A page and the worker that trains share only the store: what is asked for here is written there, and the
worker sees it between two steps. Nothing here loads torch.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import select, update

from explorer.data.facts import parse_subset
from explorer.jobs import memory_check, run_limits
from explorer.jobs.progress import STATE_COLUMNS, Snapshot, live, mark_interrupted, places, states
from explorer.nets.spec import NetSpec
from explorer.runs import schema
from explorer.runs.run import Run
from explorer.runs.status import ANSWERS, Action, Command, Status, allowed
from explorer.runs.store import Store, StoreBusyError, UnknownRunError, new_run_id
from explorer.training.recipe import Recipe

__all__ = [
    "STATE_COLUMNS", "JobError", "Snapshot", "delete", "live", "new_run", "pause", "places", "restore",
    "resume", "retry", "states", "step_epoch", "stop", "submit", "submit_all", "whole_path",
]  # fmt: skip

_TRIES = 5


class JobError(ValueError):
    """What was asked for cannot be done with the run; the text says why and what can."""


def submit(
    store: Store,
    spec: NetSpec,
    recipe: Recipe,
    data: str = "digits",
    *,
    owner: str | None = None,
    group: str | None = None,
) -> str:
    """Queue a run.

    Args:
        store: where it is kept.
        spec: the net; its channels and classes become the data's when it starts.
        recipe: how to train it.
        data: name or path of the dataset.
        owner: browser session; owners take turns.
        group: shared by runs started together, such as twins.

    Returns:
        Its run id.

    Raises:
        DoesNotFitError: it cannot fit into this machine's memory.
        StoreError: it cannot be kept.
    """
    return submit_all(store, [(spec, recipe)], data, owner=owner, group=group)[0]


def submit_all(
    store: Store,
    wanted: Sequence[tuple[NetSpec, Recipe]],
    data: str = "digits",
    *,
    owner: str | None = None,
    group: str | None = None,
    visitor: bool = False,
) -> list[str]:
    """Queue several runs as one group, or none of them if one is refused; as `submit`.

    Args:
        store: where they are kept.
        wanted: nets and recipes.
        data: name or path of their dataset.
        owner: browser session; owners take turns.
        group: shared by the runs; made up where there are several and none is given.
        visitor: whether the owner came by a page, and is bound by `system.limits`.

    Raises:
        LimitError: a visitor asks for more than this server grants.
    """
    data = whole_path(data)
    check = None
    if visitor:
        run_limits.check_lengths([recipe for _, recipe in wanted], data)
        check = partial(run_limits.check_room, owner=owner or "", more=len(wanted))
    costs = [memory_check.check_memory(spec, recipe, data) for spec, recipe in wanted]
    if group is None and len(wanted) > 1:
        group = secrets.token_hex(8)
    made = [
        replace(new_run(spec, recipe, data), parameters=cost.parameters)
        for (spec, recipe), cost in zip(wanted, costs, strict=True)
    ]
    store.add_runs(made, check, owner=owner, group_id=group, data=data)
    return [run.run_id for run in made]


def new_run(spec: NetSpec, recipe: Recipe, data: str) -> Run:
    """A queued run, as far as it is known before its data is read; its worker completes it."""
    return Run(
        run_id=new_run_id(spec, recipe),
        spec=spec,
        recipe=recipe,
        dataset=Path(data).name,
        status=Status.QUEUED,
        epochs=0 if recipe.iterations else recipe.epochs,
        iterations=recipe.iterations or 0,
        parameters=0,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def pause(store: Store, run_id: str) -> None:
    """Let the run go on later; a running one is kept as of its current step.

    Raises:
        JobError: it has ended, or has not got that far.
        UnknownRunError: there is none of that id.
    """
    _ask(store, run_id, Action.PAUSE)


def resume(store: Store, run_id: str) -> None:
    """Queue the run again, to go on from its last checkpoint; raises as `pause`.

    A running one that was asked to pause, or to pause after an epoch, goes on.
    """
    _ask(store, run_id, Action.RESUME)


def step_epoch(store: Store, run_id: str) -> None:
    """Train to the end of one epoch and pause there; raises as `pause`."""
    _ask(store, run_id, Action.STEP, command=Command.STEP)


def stop(store: Store, run_id: str) -> None:
    """End the run where it is; its records and weights are kept, and it can still be resumed.

    Raises as `pause`.
    """
    _ask(store, run_id, Action.STOP)


def retry(store: Store, run_id: str) -> None:
    """Queue the run again from its beginning; its old records stay until new ones replace them.

    Raises as `pause`.
    """
    _ask(store, run_id, Action.RETRY, attempt=schema.runs.c.attempt + 1)


ASK = {
    Action.PAUSE: pause,
    Action.RESUME: resume,
    Action.STEP: step_epoch,
    Action.STOP: stop,
    Action.RETRY: retry,
}
"""What asks for each action that a person steers a run with."""


def delete(store: Store, run_id: str) -> None:
    """Hide the run, and stop it if it runs; `restore` brings it back until it is removed for good.

    Raises:
        UnknownRunError: there is none of that id.
    """
    _ask(store, run_id, Action.DELETE)
    store.update_run(run_id, deleted=time.time())


def restore(store: Store, run_id: str) -> None:
    """Undo `delete`; a run that was stopped by it can be resumed. Raises as `delete`."""
    store.update_run(run_id, deleted=None)


def _ask(store: Store, run_id: str, action: Action, **changes: Any) -> None:
    """Write what a person asks for, if the run's status allows it by `runs.status.ANSWERS`.

    Args:
        store: where the run is kept.
        run_id: of the run.
        action: what is asked for.
        changes: columns that change with the status, of a run that no worker has.
    """
    table, answers = schema.runs, ANSWERS[action]
    mark_interrupted(store)
    for _ in range(_TRIES):
        with store.database.writing() as connection:
            status = connection.scalar(select(table.c.status).filter_by(run_id=run_id))
            if status is None:
                raise UnknownRunError(f"There is no run '{run_id[:80]}'.")
            if status not in answers:
                raise JobError(_refusal(run_id, action, status))
            answer = answers[Status(status)]
            if answer is None:
                return
            values: dict[str, Any] = {"command": answer}
            if isinstance(answer, Status):
                values = {"status": answer, "reason": None, "command": None} | changes
            done = connection.execute(update(table).filter_by(run_id=run_id, status=status).values(**values))
            if done.rowcount:
                return
    raise StoreBusyError(f"The state of {run_id} changes faster than it can be read. Try again.")


def _refusal(run_id: str, action: Action, status: str) -> str:
    fitting = ", ".join(sorted(allowed(action)))
    return f"The run {run_id} is {status}; {action} is for runs that are {fitting}."


def whole_path(data: str) -> str:
    """A path made absolute, since the worker has another working directory; a name as it is."""
    folder, count = parse_subset(data)
    path = Path(folder).expanduser()
    whole = str(path.absolute()) if path.exists() else folder
    return whole if count is None else f"{whole}:{count}"
