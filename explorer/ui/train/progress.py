"""How far are watched runs? Progress, speed, learning rate and time left, in words."""

from __future__ import annotations

from collections import Counter
from statistics import mean
from typing import Any

from explorer.training.estimates import duration, together
from explorer.ui.train.telling import Told
from explorer.ui.train.watching import Watched
from explorer.work.watch import seconds_left
from explorer.work.workers import worker_count

SUMMARY = "summary"
"""Name of what is told of all watched runs together; what is told of one run has the run's id."""

_ASKED = {
    "pause": "pausing after this step",
    "stop": "stopping after this step",
    "step": "pausing after this epoch",
}


def told_of(found: Watched) -> dict[str, Told]:
    """What is told of all runs, and of each."""
    names = {member.run_id: f"**{member.group}**, seed {member.seed}" for member in found.kept.own}
    texts = {SUMMARY: Told(_summary(found))}
    for state in found.rows:
        run_id = str(state["run_id"])
        texts[run_id] = Told(f"{names[run_id]} · {_told(found, state)}", _share(found, state))
    return texts


def _summary(found: Watched) -> str:
    running = [_ASKED.get(state["command"] or "", "running") for state in found.rows]
    stand = [asked if state["status"] == "running" else state["status"]
             for asked, state in zip(running, found.rows, strict=True)]  # fmt: skip
    counts = Counter(stand)
    said = ", ".join(f"{count} {status}" for status, count in counts.most_common())
    left = [seconds for state in found.rows if (seconds := _left(found, state))]
    time = f" · about {duration(together(left, worker_count()))} left" if left and found.active else ""
    return f"**{said}{time}**"


def _told(found: Watched, state: dict[Any, Any]) -> str:
    status, epochs = state["status"], int(state["epochs"]) or found.sheet.epochs
    if status == "queued":
        return f"waiting, place {int(state['place'])} in the queue"
    reached = f"epoch {max(int(state['epoch']), 0)} of {epochs}"
    if status == "running":
        reached_lr = found.reached.get(state["run_id"])
        rate, left = found.rates.get(state["run_id"], 0.0), _left(found, state)
        parts = [
            reached,
            f"{rate:,.0f} images/s" if rate else "",
            f"about {duration(left)} left" if left else "",
        ]
        parts.append(f"learning rate {reached_lr[1]:.2g}" if reached_lr else "")
        asked = _ASKED.get(state["command"] or "")
        return " · ".join(part for part in [*parts, asked] if part)
    reason = f": {state['reason']}" if state["reason"] else ""
    return f"{status} at {reached}{reason}" if status != "done" else f"done, {epochs} epochs"


def _share(found: Watched, state: dict[Any, Any]) -> float:
    if state["status"] == "done":
        return 1.0
    return min(_reached(found, state) / found.sheet.iterations, 1.0)


def _reached(found: Watched, state: dict[Any, Any]) -> int:
    return found.reached.get(state["run_id"], (0, 0.0))[0]


def _left(found: Watched, state: dict[Any, Any]) -> float | None:
    """Seconds of the remaining steps; a run that waits is taken to be as fast as those that do not."""
    if state["status"] not in ("running", "queued"):
        return None
    rate = found.rates.get(state["run_id"]) or mean(found.rates.values() or [0.0])
    batch = found.batch_sizes.get(state["run_id"], 1)
    return seconds_left(_reached(found, state), found.sheet.iterations, rate, batch)
