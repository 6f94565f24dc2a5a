"""How often may a page look at the store? As often as all who watch leave the machine free to train."""

from __future__ import annotations

import secrets
import time

import streamlit as st

_QUICKEST_S = 0.3
_EACH_S = 0.025
_FORGOTTEN_S = 5.0
_SESSION = "watcher"
_seen: dict[str, float] = {}


def period_s() -> float:
    """Seconds between two looks of this visitor's page; longer when many watch."""
    now = time.monotonic()
    _seen[st.session_state.setdefault(_SESSION, secrets.token_hex(8))] = now
    for session in [name for name, at in _seen.copy().items() if now - at > _FORGOTTEN_S]:
        _seen.pop(session, None)
    return max(_QUICKEST_S, _EACH_S * len(_seen))


def is_far(period: float | None) -> bool:
    """Whether a page that looks this often should change its pace; one visitor more or less is no reason."""
    wanted = period_s()
    return period is not None and not 0.6 < wanted / period < 1.6
