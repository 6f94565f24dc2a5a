"""Updating the page's address after a script wrote into widgets, which Streamlit does not do."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path

import streamlit as st

from explorer.ui.components.mount import mount

_JS = Path(__file__).with_suffix(".js")
_ORDER = "address-order"


def rewrite(parameters: Mapping[str, Sequence[str]]) -> None:
    """Let the address say this once the page is drawn; an empty value takes the parameter away."""
    told = {name: list(values) for name, values in parameters.items()}
    st.session_state[_ORDER] = {"turn": secrets.token_hex(4), "parameters": told}


def follow_address() -> None:
    """The part of the page that writes the address; it shows nothing."""
    order = st.session_state.get(_ORDER, {"turn": "", "parameters": {}})
    mount("address", _JS, key="address", data=order)
