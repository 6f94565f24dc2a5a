"""Buttons that steer runs: beside each run, and for all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from explorer.jobs import actions, run_limits
from explorer.runs.status import ANSWERS, Action, allowed
from explorer.runs.store import StoreError
from explorer.system.limits import LimitError
from explorer.ui.cached_runs import own_store
from explorer.ui.components.live_text import LiveText, render
from explorer.ui.train.available_actions import OFFERED_ACTIONS, is_available
from explorer.ui.train.live_api import invalidate_live
from explorer.ui.train.session_owner import session_owner
from explorer.ui.train.status_texts import SUMMARY
from explorer.ui.train.watched_runs import WatchedRuns

_FAILED = "steer-failed"


@dataclass(frozen=True)
class ActionButton:
    """How an action is offered.

    Attributes:
        label: on the button.
        icon: beside it.
        help: one sentence.
    """

    label: str
    icon: str
    help: str


# each action has a place of its own: two presses of one place must not be two actions
_BUTTONS = {
    Action.PAUSE: ActionButton("Pause", ":material/pause:", "Keeps the run as of this step."),
    Action.RESUME: ActionButton(
        "Resume", ":material/play_arrow:", "Goes on from the last step that was kept."
    ),
    Action.STEP: ActionButton(
        "Step", ":material/skip_next:", "Trains to the end of one epoch and pauses there."
    ),
    Action.STOP: ActionButton(
        "Stop", ":material/stop:", "Ends the run here; its curves and weights are kept."
    ),
    Action.RETRY: ActionButton("Retry", ":material/replay:", "Starts again from the beginning."),
}


def show_bulk_actions(found: WatchedRuns, texts: Mapping[str, LiveText]) -> None:
    """One line for all watched runs: how far they are, and buttons that mean all of them."""
    with st.container(horizontal=True, vertical_alignment="center", key="steer-all"):
        render(SUMMARY, texts[SUMMARY])
        for action in OFFERED_ACTIONS:
            action_button(action, found.rows, "all")
    tell_refused()


def tell_refused() -> None:
    """Say once why nothing came of the last press."""
    if failed := st.session_state.pop(_FAILED, ""):
        st.warning(failed)


def show_run_actions(found: WatchedRuns, texts: Mapping[str, LiveText]) -> None:
    """One line per run: progress, speed, learning rate and time left, and its own buttons."""
    for state in found.rows:
        run_id = str(state["run_id"])
        with st.container(horizontal=True, vertical_alignment="center", key=f"run-{run_id}"):
            render(run_id, texts[run_id])
            if len(found.states) > 1:
                for action in OFFERED_ACTIONS:
                    action_button(action, [state], run_id)


def action_button(action: Action, states: Sequence[Mapping[Any, Any]], key: str) -> None:
    """A button for these runs; disabled where the action changes none of them."""
    button = _BUTTONS[action]
    st.button(
        button.label, icon=button.icon, help=button.help, key=f"{button.label}-{key}", width=104,
        disabled=not any(is_available(action, state) for state in states),
        on_click=_ask, args=(action, tuple(str(state["run_id"]) for state in states)),
    )  # fmt: skip


def _too_late(action: Action) -> str:
    """Why nothing came of a press: none of the runs stands any more as the action needs it."""
    needed = [str(status) for status, answer in ANSWERS[action].items() if answer is not None]
    either = f"{', '.join(needed[:-1])} or {needed[-1]}" if len(needed) > 1 else needed[0]
    return f"Nothing to {_BUTTONS[action].label.lower()}: none of these runs is {either} any more."


def _ask(action: Action, ids: Sequence[str]) -> None:
    """Apply the action to the runs that it changes now; they may have moved on since the page was drawn."""
    late = _too_late(action)
    asked, refused = 0, ""
    try:
        store = own_store()
        for state in actions.states(store, ids).to_dict("records"):
            if not is_available(action, state):
                # where the status allows it, it was asked before or is so already, and nothing is refused
                refused = late if state["status"] not in allowed(action) else refused
                continue
            try:
                run_limits.check_action(store, session_owner(), action, state["status"])
                actions.ASK[action](store, str(state["run_id"]))
                asked += 1
            except (actions.JobError, LimitError) as error:
                # it has gone on since it was read, or no place is left; the others are still meant
                refused = str(error)
    except (StoreError, ValueError) as error:
        asked, refused = 0, str(error)
    if refused and not asked:
        st.session_state[_FAILED] = refused
    invalidate_live()
