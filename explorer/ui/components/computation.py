"""Computing for one visitor without making others wait: private copies, kept results, a bar and a stop.

Each computation borrows a copy of the net, so no session holds a lock while it computes; see
docs/decisions/0017. Results are kept for all sessions, a bounded number of them.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

import streamlit as st
from cachetools import LRUCache

from explorer.system.limits import LimitError, most, refuse_above
from explorer.ui.components.net_picker import PROBING

if TYPE_CHECKING:
    from explorer.nets.loaded_net import LoadedNet
    from explorer.probes.attributions import Explainer

MOST_KEPT = 128
MOST_NETS = 6
_QUIET_S = 0.4
_BETWEEN_S = 0.2
_STOPPED = "stopped-computations"
T = TypeVar("T")


class ResultCache:
    """The last `MOST_KEPT` results of all sessions, by what was asked."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._values: LRUCache[Any, Any] = LRUCache(MOST_KEPT)

    def get(self, key: Any) -> Any:
        """What was kept, or None."""
        with self._lock:
            return self._values.get(key)

    def put(self, key: Any, value: Any) -> None:
        """Keep a result; the one that was not asked for longest goes."""
        with self._lock:
            self._values[key] = value


class NetPool:
    """Copies of nets that nobody works on at the moment."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._free: LRUCache[str, tuple[LoadedNet, list[Explainer]]] = LRUCache(MOST_NETS)

    @contextmanager
    def acquire(self, loaded: LoadedNet) -> Iterator[Explainer]:
        """A copy for one computation; it comes back only if that ended well."""
        explainer = self._acquire(loaded)
        yield explainer
        self._release(explainer)

    def _acquire(self, loaded: LoadedNet) -> Explainer:
        from explorer.probes.attributions import Explainer

        with self._lock:
            net, free = self._free.get(loaded.key, (None, []))
            if net is loaded and free:
                return free.pop()
        with PROBING:  # nobody's hooks are copied half set
            return Explainer(loaded)

    def _release(self, explainer: Explainer) -> None:
        loaded = explainer.loaded
        with self._lock:
            net, free = self._free.get(loaded.key, (loaded, []))
            kept = free if net is loaded else []
            self._free[loaded.key] = (loaded, [*kept, explainer][:2])


@st.cache_resource(show_spinner=False)
def net_pool() -> NetPool:
    """The copies, shared by all sessions."""
    return NetPool()


@st.cache_resource(show_spinner=False)
def result_cache() -> ResultCache:
    """The results, shared by all sessions."""
    return ResultCache()


def run_cancellable(
    key: tuple[Any, ...], title: str, work: Callable[[Callable[[float], None]], T]
) -> T | None:
    """A kept result, or a new one with a bar and a stop button once it takes long; None where it was stopped.

    One that takes longer than this server computes for a visitor is stopped too, and the page says so.

    Args:
        key: all that the result depends on.
        title: what is computed, in words.
        work: computes it, and tells its share to what it is given.

    Raises:
        ValueError: what `work` raises.
    """
    found: T | None = result_cache().get(key)
    if found is not None:
        return found
    name = hashlib.sha256(repr(key).encode()).hexdigest()[:12]
    if name in _stopped():
        _offer_again(title, name)
        return None
    watch = _Watch(title, name, most("probing"))
    try:
        value = work(watch)
    except LimitError as error:
        _stopped()[name] = str(error)
        watch.done()
        _offer_again(title, name)
        return None
    watch.done()
    result_cache().put(key, value)
    return value


def seconds_left(spent_s: float, first: float, share: float) -> float | None:
    """How long the rest takes, where `spent_s` went from share `first` to `share`; None: too early to say."""
    fresh = share - first
    return spent_s / fresh * (1 - share) if fresh > 0.02 else None


class _Watch:
    """Draws how far a computation is; any press interrupts the script here, and the computation with it."""

    def __init__(self, title: str, name: str, most_s: int | None) -> None:
        self._title, self._name, self._most_s = title, name, most_s
        self._place = st.empty()
        self._bar: Any = None
        self._started = time.perf_counter()
        self._next_s = _QUIET_S
        self._first: float | None = None  # what goes on from an earlier time does not begin at 0

    def __call__(self, share: float) -> None:
        self._first = share if self._first is None else self._first
        spent = time.perf_counter() - self._started
        if self._most_s is not None:
            refuse_above("probing", spent, title=self._title)
        if spent < self._next_s:
            return
        self._next_s = spent + _BETWEEN_S
        left = seconds_left(spent, self._first, share)
        text = f"{self._title}: {100 * share:.0f} %" + (f", about {left:.0f} s left" if left else "")
        if self._bar is None:
            self._draw()
        self._bar.progress(min(share, 1.0), text=text)

    def done(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._place.empty()

    def _draw(self) -> None:
        with self._place.container(horizontal=True, vertical_alignment="center"):
            self._bar = st.progress(0.0)
            st.button("Stop computing", key=f"stop-{self._name}", on_click=_stop, args=(self._name,))


def _stop(name: str) -> None:
    _stopped()[name] = ""


def _allow(name: str) -> None:
    _stopped().pop(name, None)


def _stopped() -> dict[str, str]:
    """What was stopped in this session, and why where it was not the visitor who did."""
    names: dict[str, str] = st.session_state.setdefault(_STOPPED, {})
    return names


def _offer_again(title: str, name: str) -> None:
    with st.container(border=True):
        st.markdown(_stopped()[name] or f"{title} was stopped.")
        st.button("Compute it", key=f"go-{name}", on_click=_allow, args=(name,))
