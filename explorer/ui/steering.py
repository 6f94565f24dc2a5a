"""How does a person steer runs? Progress, time left and buttons, for each run and for all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import mean
from typing import Any

import streamlit as st

from explorer.runs import jobs
from explorer.runs.store import Store, StoreError
from explorer.runs.watch import seconds_left
from explorer.runs.workers import worker_count
from explorer.training.estimates import duration, together
from explorer.ui.data import own_store
from explorer.ui.watching import Watched, look_again

STEERED = "steered"
"""Session key: something was asked of a run, so the whole page has to be looked at anew."""
_FAILED = "steer-failed"


@dataclass(frozen=True)
class Verb:
    """What can be asked of a run.

    Attributes:
        label: on the button.
        icon: beside it.
        help: one sentence.
        ask: of `jobs`.
        fits: the states in which it can be asked.
    """

    label: str
    icon: str
    help: str
    ask: Callable[[Store, str], None]
    fits: tuple[str, ...]


PAUSE = Verb("Pause", ":material/pause:", "Keeps the run as of this step.", jobs.pause, ("queued", "running"))
RESUME = Verb(
    "Resume", ":material/play_arrow:", "Goes on from the last step that was kept.", jobs.resume,
    ("paused", "interrupted", "stopped", "failed"),
)  # fmt: skip
STEP = Verb(
    "Step", ":material/skip_next:", "Trains to the end of one epoch and pauses there.", jobs.step_epoch,
    ("queued", "running", "paused", "interrupted"),
)  # fmt: skip
STOP = Verb(
    "Stop", ":material/stop:", "Ends the run here; its curves and weights are kept.", jobs.stop,
    ("queued", "running", "paused", "interrupted"),
)  # fmt: skip
RETRY = Verb(
    "Retry", ":material/replay:", "Starts again from the beginning.", jobs.retry,
    ("failed", "stopped", "interrupted"),
)  # fmt: skip
# two verbs that never fit at once share a place, so that no button moves
_PLACES = ((PAUSE, RESUME), (STEP,), (STOP, RETRY))


def steer_all(found: Watched) -> None:
    """One line for all watched runs: how far they are, and buttons that mean all of them."""
    states = dict(zip(found.states["run_id"], found.states["status"], strict=True))
    with st.container(horizontal=True, vertical_alignment="center", key="steer-all"):
        st.markdown(f"**{_summary(found)}**", width="stretch")
        for place in _PLACES:
            _button(place, states, "all")
    if failed := st.session_state.pop(_FAILED, ""):
        st.warning(failed)


def steer_each(found: Watched) -> None:
    """One line per run: progress, speed, learning rate and time left, and its own buttons."""
    names = found.members.set_index("run_id")
    for state in found.rows:
        run_id = str(state["run_id"])
        if run_id not in names.index:
            continue
        member = names.loc[run_id]
        with st.container(horizontal=True, vertical_alignment="center", key=f"run-{run_id}"):
            st.progress(
                _share(found, state),
                text=f"**{member['group']}**, seed {member['seed']} · {_told(found, state)}",
            )
            if len(found.states) > 1:
                for place in _PLACES:
                    _button(place, {run_id: str(state["status"])}, run_id)


def _button(place: Sequence[Verb], states: dict[str, str], key: str) -> None:
    """The first verb of the place that fits any of the runs; disabled where none does."""
    fitting = [(verb, [one for one, status in states.items() if status in verb.fits]) for verb in place]
    verb, ids = next(((verb, ids) for verb, ids in fitting if ids), (place[0], []))
    st.button(
        verb.label, icon=verb.icon, help=verb.help, key=f"{place[0].label}-{key}", disabled=not ids,
        on_click=_ask, args=(verb, ids), width=104,
    )  # fmt: skip


def _ask(verb: Verb, ids: Sequence[str]) -> None:
    try:
        store = own_store()
        for run_id in ids:
            verb.ask(store, run_id)
    except (StoreError, ValueError) as error:
        st.session_state[_FAILED] = str(error)
    st.session_state[STEERED] = True
    look_again()


def _summary(found: Watched) -> str:
    counts = found.states["status"].value_counts()
    said = ", ".join(f"{count} {status}" for status, count in counts.items())
    left = [seconds for state in found.rows if (seconds := _left(found, state))]
    time = f" · about {duration(together(left, worker_count()))} left" if left and found.active else ""
    return f"{said}{time}"


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
        asked = {"pause": "pausing", "stop": "stopping", "step": "pausing after this epoch"}.get(
            state["command"] or ""
        )
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
