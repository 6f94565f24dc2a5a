"""How does a page get a net? Listed for everybody, opened once for all, kept frozen."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

import streamlit as st

from explorer.runs.catalogue import NetChoice, find_net, open_net, trained_nets
from explorer.ui.data import library

if TYPE_CHECKING:
    from explorer.nets.loaded import LoadedNet

PROBING = Lock()
"""Held while a shared net is probed: hooks of two sessions must not meet."""


@st.cache_data(ttl=10, show_spinner=False)
def net_choices() -> list[NetChoice]:
    """All nets with weights: the zoo's and the user's own."""
    return trained_nets(library().runs())


def choose_net(label: str = "Net", key: str = "net", default: str | None = None) -> NetChoice:
    """A net from the list; the URL's `key`. Whatever the URL gets wrong becomes the default."""
    choices = {choice.key: choice for choice in net_choices()}
    first = default if default in choices else next(iter(choices))
    chosen = st.selectbox(
        label,
        list(choices),
        index=list(choices).index(first),
        format_func=lambda name: choices[name].title if name in choices else name,
        key=key,
        bind="query-params",
        help="Nets of the zoo and your own finished runs.",
    )
    return choices.get(chosen, choices[first])


@st.cache_resource(max_entries=12, show_spinner="Opening the net…")
def opened(choice: NetChoice) -> LoadedNet:
    """The net, shared by all sessions: probe it under `PROBING`, never change it."""
    return open_net(choice)


def net_by_key(key: str) -> LoadedNet:
    """The net of that key; raises as `find_net` and `open_net`."""
    return opened(find_net(net_choices(), key))
