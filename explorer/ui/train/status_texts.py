"""How far watched runs are: progress, speed, learning rate and time left, in words."""

from __future__ import annotations

from collections import Counter
from statistics import mean
from typing import Any

from explorer.jobs.run_reader import seconds_left
from explorer.jobs.worker_pool import worker_count
from explorer.runs.status import ACTIVE, Command, Status
from explorer.training.estimates import duration, together
from explorer.ui.components.live_text import LiveText
from explorer.ui.train.watched_runs import WatchedRuns

_ASKED = {
    Command.PAUSE: "pausing after this step",
    Command.STOP: "stopping after this step",
    Command.STEP: "pausing after this epoch",
}
SUMMARY = "summary"
"""Name of what is told of all watched runs together; what is told of one run has the run's id."""

FAR_OFF = 1.5
"""An estimate that is wrong by this factor is said to be corrected."""


def status_texts(found: WatchedRuns) -> dict[str, LiveText]:
    """What is told of all runs, and of each."""
    names = {member.run_id: f"**{member.group}**, seed {member.seed}" for member in found.kept.own}
    texts = {SUMMARY: LiveText(_summary(found))}
    for state in found.rows:
        run_id = str(state["run_id"])
        texts[run_id] = LiveText(f"{names[run_id]} · {_told(found, state)}", _share(found, state))
    return texts


def _summary(found: WatchedRuns) -> str:
    running = Status.RUNNING
    counts = Counter(
        _ASKED.get(state["command"], state["status"]) if state["status"] == running else state["status"]
        for state in found.rows
    )
    said = ", ".join(f"{count} {status}" for status, count in counts.most_common())
    left = [seconds for state in found.rows if (seconds := _left(found, state))]
    time = f" · about {duration(together(left, worker_count()))} left" if left and found.active else ""
    return f"**{said}{time}**"


def _told(found: WatchedRuns, state: dict[Any, Any]) -> str:
    status, epochs = state["status"], int(state["epochs"]) or found.axes.epochs
    if status == Status.QUEUED:
        return f"waiting, place {int(state['place'])} in the queue"
    reached = f"epoch {max(int(state['epoch']), 0)} of {epochs}"
    if status == Status.RUNNING:
        reached_lr = found.reached.get(state["run_id"])
        rate, left = found.rates.get(state["run_id"], 0.0), _left(found, state)
        parts = [
            reached,
            f"{rate:,.0f} images/s" if rate else "",
            f"about {duration(left)} left" if left else "",
            correction(rate, found.expected.get(state["run_id"])),
        ]
        parts.append(f"learning rate {reached_lr[1]:.2g}" if reached_lr else "")
        asked = _ASKED.get(state["command"])
        return " · ".join(part for part in [*parts, asked] if part)
    reason = f": {state['reason']}" if state["reason"] else ""
    return f"{status} at {reached}{reason}" if status != Status.DONE else f"done, {epochs} epochs"


def _share(found: WatchedRuns, state: dict[Any, Any]) -> float:
    if state["status"] == Status.DONE:
        return 1.0
    return min(_reached(found, state) / _length(found, state), 1.0)


def _reached(found: WatchedRuns, state: dict[Any, Any]) -> int:
    return found.reached.get(state["run_id"], (0, 0.0))[0]


def _left(found: WatchedRuns, state: dict[Any, Any]) -> float | None:
    """Seconds of the remaining steps; a run that waits is taken to be as fast as those that do not."""
    if state["status"] not in ACTIVE:
        return None
    rate = found.rates.get(state["run_id"]) or mean(found.rates.values() or [0.0])
    batch = found.batch_sizes.get(state["run_id"], 1)
    return seconds_left(_reached(found, state), _length(found, state), rate, batch)


def _length(found: WatchedRuns, state: dict[Any, Any]) -> int:
    """Steps of the run; of one that does not know them yet, as many as the longest has."""
    return int(state["iterations"]) or found.axes.iterations


def correction(rate: float, expected: float | None) -> str:
    """Says that the time left is not that of the estimate before the start, where it was far off.

    Args:
        rate: images per second as they are trained.
        expected: as the estimate had them, or None where there was none.
    """
    if not rate or not expected:
        return ""
    slower = expected / rate
    if 1 / FAR_OFF < slower < FAR_OFF:
        return ""
    factor, word = (slower, "slower") if slower > 1 else (1 / slower, "faster")
    return f"{factor:.1f} times {word} than estimated; the time left is corrected"
