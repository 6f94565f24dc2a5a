"""The address of each page, remembered for the session, for whoever comes back by the sidebar.

A page is what its address says. So an address is all that has to be remembered: a page that is reached
without one is drawn by the address that it had when it was left. Why:
docs/decisions/0051-a-page-is-its-address.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec
from urllib.parse import parse_qs, urlencode

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from explorer.runs.database import StoreError
from explorer.ui.components.mount import mount
from explorer.ui.url_parameters import all_texts

_JS = Path(__file__).with_suffix(".js")
_HERE, _LEFT, _LINKED, _ASKED = "place-here", "places-left", "places-linked", "place-asked"
EVERYWHERE = ("present", "learn")
"""Parameters of the app itself: they hold on every page, and no page remembers them as its own."""
_CARRIED = ("net", "picture", "index")
"""What a page that was never opened takes over from the page on which it was chosen last."""
_Parameters = dict[str, list[str]]
_P = ParamSpec("_P")


@dataclass(frozen=True)
class _Left:
    """A page as it was left.

    Attributes:
        said: by its address.
        values: of the widgets that the address speaks of, by key.
    """

    said: _Parameters
    values: dict[str, Any]


def note_choices() -> None:
    """Remember what was chosen, before anything is drawn: a run may end there, for the next page.

    Streamlit then forgets the values of the page's widgets; and where that page is asked for at once, no run
    begins for the choice at all.
    """
    here = st.session_state.get(_HERE)
    page = _left().get(here) if here else None
    if here is None or page is None:
        return
    now = {key: st.session_state[key] for key in page.values if key in st.session_state}
    changed = {key: value for key, value in now.items() if value != page.values[key]}
    said = {key: _texts(value) for key, value in changed.items()}
    _left()[here] = _Left(page.said | said, page.values | now)


@contextmanager
def place(path: str) -> Iterator[None]:
    """Draw a page by its address, or without one by the address it had when it was left; then remember it.

    Args:
        path: of the page in the URL.
    """
    if st.session_state.get(_HERE) != path:
        _arrive(path)
    try:
        yield
    finally:
        _remember()


def fragment(draw: Callable[_P, None], run_every: float | None = None) -> Callable[_P, None]:
    """As `st.fragment`; what is chosen in it is remembered, though the page around it does not run."""

    @wraps(draw)
    def drawn(*args: _P.args, **kwargs: _P.kwargs) -> None:
        try:
            draw(*args, **kwargs)
        except StoreError as error:  # the next run of the part asks the database again
            st.error(str(error))
        finally:
            _remember()

    return st.fragment(drawn, run_every=run_every)


def follow_history() -> None:
    """Let the browser keep one entry per page, with the address that the page had when it was left."""
    with st.container(key="unseen-places"):
        mount("places", _JS, key="places")


def note_linked(key: str) -> None:
    """Count a widget that writes itself into the address among those of the page.

    Args:
        key: of the widget, and in the URL.
    """
    if here := st.session_state.get(_HERE):
        _linked(here).add(key)


def set_asked(key: str, values: list[str]) -> None:
    """Let the address say this of a widget that is drawn after this call, and bound to the address.

    Args:
        key: of the widget, and in the URL.
        values: none to leave the widget at its default.
    """
    _follow(all_texts() | {key: values})


def is_open(path: str) -> bool:
    """Whether that page was drawn in the last run too."""
    return bool(st.session_state.get(_HERE) == path)


def arrive_afresh(address: Mapping[str, list[str]]) -> None:
    """Let the page that is about to be drawn follow the address of a link alone.

    Widgets would else keep what was chosen in them where that page is open already; Streamlit takes from an
    address what widgets of the page before are called as well, and the browser leaves names of that page in.
    The first page of a session is drawn by its whole address in any case.

    Args:
        address: all that the link says, by name.
    """
    if _HERE in st.session_state:
        st.session_state[_ASKED] = dict(address)
    for key in {key for page in _left().values() for key in page.values}:
        if key in st.session_state:
            del st.session_state[key]
    st.session_state.pop(_HERE, None)


def _arrive(path: str) -> None:
    context, left = get_script_run_ctx(), _left()
    if context is None:
        return
    asked, back = all_texts(), left.get(path)
    if (link := st.session_state.pop(_ASKED, None)) is not None:
        asked, back = link, None
    elif st.session_state.get(_HERE) is None or context.is_history_navigation:
        # the whole address: Streamlit took away what widgets of the last page happened to be called as well
        asked, back = parse_qs(context.query_string, keep_blank_values=True), None
    elif set(asked) - set(EVERYWHERE):
        back = None
    else:
        asked |= back.said if back else _carried()
    st.session_state[_HERE] = path
    if back is None:
        # as after Back: the address decides, also over what a widget of this name was set to on another page
        context.is_history_navigation = True
    else:
        _set_again(back)
    _follow(asked)


def _set_again(back: _Left) -> None:
    """Let the widgets of a page have their values again, and none of those of other pages."""
    for key in {key for page in _left().values() for key in page.values} - set(back.values):
        if key in st.session_state:
            del st.session_state[key]
    for key, value in back.values.items():
        st.session_state[key] = value


def _follow(asked: _Parameters) -> None:
    """Let the address of the page, and the widgets that are drawn from now on, say this."""
    context = get_script_run_ctx()
    query = urlencode({name: values for name, values in asked.items() if values}, doseq=True)
    if context is None:
        return
    with context.session_state.query_params() as address:
        address.set_initial_query_params(query)
        address.populate_from_query_string(query)
        address.update()  # tells the browser


def _left() -> dict[str, _Left]:
    """Pages as they were left, the last one at the end."""
    left: dict[str, _Left] = st.session_state.setdefault(_LEFT, {})
    return left


def _carried() -> _Parameters:
    for page in reversed(_left().values()):
        if found := {name: page.said[name] for name in _CARRIED if name in page.said}:
            return found
    return {}


def _remember() -> None:
    here, left, context = st.session_state.get(_HERE), _left(), get_script_run_ctx()
    if here is None or context is None:
        return
    with context.session_state.query_params() as address:
        bindings = [address.get_binding_for_param(str(key)) for key in st.session_state]
    own = {one.param_key for one in bindings if one and one.script_hash == context.page_script_hash}
    own |= {key for key in _linked(here) if key in st.session_state}
    said = {name: values for name, values in all_texts().items() if name not in EVERYWHERE}
    left.pop(here, None)
    left[here] = _Left(said, {key: st.session_state[key] for key in own})


def _texts(value: Any) -> list[str]:
    """A widget's value as the address says it."""
    if isinstance(value, list | tuple):
        return [text for one in value for text in _texts(one)]
    if isinstance(value, bool):
        return [str(value).lower()]
    return [] if value is None else [str(value)]


def _linked(path: str) -> set[str]:
    """Keys of the widgets of a page that write themselves into the address."""
    linked: dict[str, set[str]] = st.session_state.setdefault(_LINKED, {})
    return linked.setdefault(path, set())
