"""Updating the page's address after a script wrote into widgets, which Streamlit does not do."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path

import streamlit as st

_JS = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")
_ORDER = "address-order"


def rewrite(parameters: Mapping[str, Sequence[str]]) -> None:
    """Let the address say this once the page is drawn; an empty value takes the parameter away."""
    told = {name: list(values) for name, values in parameters.items()}
    st.session_state[_ORDER] = {"turn": secrets.token_hex(4), "parameters": told}


def follow_address() -> None:
    """The part of the page that writes the address; it shows nothing."""
    # registered at each run, since a module is imported once but a server may be started twice
    component = st.components.v2.component("address", js=_JS, isolate_styles=False)
    component(key="address", data=st.session_state.get(_ORDER, {"turn": "", "parameters": {}}), height=1)
