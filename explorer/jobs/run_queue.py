"""Queued runs in an order that is fair between owners, and who takes the next one."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, FromClause, Select, func, literal_column, select, union_all, update

from explorer.runs import rows, schema
from explorer.runs.database import alone
from explorer.runs.run import Run, RunState
from explorer.runs.status import Status
from explorer.runs.store import LostRunError, Store
from explorer.system.processes import Process, lives

# a process of another machine cannot be looked at; its heartbeat alone tells
FOREIGN_SILENCE_S = 60.0
_CANDIDATES = 8
"""So many runs may be locked by others, such as who deletes them, before one who asks has to ask again."""
KILLED = "Its worker process ended before the run did. Resume goes on from the last checkpoint."


@dataclass(frozen=True)
class Job:
    """A run that this process has taken from the queue.

    Attributes:
        run: as it was queued, or as far as it had come.
        state: as it was queued; its command says how to begin.
        worker: the process that holds it.
    """

    run: Run
    state: RunState
    worker: Process


def fair_order(queued: Sequence[tuple[str, str]], turns: Mapping[str, int]) -> list[str]:
    """Run ids in the order in which they will start: each owner in turn, the least recently served first.

    Args:
        queued: run id and owner, in the order of arrival.
        turns: the last turn of each owner that has had one.
    """
    waiting: dict[str, deque[str]] = {}
    for run_id, owner in queued:
        waiting.setdefault(owner, deque()).append(run_id)
    # the sort keeps the order of arrival between owners that were never served
    circle = deque(sorted(waiting, key=lambda owner: turns.get(owner, 0)))
    order: list[str] = []
    while circle:
        owner = circle.popleft()
        order.append(waiting[owner].popleft())
        if waiting[owner]:
            circle.append(owner)
    return order


def waiting_order(connection: Connection) -> list[str]:
    """The ids of all queued runs, the next first."""
    table = schema.runs
    owner = func.coalesce(table.c.owner, "")
    query = select(table.c.run_id, owner).where(*_WAITS).order_by(table.c.position, table.c.run_id)
    queued = connection.execute(query).all()
    if not queued:
        return []
    turns = connection.execute(
        select(table.c.owner, func.max(table.c.turn)).where(table.c.turn.is_not(None)).group_by(table.c.owner)
    ).all()
    return fair_order([(row[0], row[1]) for row in queued], {row[0] or "": row[1] for row in turns})


# as the index runs_waiting has it: a parameter in place of the word would hide that from SQLite
_WAITS = schema.runs.c.status == literal_column(f"'{Status.QUEUED}'"), schema.runs.c.deleted.is_(None)


def next_waiting(connection: Connection, most: int) -> list[str]:
    """The beginning of `waiting_order`, at least one run where any waits, at most `most`.

    Its cost grows with the owners and hardly with the runs: each owner's first runs and last turn come from
    an index. Who takes a run asks this, with thousands that wait.
    """
    other = schema.runs.alias()
    owners = _owners(connection)
    turn = select(func.max(other.c.turn)).where(other.c.owner == owners.c.owner).scalar_subquery()
    waits = other.c.status == literal_column(f"'{Status.QUEUED}'")
    of_owner = waits, other.c.deleted.is_(None), other.c.owner == owners.c.owner
    first = select(func.min(other.c.position)).where(*of_owner).scalar_subquery()
    query = select(owners.c.owner, turn, first).where(owners.c.owner.is_not(None))
    found: list[tuple[str | None, int | None, int | None]]
    found = [(owner, last, begins) for owner, last, begins in connection.execute(query)]
    found += [nobodys] if (nobodys := _of_nobody(connection))[2] is not None else []
    turns = {owner or "": last or 0 for owner, last, _ in found}
    served = [row[0] for row in sorted(found, key=lambda row: (row[1] or 0, row[2]))][:most]
    if not served:
        return []
    rounds = -(-most // len(served))
    parts = [_first_of(owner, rounds) for owner in served]
    waiting = union_all(*parts).subquery()
    query = select(waiting.c.run_id, waiting.c.owner).order_by(waiting.c.position, waiting.c.run_id)
    queued: list[tuple[str, str]] = [(row[0], _named(row[1])) for row in connection.execute(query)]
    return fair_order(queued, turns)[:most]


def _owners(connection: Connection) -> FromClause:
    """The owners of runs that wait, and in PostgreSQL a row without one at the end."""
    table = schema.runs
    known = *_WAITS, table.c.owner.is_not(None)
    if connection.dialect.name != "postgresql":  # SQLite would read all that wait at each step
        return select(table.c.owner).where(*known).distinct().subquery()
    # from owner to owner along the index: DISTINCT would read all that wait
    one = select(table.c.owner).where(*known).order_by(table.c.owner).limit(1)
    begin = select(one.scalar_subquery().label("owner")).cte("owners", recursive=True)
    after = one.where(table.c.owner > begin.c.owner).scalar_subquery()
    return begin.union_all(select(after).where(begin.c.owner.is_not(None)))


def _named(owner: str | None) -> str:
    return owner or ""


def _of_nobody(connection: Connection) -> tuple[str | None, int | None, int | None]:
    """Last turn and first position of the runs without an owner, such as those of a shell."""
    table = schema.runs
    nobodys = table.c.owner.is_(None)
    turn = connection.scalar(select(func.max(table.c.turn)).where(nobodys))
    return None, turn, connection.scalar(select(func.min(table.c.position)).where(*_WAITS, nobodys))


def _first_of(owner: str | None, most: int) -> Select[Any]:
    table = schema.runs
    mine = table.c.owner.is_(None) if owner is None else table.c.owner == owner
    query = select(table.c.run_id, table.c.owner, table.c.position).where(*_WAITS, mine)
    return select(query.order_by(table.c.position, table.c.run_id).limit(most).subquery())


def take(store: Store, worker: Process, run_id: str | None = None) -> Job | None:
    """Take the next queued run, or this one; None where there is none, or another was faster."""
    table = schema.runs
    with store.database.reading() as connection:  # asked ten times a second, so without the write lock
        anything = connection.scalar(select(table.c.run_id).where(table.c.status == Status.QUEUED).limit(1))
    if anything is None:
        return None
    with store.database.writing() as connection:
        alone(connection)  # takers wait for each other: all of them looking for the same run takes longer
        row = _free(connection, run_id)
        if row is None:
            return None
        turn = select(func.coalesce(func.max(table.c.turn), 0) + 1).scalar_subquery()
        taken = {"status": Status.RUNNING, "reason": None, "command": None, "heartbeat": time.time()}
        connection.execute(
            update(table).filter_by(run_id=row["run_id"]).values({"turn": turn} | taken | worker.values)
        )
    return Job(rows.read_run(dict(row)), state_of(row), worker)


def taken_unknowingly(store: Store, worker: Process) -> Job | None:
    """What an idle process holds: the database went away between its taking a run and the word of it."""
    query = select(schema.runs).filter_by(status=Status.RUNNING, **worker.values).limit(1)
    with store.database.reading() as connection:
        row = connection.execute(query).mappings().one_or_none()
    return None if row is None else Job(rows.read_run(dict(row)), state_of(row), worker)


def _free(connection: Connection, run_id: str | None) -> Mapping[Any, Any] | None:
    """The first queued run that no other transaction takes at this moment, locked for this one."""
    for chosen in next_waiting(connection, _CANDIDATES) if run_id is None else [run_id]:
        query = select(schema.runs).filter_by(run_id=chosen, status=Status.QUEUED)
        found = connection.execute(query.with_for_update(skip_locked=True)).mappings().one_or_none()
        if found is not None:
            return found
    return None


def change_held(store: Store, job: Job, *, synced: bool = True, **changes: Any) -> None:
    """Set columns of a run that this process holds.

    Raises:
        LostRunError: it does not hold it any more.
    """
    with store.database.writing(synced=synced) as connection:
        update_held(connection, job, changes)


def update_held(connection: Connection, job: Job, changes: Mapping[str, Any]) -> None:
    """As `change_held`, inside the caller's transaction."""
    held = {"run_id": job.run.run_id, "status": Status.RUNNING} | job.worker.values
    if connection.execute(update(schema.runs).filter_by(**held).values(**changes)).rowcount == 0:
        raise LostRunError(f"This process does not train {job.run.run_id} any more.")


