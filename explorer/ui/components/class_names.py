"""Names of classes: what may be called by one, and names for classes that came without."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from explorer.charts import words
from explorer.data.cifar import CIFAR10_CLASSES
from explorer.data.preprocess import Picture

if TYPE_CHECKING:
    from explorer.nets.loaded_net import LoadedNet

SURE_PCT = 50.0
"""A net names a class where it gives it more than this, in per cent: more than to all others together."""
_FEW = 12
_NUMBERED = re.compile(r"class \d+")
_LONGEST = 40
_NAME = re.compile(rf"[\w '.-]{{1,{_LONGEST}}}")


def is_nameless(classes: Sequence[str]) -> bool:
    """Whether outputs have numbers only, as in files that do not name their classes."""
    return all(_NUMBERED.fullmatch(name) for name in classes)


def shown_names(classes: Sequence[str]) -> tuple[str, ...]:
    """The names, or where there are none what the net has: outputs."""
    if is_nameless(classes):
        return tuple(f"output {number}" for number in range(len(classes)))
    return tuple(classes)


def verdict(classes: Sequence[str], probabilities: Sequence[float]) -> str:
    """What a net says of a picture, for the middle of a sentence: a name, or that it is unsure."""
    place = max(range(len(probabilities)), key=lambda number: probabilities[number])
    share = words.percent(100 * probabilities[place])
    if is_nameless(classes):
        return f"chooses output {place}, a class without a name here ({share})"
    if 100 * probabilities[place] > SURE_PCT:
        return f"says {classes[place]} ({share})"
    return (
        f"is unsure: {classes[place]} comes first with {share}, and a class is named above {SURE_PCT:.0f} %"
    )


def strange(picture: Picture, classes: Sequence[str]) -> str:
    """A sentence where a picture may show what the net has no class for; empty where it has."""
    if picture.label in classes or is_nameless(classes):
        return ""
    known = f": {words.listed(list(classes))}" if len(classes) <= _FEW else ""
    return (
        f"This net knows only its {len(classes):,} classes{known}. Whatever else it is shown, it answers "
        "with one of them."
    )


def offer_names(loaded: LoadedNet, key: str) -> LoadedNet:
    """Ask for the names of classes that have none; the net with those that were given.

    Args:
        loaded: an upload.
        key: unique on the page.
    """
    count = len(loaded.classes)
    with st.popover("Name its classes", icon=":material/sell:", width="stretch", key=f"names-{key}"):
        st.markdown(
            f"The file does not name the net's {count:,} classes. Names given here stay with the net, on "
            "every page of this session."
        )
        cifar = count == len(CIFAR10_CLASSES) and st.button(
            "They are CIFAR-10's, in its order", key=f"names-cifar-{key}", width="stretch",
            help=f"{words.listed(list(CIFAR10_CLASSES))}.",
        )  # fmt: skip
        given = st.text_area(
            "Or their names, separated by commas",
            key=f"names-given-{key}",
            placeholder="first, second",
        )
        names = CIFAR10_CLASSES if cifar else _listed(given)
        if not names:
            return loaded
        if problem := _problem(names, count):
            st.error(problem)
            return loaded
    return replace(loaded, classes=names)


def _listed(text: str | None) -> tuple[str, ...]:
    return tuple(name for part in (text or "").split(",") if (name := " ".join(part.split())))


def _problem(names: Sequence[str], count: int) -> str:
    if len(names) != count:
        return f"These are {len(names)} names, and the net has {count} classes. Give one for each, in order."
    if len(set(names)) < count or not all(map(_NAME.fullmatch, names)):
        return (
            f"Each class needs a name of its own, of at most {_LONGEST} letters, digits, spaces and hyphens."
        )
    return ""
