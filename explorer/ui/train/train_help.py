"""What stands under the live charts: where to go next, how to read them, where the numbers come from."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from explorer.nets.families import FAMILIES
from explorer.runs.status import Status
from explorer.ui.cached_runs import zoo_runs
from explorer.ui.components.provenance import show_provenance
from explorer.ui.train.watched_runs import RUNS, WatchedRuns, others_active, runs_of, watch_these

_COLOURS = ", ".join(f"{one.colour_name} is {one.title}" for one in FAMILIES.values())
_HOW = f"""{_COLOURS[0].upper()}{_COLOURS[1:]}. Twins have the same layers, the same number of parameters,
the same initial weights and the same batches in the same order: what differs is the shortcut alone. Dashed
and thin is training, solid and bold is the test. Pale lines are finished runs of the zoo. Where a net has
several seeds, each is a thinner line.

The loss of every step is that of one batch, so it jitters: the line over it is a mean of the last steps. The
dotted grey line is guessing; a small diamond on the frame's edge is a value beyond it. Zoom with the mouse;
the view stays while the run goes on, and a double click brings all of it back."""
_SAFE = """A run lives in a process of its own: reload the page, close it, open its link in another browser,
and it is still there. Pause keeps the weights as of that step; Resume goes on from there, and on a CPU it
ends with the same weights to the last bit as a run that was never paused."""


def show_other_runs(ids: Sequence[str]) -> None:
    """Say that other runs are being trained, and offer to watch them too."""
    there = others_active(ids)
    with st.container(horizontal=True, vertical_alignment="center", key="others"):
        if not there:
            return
        said = "One other run is" if len(there) == 1 else f"{len(there)} other runs are"
        st.markdown(f":material/sync: {said} waiting or being trained here.")
        st.button("Watch", on_click=watch_these, args=(there,), key="watch-others")


def show_next_steps(found: WatchedRuns) -> None:
    """Links to what can be asked of the finished nets."""
    states = found.states
    done = [str(run_id) for run_id in states.loc[states["status"] == Status.DONE, "run_id"]]
    with st.container(horizontal=True, key="where-to"):
        if not done:
            return
        last = done[-1]
        st.page_link(
            "../pages/runs.py", label="Compare them with other runs", icon=":material/table_chart:",
            query_params={RUNS: ",".join(done)},
        )  # fmt: skip
        st.page_link(
            "../pages/residuals.py", label="What each block adds", icon=":material/bar_chart:",
            query_params=[("probed", run_id) for run_id in done[:4]],
        )  # fmt: skip
        st.page_link(
            "../pages/inspect.py", label="Look inside the last one", icon=":material/visibility:",
            query_params={"net": last},
        )  # fmt: skip


def show_help(found: WatchedRuns, context: Sequence[str]) -> None:
    """Two fold-outs at the end of the page."""
    with st.expander("How to read this"):
        st.markdown(_HOW)
        st.markdown(_SAFE)
    zoo = zoo_runs()
    shown = [zoo[zoo["run_id"].isin(context)]]
    if len(found.states):
        own = runs_of(found)
        shown.append(own[own["provenance"].map(lambda facts: "versions" in facts)])
    show_provenance(pd.concat(shown))
