"""How does a choice stand in the URL? By its key, not by its title, so that a link outlives a rewording.

Streamlit binds a select box to the URL by the titles that it shows. These write keys, which are also what
a shell or another page calls a net or a picture. Whatever the URL gets wrong becomes the default.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from explorer.ui.parameters import keys_of, texts_of, write


def linked_choice(label: str, titles: Mapping[str, str], key: str, *, default: str, help: str) -> str:
    """One of some keys, shown by their titles; the URL's `key`.

    Args:
        label: above the box.
        titles: by key, in order; at least one.
        key: of the widget, and in the URL.
        default: chosen at first, and whenever the URL or the session names none of the keys.
        help: one sentence.
    """
    default = default if default in titles else next(iter(titles))
    if st.session_state.get(key) not in titles:
        st.session_state[key] = next(iter(_asked(key, titles)), default)
    chosen = st.selectbox(
        label, list(titles), format_func=lambda name: titles.get(name, name), key=key, help=help
    )
    _link(key, [chosen], [default])
    return chosen


def linked_switch(label: str, titles: Mapping[str, str], key: str, *, default: str, help: str) -> str:
    """As `linked_choice`, for a few keys side by side; pressing the chosen one again keeps the default."""
    if st.session_state.get(key) not in titles:
        st.session_state[key] = next(iter(_asked(key, titles)), default)
    pressed = st.segmented_control(
        label, list(titles), format_func=lambda name: titles.get(name, name), key=key, help=help
    )
    chosen = pressed if pressed is not None else default
    _link(key, [chosen], [default])
    return chosen


def linked_choices(
    label: str, titles: Mapping[str, str], key: str, *, default: Sequence[str], most: int, help: str
) -> list[str]:
    """Some of some keys, at most `most`; otherwise as `linked_choice`. Nothing chosen stays nothing."""
    kept = st.session_state.get(key)
    if not isinstance(kept, list):
        st.session_state[key] = _asked(key, titles)[:most] or list(default)
    elif any(name not in titles for name in kept):
        st.session_state[key] = [name for name in kept if name in titles]
    chosen = st.multiselect(
        label,
        list(titles),
        format_func=lambda name: titles.get(name, name),
        key=key,
        max_selections=most,
        help=help,
    )
    _link(key, chosen, list(default))
    return chosen


def linked_pills(
    label: str, titles: Mapping[str, str], key: str, *, default: Sequence[str], help: str
) -> list[str]:
    """As `linked_choices`, for a few keys side by side, in the order of `titles`."""
    kept = st.session_state.get(key)
    if not isinstance(kept, list) or any(name not in titles for name in kept):
        st.session_state[key] = _asked(key, titles) or list(default)
    pressed = st.pills(
        label, list(titles), format_func=lambda name: titles.get(name, name), key=key, help=help,
        selection_mode="multi",
    )  # fmt: skip
    chosen = [name for name in titles if name in pressed]
    _link(key, chosen, list(default))
    return chosen


def _asked(key: str, titles: Mapping[str, str]) -> list[str]:
    """The keys in the URL."""
    return keys_of(texts_of(key), titles)


def _link(key: str, chosen: list[str], default: list[str]) -> None:
    """Write what differs from the default into the URL, and nothing else."""
    write(key, [] if chosen == default else chosen)
