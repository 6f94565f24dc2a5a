"""The statuses of a run, the actions that a person can ask for, and which action is allowed in which status.

The engine, the shell, the pages' buttons and what watches runs read the one table here.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Status(StrEnum):
    """Where a run stands."""

    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"
    INTERRUPTED = "interrupted"

    @property
    def is_active(self) -> bool:
        """Whether it waits for a worker or is being trained: something happens without a person."""
        return self in (Status.QUEUED, Status.RUNNING)

    @property
    def is_finished(self) -> bool:
        """Whether it has come to an end of its own, or was brought to one."""
        return self in (Status.DONE, Status.STOPPED, Status.FAILED)


class Action(StrEnum):
    """What a person can ask of a run."""

    PAUSE = "pause"
    RESUME = "resume"
    STEP = "step"
    STOP = "stop"
    RETRY = "retry"
    DELETE = "delete"


class Command(StrEnum):
    """What a worker is asked to do with the run that it trains; `STEP` is also how a queued run begins."""

    PAUSE = "pause"
    RESUME = "resume"
    STEP = "step"
    STOP = "stop"


Answer = Status | Command | None
_REST = (Status.PAUSED, Status.INTERRUPTED)
_CAN_GO_ON = (*_REST, Status.STOPPED, Status.FAILED)
_ENDS: dict[Status, Answer] = {
    Status.RUNNING: Command.STOP,
    **dict.fromkeys((Status.QUEUED, *_REST), Status.STOPPED),
}
ANSWERS: Mapping[Action, Mapping[Status, Answer]] = {
    Action.PAUSE: {Status.RUNNING: Command.PAUSE, Status.QUEUED: Status.PAUSED, Status.PAUSED: None},
    Action.RESUME: {
        Status.RUNNING: Command.RESUME, Status.QUEUED: None, **dict.fromkeys(_CAN_GO_ON, Status.QUEUED)
    },
    Action.STEP: {Status.RUNNING: Command.STEP, **dict.fromkeys((Status.QUEUED, *_CAN_GO_ON), Status.QUEUED)},
    Action.STOP: {**_ENDS, Status.STOPPED: None},
    Action.RETRY: {
        Status.QUEUED: None,
        **dict.fromkeys((Status.INTERRUPTED, Status.STOPPED, Status.FAILED), Status.QUEUED),
    },
    Action.DELETE: {**_ENDS, Status.DONE: None, Status.STOPPED: None, Status.FAILED: None},
}  # fmt: skip
"""By action and status: the status that the run gets at once, the command that its worker gets, or None
where nothing is left to do. An action is refused in a status that its row does not have."""

ACTIVE = tuple(status for status in Status if status.is_active)
"""The statuses in which something happens without a person."""


def allowed(action: Action) -> tuple[Status, ...]:
    """The statuses in which the action is not refused."""
    return tuple(status for status in Status if status in ANSWERS[action])


def changes(action: Action, status: str, command: str | None = None) -> bool:
    """Whether the action would change the status or the command, so that a button for it makes sense.

    Args:
        action: what is asked for.
        status: where the run stands.
        command: what its worker was asked to do and has not done yet. What was asked already changes
            nothing, and only what was asked can be taken back by resuming.
    """
    answer = ANSWERS[action].get(Status(status))
    if answer is Command.RESUME:
        return command in (Command.PAUSE, Command.STEP, Command.STOP)
    return answer is not None and command not in (answer, action.value)
