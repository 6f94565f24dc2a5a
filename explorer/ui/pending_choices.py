"""Choices made right before a link to another page is pressed: the request for that page carries them.

A browser sends a choice and, a moment later, a request for another page that mentions no widget of the page
that is left. Streamlit drops the run for the choice where it has not begun yet, and the choice with it.
"""

from __future__ import annotations

import importlib
from typing import Any

_SESSION = "streamlit.runtime.app_session"
_TRIGGERS = ("trigger_value", "string_trigger_value", "json_trigger_value", "chat_input_value")


def keep_pending_choices() -> bool:
    """Let a request for another page carry the values that the page which is left has sent last.

    Returns:
        Whether it does; False where this version of Streamlit takes up requests elsewhere, and may lose them.
    """
    session = importlib.import_module(_SESSION).AppSession
    take_up = getattr(session, "request_rerun", None)
    if take_up is None:
        return False
    if not hasattr(take_up, "carries"):

        def request_rerun(self: Any, request: Any) -> Any:
            if request:
                carry(vars(self).get("last_request"), request)
                self.last_request = request
            return take_up(self, request)

        request_rerun.carries = True  # type: ignore[attr-defined]
        session.request_rerun = request_rerun
    return True


def carry(last: Any, request: Any) -> None:
    """Add to a request for another page what the last request said of widgets that it does not mention.

    Args:
        last: a ClientState, or None at first. What was pressed in it, unlike what was chosen, happened once.
        request: the ClientState that follows; it is changed.
    """
    if last is None or last.page_script_hash == request.page_script_hash:
        return
    mentioned = {widget.id for widget in request.widget_states.widgets}
    request.widget_states.widgets.extend(
        widget
        for widget in last.widget_states.widgets
        if widget.id not in mentioned and widget.WhichOneof("value") not in _TRIGGERS
    )
