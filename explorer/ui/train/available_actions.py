"""The actions that each watched run allows: where these change, a page has other buttons."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from explorer.runs.status import Action, changes
from explorer.ui.train.watched_runs import WatchedRuns

OFFERED_ACTIONS = (Action.PAUSE, Action.RESUME, Action.STEP, Action.STOP, Action.RETRY)
"""The actions that a page offers for a run that it watches, in their order on the page."""


def available_actions(found: WatchedRuns) -> list[list[str]]:
    """Of each run: its id, and the actions that would change it."""
    return [
        [str(state["run_id"]), *(action.value for action in OFFERED_ACTIONS if is_available(action, state))]
        for state in found.rows
    ]


def is_available(action: Action, state: Mapping[Any, Any]) -> bool:
    """Whether the action would change a run.

    Args:
        action: what is asked for.
        state: of the run, columns `actions.STATE_COLUMNS`.
    """
    return changes(action, state["status"], state["command"])
