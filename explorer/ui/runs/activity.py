"""Waiting and running runs, updated every second while there are any."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from explorer.cluster.trainers import ready
from explorer.jobs.progress import states
from explorer.runs.library import store_of
from explorer.runs.status import ACTIVE, Status
from explorer.runs.store import StoreError
from explorer.ui import places
from explorer.ui.cached_runs import library
from explorer.ui.runs.run_list import all_runs, forget

_EVERY_S = {True: 1.0, False: 5.0}
_COLUMNS = {
    "shown": st.column_config.TextColumn("run"),
    "status": st.column_config.TextColumn("status", width="small"),
    "done": st.column_config.ProgressColumn("progress", min_value=0, max_value=1, format="percent"),
    "where": st.column_config.TextColumn("epoch", width=150),
    "test_error_pct": st.column_config.NumberColumn("test error", format="%.1f %%", width="small"),
    "reason": st.column_config.TextColumn("reason", width="medium"),
}


def watch(runs: pd.DataFrame) -> None:
    """Show what is going on, and redraw the page when a run comes, goes or ends.

    Args:
        runs: the list as this page run has drawn it.
    """
    active = is_active(runs)
    places.fragment(_watch, run_every=_EVERY_S[active])(_stamp(runs))


def is_active(runs: pd.DataFrame) -> bool:
    """Whether any of these runs is waiting or being trained."""
    return bool(runs["status"].isin(ACTIVE).any())


def _watch(drawn: int) -> None:
    runs = all_runs()
    if _stamp(runs) != drawn:
        forget()
        st.rerun()
    active = runs[runs["status"].isin(ACTIVE)]
    if active.empty:
        return
    st.markdown("**Going on now**")
    if problem := _idle(active):
        st.warning(f"No worker takes the runs that wait. {problem}")
    st.dataframe(
        _progress(active)[list(_COLUMNS)], hide_index=True, column_config=_COLUMNS, width="stretch",
        placeholder="–", height=38 + 35 * min(len(active), 6), key="runs-active",
        alt="Runs that wait or are being trained",
    )  # fmt: skip


def _idle(active: pd.DataFrame) -> str:
    """Start the workers where a run waits, as one queued in a shell does; why there are none, if so."""
    if not (active["status"] == Status.QUEUED).any():
        return ""
    return ready()


def _stamp(runs: pd.DataFrame) -> int:
    """Changes when a run comes, goes, or changes its status; not with every epoch."""
    return hash(tuple(zip(runs["run_id"], runs["status"], runs["name"], runs["pinned"], strict=True)))


def _progress(active: pd.DataFrame) -> pd.DataFrame:
    store = store_of(library())
    if store is None:
        return active.assign(done=0.0, where="")
    try:
        found = states(store, list(active["run_id"])).set_index("run_id").reindex(active["run_id"])
    except StoreError:
        return active.assign(done=0.0, where="")
    total = found["iterations"].clip(lower=1).to_numpy()
    queued = found["place"].fillna(0).astype(int)
    epochs = [
        f"place {place} in the queue" if place else f"{max(int(epoch), 0)} of {whole}"
        for place, epoch, whole in zip(queued, found["epoch"].fillna(0), active["epochs"], strict=True)
    ]
    return active.assign(done=found["iteration"].clip(lower=0).to_numpy() / total, where=epochs)
