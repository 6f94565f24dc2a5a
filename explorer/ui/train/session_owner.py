"""The name of a browser session, by which the queue takes turns and the limits count."""

from __future__ import annotations

import secrets

import streamlit as st

_OWNER = "train-owner"


def session_owner() -> str:
    """This session's name, the same until its tab is closed."""
    owner: str = st.session_state.setdefault(_OWNER, secrets.token_hex(8))
    return owner
