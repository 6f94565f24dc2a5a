"""The stations of the path in order: the page of each, the address that sets it up, and its question."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from explorer.learn import questions
from explorer.learn.question import DATASET, Asked, Measurements
from explorer.learn.translation import gettext as _

PICTURE_NET = f"{DATASET}-residual-{questions.SHALLOW}-s0"
PICTURE = "cat"
"""What the last station shows, and to which net."""
RATIO_NETS = (f"residual-{questions.SHALLOW}", f"residual-{questions.DEEPEST}")
_DEEP = str(questions.DEEP)


@dataclass(frozen=True)
class Station:
    """One question on one page.

    Attributes:
        name: in links.
        page: URL path of its page.
        title: in a few words, in the language that is spoken.
        ask: the question, with the answer that was measured; raises `question.NotMeasured`.
        address: parameters that set the page up.
        covered: whether the page, which gives the answer away, is shown only once it was given.
    """

    name: str
    page: str
    title: Callable[[], str]
    ask: Callable[[Measurements], Asked]
    address: Mapping[str, list[str]] = field(default_factory=dict)
    covered: bool = False


def _address(**said: str | list[str]) -> dict[str, list[str]]:
    return {name: [texts] if isinstance(texts, str) else texts for name, texts in said.items()}


ALL = (
    Station(
        "predict", "depth", lambda: _("Predict"), questions.predict,
        _address(data=DATASET, depth=_DEEP), covered=True,
    ),
    Station(
        "depth", "depth", lambda: _("Depth"), questions.depth,
        _address(data=DATASET, depth=str(questions.SHALLOW)),
    ),
    Station(
        "training", "depth", lambda: _("Overfitting?"), questions.training,
        _address(data=DATASET, depth=_DEEP),
    ),
    Station(
        "construct", "construct", lambda: _("Construct"), questions.construct,
        _address(net=f"{DATASET}-plain-{questions.SHALLOW}-s0", layers=_DEEP, trained=_DEEP),
    ),
    Station(
        "gradients", "gradients", lambda: _("Vanishing gradients?"), questions.gradients,
        _address(layers=_DEEP, norm="weights_norm"),
    ),
    Station(
        "shortcut", "shortcut", lambda: _("Strength of the shortcut"), questions.shortcut,
        _address(layers=_DEEP, strength="1"),
    ),
    Station(
        "blocks", "residuals", lambda: _("What a block adds"), questions.blocks,
        _address(data=DATASET, quantity="ratio", nets=list(RATIO_NETS)),
    ),
    Station("lesion", "lesion", lambda: _("Lesion"), questions.lesion, _address(net=questions.LESIONED)),
    Station(
        "picture", "inspect", lambda: _("Your own picture"), questions.picture,
        _address(net=PICTURE_NET, picture=PICTURE),
    ),
)  # fmt: skip
"""In order. A link names a station by its name, or by its number here, from 1."""


def on_pages(paths: Collection[str]) -> tuple[Station, ...]:
    """The stations whose pages are there, in order."""
    return tuple(station for station in ALL if station.page in paths)


def find(word: str, there: Collection[Station]) -> Station | None:
    """The station of that name, or of that number among all; None where its page is not there."""
    numbers = {str(number): station for number, station in enumerate(ALL, start=1)}
    return next((one for one in there if one.name == word or numbers.get(word) == one), None)


def names() -> tuple[str, ...]:
    """What a link may say: every name and every number."""
    return tuple(station.name for station in ALL) + tuple(str(number + 1) for number in range(len(ALL)))
