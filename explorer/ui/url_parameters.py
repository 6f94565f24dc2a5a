"""Parameters of the pages' addresses: declared with their types, and read here alone.

Whatever an address gets wrong (a text for a number, inf, a number out of range, an option that is not there)
becomes the default. A widget is bound to the address by `**bound(PARAMETER)`; what has no widget is `asked`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import streamlit as st
from streamlit.runtime.state.session_state_proxy import get_session_state

_LONGEST = 200
_NAME = re.compile(r"[\w.:-]{1,200}", re.ASCII)
_WHOLE = re.compile(r"[+-]?\d{1,15}(\.0{1,6})?", re.ASCII)
_REAL = re.compile(r"[+-]?(\d{1,20}(\.\d{0,20})?|\.\d{1,20})([eE][+-]?\d{1,3})?", re.ASCII)


@dataclass(frozen=True)
class Parameter:
    """One name in an address, and what may stand behind it.

    Attributes:
        key: the name, which is also the widget's key.
    """

    key: str

    def read(self, texts: Sequence[str]) -> Any:
        """The value that the texts behind the name mean, in their order; None where they mean none."""
        raise NotImplementedError


@dataclass(frozen=True)
class Whole(Parameter):
    """A whole number from `low` to `high`; without `high`, of up to 15 digits."""

    low: int = 0
    high: int | None = None

    def read(self, texts: Sequence[str]) -> int | None:
        """The last text as a number; see `Parameter.read`."""
        if not texts or not _WHOLE.fullmatch(texts[-1]):
            return None
        number = int(texts[-1].partition(".")[0])
        return number if self.low <= number and (self.high is None or number <= self.high) else None


@dataclass(frozen=True)
class Real(Parameter):
    """A finite number from `low` to `high`."""

    low: float
    high: float

    def read(self, texts: Sequence[str]) -> float | None:
        """The last text as a number; see `Parameter.read`."""
        if not texts or not _REAL.fullmatch(texts[-1]):
            return None
        number = float(texts[-1])
        return number if math.isfinite(number) and self.low <= number <= self.high else None


@dataclass(frozen=True)
class Pair(Parameter):
    """Two whole numbers from `low` to `high`, the smaller one first."""

    low: int
    high: int

    def read(self, texts: Sequence[str]) -> tuple[int, int] | None:
        """Both texts as numbers; see `Parameter.read`."""
        ends = [Whole(self.key, self.low, self.high).read([text]) for text in texts]
        if len(ends) != 2 or ends[0] is None or ends[1] is None or ends[0] > ends[1]:
            return None
        return ends[0], ends[1]


@dataclass(frozen=True)
class Switch(Parameter):
    """On or off."""

    def read(self, texts: Sequence[str]) -> bool | None:
        """The last text, true or false; see `Parameter.read`."""
        return {"true": True, "false": False}.get(texts[-1].lower()) if texts else None


@dataclass(frozen=True)
class Choice(Parameter):
    """One of some options, as they are shown; without options, which a page may not know before, none."""

    options: tuple[str, ...] = ()

    def read(self, texts: Sequence[str]) -> str | None:
        """The last text, where it is an option; see `Parameter.read`."""
        return texts[-1] if texts and texts[-1] in self.options else None


@dataclass(frozen=True)
class Choices(Parameter):
    """Some of some options, as they are shown; what is none of them is passed over."""

    options: tuple[str, ...] = ()

    def read(self, texts: Sequence[str]) -> list[str] | None:
        """The texts that are options, each once; see `Parameter.read`."""
        return list(dict.fromkeys(text for text in texts if text in self.options)) or None


@dataclass(frozen=True)
class Text(Parameter):
    """A text that can be printed, of at most 200 characters."""

    def read(self, texts: Sequence[str]) -> str | None:
        """The last text; see `Parameter.read`."""
        return texts[-1] if texts and texts[-1].isprintable() and 0 < len(texts[-1]) <= _LONGEST else None


@dataclass(frozen=True)
class Names(Parameter):
    """Ids of runs, with commas between them; an empty list is a list."""

    def read(self, texts: Sequence[str]) -> list[str] | None:
        """The ids in the last text, without what can be none; see `Parameter.read`."""
        if not texts:
            return None
        words = [word for word in texts[-1].split(",") if word]
        names = list(dict.fromkeys(word for word in words if _NAME.fullmatch(word)))
        return names if names or not words else None


_P = TypeVar("_P", bound=Parameter)
_DECLARED: dict[Parameter, None] = {}


def declare(parameter: _P) -> _P:
    """Make a parameter known; every module does so when it is imported."""
    _DECLARED[parameter] = None
    return parameter


def declared() -> list[Parameter]:
    """All parameters that the modules imported so far have declared."""
    return list(_DECLARED)


def bound(parameter: Parameter, **limits: Any) -> dict[str, Any]:
    """The arguments that bind a widget to the address, which from now on says nothing wrong about it.

    Args:
        parameter: as it was declared.
        limits: low, high or options, where they depend on what is shown; numbers among options become texts.
    """
    if parameter not in _DECLARED:
        raise KeyError(f"{parameter} was not declared.")
    if "options" in limits:
        limits["options"] = tuple(map(str, limits["options"]))
    _forget_wrong(replace(parameter, **limits))
    return {"key": parameter.key, "bind": "query-params"}


def asked(parameter: Parameter) -> Any:
    """What the address says of a parameter without a bound widget; None where it says nothing that counts."""
    return parameter.read(texts_of(parameter.key))


def texts_of(key: str) -> list[str]:
    """What stands behind a name in the address, for those who compare it with what there is."""
    return st.query_params.get_all(key)


def all_texts() -> dict[str, list[str]]:
    """Every name in the address, with all its texts."""
    return {name: st.query_params.get_all(name) for name in st.query_params}


def say(parameter: Names, values: Iterable[str]) -> None:
    """Write names into the address, with commas between them."""
    st.query_params[parameter.key] = ",".join(values)


def write(key: str, texts: Sequence[str]) -> None:
    """Let the address say these texts, or nothing, behind a name without a bound widget."""
    if not texts:
        if key in st.query_params:
            del st.query_params[key]
    elif texts_of(key) != list(texts):
        st.query_params[key] = list(texts)


def unsay(parameter: Names) -> None:
    """Take names out of the address."""
    write(parameter.key, [])


def keys_of(texts: Sequence[str], titles: Mapping[str, str]) -> list[str]:
    """The keys of `titles` that some texts of an address name, each once; a title is taken for its key."""
    keys = {title: name for name, title in titles.items()} | {name: name for name in titles}
    return list(dict.fromkeys(keys[text] for text in texts if text in keys))


def titled(names: Iterable[Any], title: Callable[[Any], str]) -> list[str]:
    """Options as a widget shows them, which is how Streamlit writes them into the address."""
    return [title(name) for name in names]


def _forget_wrong(parameter: Parameter) -> None:
    """Streamlit seeds a widget from the address as it came, and some values end the page: take those out."""
    with get_session_state().query_params() as found:
        given = found.get_initial_value(parameter.key)
        if given is None:
            return
        if parameter.read([given] if isinstance(given, str) else list(given)) is None:
            found.remove_param(parameter.key)
            found.set_initial_query_params_from_current()