def mark_interrupted(store: Store, host: str) -> list[str]:
    """Find running runs whose process is gone, and say so in the store.

    Args:
        store: to look in.
        host: name of this machine.

    Returns:
        The runs that this call marked.
    """
    table = schema.runs
    with store.database.reading() as connection:
        running = connection.execute(select(table).filter_by(status=Status.RUNNING)).mappings().all()
    marked = []
    for row in running:
        if _lives(row, host):
            continue
        held = {name: row[name] for name in ("pid", "process_started", "host")}
        with store.database.writing() as connection:
            done = connection.execute(
                update(table)
                .filter_by(run_id=row["run_id"], status=Status.RUNNING, **held)
                .values(status=Status.INTERRUPTED, reason=KILLED, command=None)
            )
        if done.rowcount:
            marked.append(str(row["run_id"]))
    return marked


def state_of(row: Mapping[Any, Any]) -> RunState:
    """What a row of `schema.runs` says besides the run itself."""
    return RunState(**{name: row[name] for name in RunState.__dataclass_fields__})


def _lives(row: Mapping[Any, Any], host: str) -> bool:
    if row["pid"] is None or row["process_started"] is None:
        return False
    if row["host"] in (host, None):
        return lives(row["pid"], row["process_started"])
    return time.time() - (row["heartbeat"] or 0) < FOREIGN_SILENCE_S
