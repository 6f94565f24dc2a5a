"""Whether a visitor may queue runs: how many in an hour, how many may wait, how long each may be."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, func, select

from explorer.data.facts import parse_subset
from explorer.data.registry import available
from explorer.runs import schema
from explorer.runs.database import alone
from explorer.runs.status import ANSWERS, Action, Status
from explorer.runs.store import Store
from explorer.system.limits import LimitError, most, refuse_above
from explorer.training.recipe import Recipe

_HOUR = timedelta(hours=1)


def check_order(store: Store, owner: str, recipes: Sequence[Recipe], data: str) -> None:
    """Raise where a page could not start these runs now; raises as `check_lengths` and `check_room`."""
    check_lengths(recipes, data)
    if most("runs") is not None or most("queue") is not None:  # the database is not asked for nothing
        with store.database.reading() as connection:
            check_room(connection, owner, len(recipes))


def check_lengths(recipes: Sequence[Recipe], data: str) -> None:
    """Raise a LimitError where one of the runs has more steps than a visitor's run may have."""
    if most("steps") is None:
        return
    for recipe in recipes:
        steps = _steps(recipe, data)
        refuse_above("steps", steps, there=f"{steps:,}")


def check_room(connection: Connection, owner: str, more: int) -> None:
    """Raise a LimitError where the owner has had his runs of this hour, or the queue is full.

    In a transaction that writes, what it has counted stays so until the runs are added to it.
    """
    if most("runs") is None and most("queue") is None:
        return
    alone(connection)
    if most("runs") is not None:  # runs that were deleted count: they were trained, or waited
        table, hour = schema.runs, (datetime.now(UTC) - _HOUR).isoformat(timespec="seconds")
        mine = select(func.sum(table.c.attempt)).where(table.c.owner == owner, table.c.created > hour)
        there = connection.scalar(mine) or 0
        refuse_above("runs", there + more, there=there, more=more)
    _check_queue(connection, more)


def check_action(store: Store, owner: str, action: Action, status: str) -> None:
    """Raise a LimitError where an action queues a run again, and a visitor may not do that now."""
    if status == Status.QUEUED or ANSWERS[action].get(Status(status)) is not Status.QUEUED:
        return
    with store.database.reading() as connection:
        if action is Action.RETRY:  # trained from its beginning: as costly as one more
            check_room(connection, owner, 1)
        else:
            _check_queue(connection, 1)


def _check_queue(connection: Connection, more: int) -> None:
    if most("queue") is None:
        return
    table = schema.runs
    waiting = select(func.count()).where(table.c.status == Status.QUEUED, table.c.deleted.is_(None))
    there = connection.scalar(waiting) or 0
    refuse_above("queue", there + more, there=there, more=more)


def _steps(recipe: Recipe, data: str) -> int:
    if recipe.iterations:
        return recipe.iterations
    name, count = parse_subset(data)
    train = next((entry.train for entry in available() if entry.name == name), None)
    if train is None:
        raise LimitError(
            f"This server bounds the steps of a run, and cannot count those of a run on '{data[:60]}', which "
            "is not one of its datasets. Choose one that the Data page lists."
        )
    train = train if count is None else min(count, train)
    return recipe.epochs * max(train // max(min(recipe.batch_size, train), 1), 1)
