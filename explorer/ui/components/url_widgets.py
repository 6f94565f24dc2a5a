"""Choices that stand in the URL by key, not by title, so that a link outlives a rewording.

Streamlit binds a select box to the URL by the titles that it shows. These write keys, which are also what
a shell or another page calls a net or a picture. Whatever the URL gets wrong becomes the default.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence

import streamlit as st

from explorer.charts.words import literal
from explorer.ui.places import note_linked, set_asked
from explorer.ui.url_parameters import keys_of, texts_of, write


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
    _follow_default(key, default)
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


def settle_number(key: str, numbers: Sequence[int], nothing: str) -> None:
    """Let a number that is none of those at hand be the nearest of them, and say so as long as that is shown.

    Args:
        key: of the widget that is drawn next, and in the URL.
        numbers: what can be shown, in order.
        nothing: what there is none of, with {} for the number: "No net of {} layers was trained here".
    """
    wanted = st.session_state.get(key) if key in st.session_state else next(iter(texts_of(key)[-1:]), None)
    told, number = f"nearest-{key}", _whole(wanted)
    if number is not None and number not in numbers:
        near = min(numbers, key=lambda one: (abs(one - (number or 0)), one))
        st.session_state[told] = (near, f"{nothing.format(number)}. Shown is the nearest: {near}.")
        _set(key, near)
        number = near
    near, said = st.session_state.get(told, (None, ""))
    if said and near in (number, _whole(st.session_state.get(key))):
        st.info(said, icon=":material/near_me:")


def _set(key: str, number: int) -> None:
    if key in st.session_state:
        st.session_state[key] = str(number) if isinstance(st.session_state[key], str) else number
    else:
        set_asked(key, [str(number)])


def _whole(word: object) -> int | None:
    """The whole number that a word is, if it is one."""
    try:
        return int(str(word)[:9])
    except ValueError:
        return None


def tell_absent(
    key: str, there: Container[str], *, own: str | tuple[str, ...], what: str, how: str
) -> Callable[[str, str], None]:
    """Note what the address asks for and is not here; what this returns says so while another is shown.

    Args:
        key: of the widget that is drawn next, and in the URL.
        there: keys of what can be shown.
        own: how keys begin of what stays with the session that opened it.
        what: "net" or "picture".
        how: how its owner can share it, as a sentence.
    """
    asked, noted = next(iter(texts_of(key)[-1:]), ""), f"absent-{key}"
    if asked and asked not in there:
        st.session_state[noted] = {"asked": asked}

    def tell(shown: str, title: str) -> None:
        absent = st.session_state.get(noted)
        if absent is None:
            return
        if absent.setdefault("shown", shown) != shown:
            del st.session_state[noted]
            return
        st.warning(_absent(absent["asked"], own, what, how) + f" Shown instead: {title}.")

    return tell


def _absent(asked: str, own: str | tuple[str, ...], what: str, how: str) -> str:
    if asked.startswith(own):
        return (
            f"This link shows a {what} from a file. Such a file stays with the session that opened it, "
            f"and is never part of a link. {how}"
        )
    return f"There is no {what} “{literal(asked[:60])}” here: it was deleted, or is kept on another machine."


def _follow_default(key: str, default: str) -> None:
    """What was never chosen is the default, also where that has changed with another choice."""
    kept = f"default-{key}"
    before = st.session_state.get(kept, default)
    st.session_state[kept] = default
    if before != default and st.session_state.get(key) == before and not texts_of(key):
        del st.session_state[key]


def _asked(key: str, titles: Mapping[str, str]) -> list[str]:
    """The keys in the URL."""
    return keys_of(texts_of(key), titles)


def _link(key: str, chosen: list[str], default: list[str]) -> None:
    """Write what differs from the default into the URL, and nothing else."""
    note_linked(key)
    write(key, [] if chosen == default else chosen)
