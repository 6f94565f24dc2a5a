"""The machines that train, what runs where, and the time left; only where a cluster is asked for."""

from __future__ import annotations

import streamlit as st

from explorer.cluster.settings import ClusterError, asked_cluster
from explorer.cluster.state import ClusterState, read_state
from explorer.runs.library import store_of
from explorer.training.estimates import duration
from explorer.ui import places
from explorer.ui.cached_runs import library

_EVERY_S = 5.0
_COLUMNS = {
    "host": st.column_config.TextColumn("machine"),
    "node": st.column_config.TextColumn("node", width="small"),
    "cpus": st.column_config.NumberColumn("cores", format="%g", width="small"),
    "gpus": st.column_config.NumberColumn("GPUs", format="%g", width="small"),
    "runs": st.column_config.ListColumn("trains now"),
}


def show_cluster() -> None:
    """Show the cluster of EXPLORER_CLUSTER; nothing where this machine's own workers train."""
    try:
        address = asked_cluster()
    except ClusterError as error:
        st.warning(str(error))
        return
    if address is not None:
        places.fragment(_show, run_every=_EVERY_S)(address)


def _show(address: str) -> None:
    store = store_of(library())
    state = None if store is None else read_state(store, address)
    with st.expander(f"Cluster at {address}", key="cluster"):
        st.markdown(summary(address, state))
        if state is None:
            return
        if state.problem:
            st.warning(state.problem)
        st.dataframe(
            state.nodes[list(_COLUMNS)], hide_index=True, column_config=_COLUMNS, width="stretch",
            key="cluster-nodes", alt="Nodes of the cluster and the runs that each trains",
        )  # fmt: skip
        st.code(f"python -m explorer cluster status --cluster {address}", language="bash")


def summary(address: str, state: ClusterState | None) -> str:
    """How the cluster stands, in words."""
    if state is None:
        return f"The cluster at {address} has not trained any of these runs yet."
    cores, gpus = state.nodes["cpus"].sum(), state.nodes["gpus"].sum()
    running = sum(map(len, state.nodes["runs"]))
    told = f"Nodes: {len(state.nodes)}, with {cores:g} cores and {gpus:g} GPUs. "
    told += f"In training: {running}; waiting: {state.waiting}."
    if state.seconds_left:
        told += f" About {duration(state.seconds_left)} left at this speed."
    return told if state.is_fresh else f"The cluster does not report any more. What it told last: {told}"
