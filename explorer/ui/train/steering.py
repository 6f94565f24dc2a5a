"""How does a person steer runs? By buttons beside what is told of each run, and of all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from explorer.runs.store import Store, StoreError
from explorer.ui.data import own_store
from explorer.ui.train.feed import look_again
from explorer.ui.train.progress import SUMMARY
from explorer.ui.train.telling import Told, place
from explorer.ui.train.watching import Watched
from explorer.work import jobs

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
        asked: the state of a run that was asked it and has not come to it, and the label meanwhile.
    """

    label: str
    icon: str
    help: str
    ask: Callable[[Store, str], None]
    fits: tuple[str, ...]
    asked: tuple[str, str] = ("", "")


PAUSE = Verb("Pause", ":material/pause:", "Keeps the run as of this step.", jobs.pause, ("queued", "running"),
             ("pausing", "Pausing…"))  # fmt: skip
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
    ("queued", "running", "pausing", "paused", "interrupted"), ("stopping", "Stopping…"),
)  # fmt: skip
RETRY = Verb(
    "Retry", ":material/replay:", "Starts again from the beginning.", jobs.retry,
    ("failed", "stopped", "interrupted"),
)  # fmt: skip
# two verbs that never fit at once share a place, so that no button moves; but nothing that throws a run away
# comes to the place of what was just pressed
_PLACES = ((PAUSE, RESUME), (STEP,), (STOP,), (RETRY,))
_ASKED = {"pause": "pausing", "stop": "stopping"}


def choices(found: Watched) -> list[list[str]]:
    """What can be asked of each run: a page has other buttons where this changes."""
    return [
        [
            str(state["run_id"]),
            *(verb.label for verbs in _PLACES for verb in verbs if standing(state) in verb.fits),
        ]
        for state in found.rows
    ]


def standing(state: Mapping[Any, Any]) -> str:
    """The status of a run, or what it was asked and will do after the step that it is in."""
    asked = _ASKED.get(state["command"] or "")
    return asked if asked and state["status"] == "running" else str(state["status"])


def steer_all(found: Watched, texts: Mapping[str, Told]) -> None:
    """One line for all watched runs: how far they are, and buttons that mean all of them."""
    states = {str(state["run_id"]): standing(state) for state in found.rows}
    with st.container(horizontal=True, vertical_alignment="center", key="steer-all"):
        place(SUMMARY, texts[SUMMARY])
        for verbs in _PLACES:
            _button(verbs, states, "all")
    if failed := st.session_state.pop(_FAILED, ""):
        st.warning(failed)


def steer_each(found: Watched, texts: Mapping[str, Told]) -> None:
    """One line per run: progress, speed, learning rate and time left, and its own buttons."""
    for state in found.rows:
        run_id = str(state["run_id"])
        with st.container(horizontal=True, vertical_alignment="center", key=f"run-{run_id}"):
            place(run_id, texts[run_id])
            if len(found.states) > 1:
                for verbs in _PLACES:
                    _button(verbs, {run_id: standing(state)}, run_id)


def _button(place: Sequence[Verb], states: dict[str, str], key: str) -> None:
    """The first verb of the place that fits any of the runs; disabled where none does."""
    verb = next((verb for verb in place if _fitting(verb, states)), None)
    shown = verb or place[0]
    waits = verb is None and shown.asked[0] in states.values()
    st.button(
        shown.asked[1] if waits else shown.label, icon=shown.icon,
        help=shown.help, key=f"{place[0].label}-{key}", disabled=verb is None,
        on_click=_ask, args=(shown, tuple(states)), width=116,
    )  # fmt: skip


def _fitting(verb: Verb, states: Mapping[str, str]) -> list[str]:
    return [run_id for run_id, status in states.items() if status in verb.fits]


def _ask(verb: Verb, ids: Sequence[str]) -> None:
    """Ask it of those that it fits at the press: they may stand otherwise than when the button was drawn."""
    asked, refused = 0, f"Nothing to {verb.label.lower()}: all of these runs have gone on since."
    try:
        store = own_store()
        states = jobs.states(store, ids)
        rows = states.to_dict("records")
        stand = {str(row["run_id"]): standing(row) for row in rows}
        if verb.asked[0] in stand.values():
            refused = ""  # pressed twice: it is on its way
        for run_id in _fitting(verb, stand):
            try:
                verb.ask(store, run_id)
                asked += 1
            except jobs.JobError as error:  # it has gone on since it was read; the others are still meant
                refused = str(error)
    except (StoreError, ValueError) as error:
        asked, refused = 0, str(error)
    if not asked and refused:
        st.session_state[_FAILED] = refused
    look_again()
