"""Measuring the signal again while a page is open, in a process of its own that can be stopped."""

from __future__ import annotations

from functools import partial

import pandas as pd
import streamlit as st

from explorer.evidence.signal_propagation import Measurement
from explorer.ui import places
from explorer.ui.verydeep.page import nets_of, show_signal, signal_of

_KEY = "signal-measurement"
_MOST = 2
_EVERY_S = 1.0


@st.cache_resource(show_spinner=False)
def _under_way() -> list[Measurement]:
    """Measurements of all sessions, so that their number stays bounded."""
    return []


def signal_view(depth: int) -> None:
    """The charts of the kept measurement, or of the one made just now, and the button that makes one."""
    mine: Measurement | None = st.session_state.get(_KEY)
    if mine is not None and mine.nets != nets_of(depth):
        _forget(mine)
        mine = None
    measured = mine.result() if mine is not None and not mine.running else pd.DataFrame()
    now = mine is not None and len(measured) > 0 and measured["net"].nunique() == len(mine.nets)
    show_signal(measured if now else signal_of(depth), depth)
    if mine is not None and now:
        st.caption(f"Measured just now on this machine, seed {mine.seed}, 16 digits.")
    _controls(depth)


@partial(places.fragment, run_every=_EVERY_S)
def _watch() -> None:
    mine: Measurement = st.session_state[_KEY]
    if not mine.running:
        st.rerun()
    total = len(mine.nets)
    waiting = mine.nets[min(mine.finished, total - 1)]
    bar, stop = st.columns([5, 1], vertical_alignment="center")
    bar.progress(mine.finished / total, f"{mine.finished} of {total} nets measured; now {waiting}")
    if stop.button("Stop", key="signal-stop", icon=":material/stop:", width="stretch"):
        _forget(mine)
        st.rerun()


def _controls(depth: int) -> None:
    mine: Measurement | None = st.session_state.get(_KEY)
    if mine is not None and mine.running:
        _watch()
        return
    number, button, _ = st.columns([1, 2, 4], vertical_alignment="bottom")
    seed = number.number_input("Seed", 0, 10_000, 3, key="signal-seed", persist_state="session",
                               help="Of the nets' weights.")  # fmt: skip
    label = "Measure again on this machine"
    if button.button(label, key="signal-start", icon=":material/play_arrow:"):
        _start(depth, int(seed))


def _start(depth: int, seed: int) -> None:
    running = _under_way()
    running[:] = [one for one in running if one.running]
    if len(running) >= _MOST:
        st.warning("Two measurements are running already; try again when they are done, in about a minute.")
        return
    before = st.session_state.get(_KEY)
    if before is not None:
        _forget(before)
    mine = Measurement(nets_of(depth), seed)
    mine.start()
    running.append(mine)
    st.session_state[_KEY] = mine
    st.rerun()


def _forget(mine: Measurement) -> None:
    mine.stop()
    st.session_state.pop(_KEY, None)
