"""One card for a whole sweep: progress, time left, pause and stop for all, and its results as they come."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from explorer.charts.sweep import describe_grid, error_grid, error_heat, parallel_runs
from explorer.data.registry import available
from explorer.jobs.grid import SETTINGS
from explorer.jobs.swept import seconds_left, sweep_table, sweeps, swept_runs, varied
from explorer.runs.run import Run
from explorer.runs.status import ACTIVE, Action, Status
from explorer.runs.store import StoreError
from explorer.training.estimates import duration, estimate
from explorer.ui import places
from explorer.ui.cached_runs import own_store
from explorer.ui.components.figure import download_panel, draw
from explorer.ui.components.machine import speed_of
from explorer.ui.components.url_widgets import linked_choice
from explorer.ui.train.experiment_form import FormResult
from explorer.ui.train.run_controls import action_button, tell_refused
from explorer.ui.train.sweep_form import ORDER, SWEEP, lanes, sweep_form
from explorer.ui.train.watched_runs import MOST, RUNS
from explorer.ui.url_parameters import texts_of

_EVERY_S = 2.0
_NONE = "none"
_ACTIONS = (Action.PAUSE, Action.RESUME, Action.STOP)


def show_sweep(form: FormResult) -> None:
    """The fold that orders a sweep, and the card of the one that is shown; the URL's `sweep`."""
    try:
        there = sweeps(own_store())
    except StoreError:
        there = {}
    asked = [*texts_of(SWEEP)[-1:], st.session_state.get(SWEEP, "")]
    shown = any(name in there for name in asked) or any(map(texts_of, ORDER))
    box = st.expander("Sweep", icon=":material/grid_on:", key="sweep-fold", on_change="rerun", expanded=shown)
    with box:
        if not (box.open or shown):
            return
        sweep_form(form)
        if there:
            group = linked_choice(
                "Sweep shown", {_NONE: "none", **there}, SWEEP, default=_NONE,
                help="The latest sweeps of this server; the link of this page keeps the one that is shown.",
            )  # fmt: skip
            if group != _NONE:
                _show(group)


def _show(group: str) -> None:
    runs = swept_runs(own_store(), group)
    active = sweep_table(own_store(), runs)["status"].isin(ACTIVE).any() if runs else False
    places.fragment(_card, run_every=_EVERY_S if active else None)(group, bool(active))


def _card(group: str, was_active: bool) -> None:
    runs = swept_runs(own_store(), group)
    if not runs:
        st.info("The runs of this sweep are gone.")
        return
    table = sweep_table(own_store(), runs)
    with st.container(border=True, key="sweep-card"):
        st.progress(float(table["share"].mean()), told(table, _left(runs, table)))
        with st.container(horizontal=True, vertical_alignment="center", key="steer-sweep"):
            states = table[["run_id", "status", "command"]].to_dict("records")
            for action in _ACTIONS:
                action_button(action, states, "sweep")
            _links(table)
        tell_refused()
        _results(table[table["status"] == Status.DONE], varied(runs))
    if was_active and not table["status"].isin(ACTIVE).any():
        st.rerun()


def told(table: pd.DataFrame, left: float | None) -> str:
    """How far a sweep is, in one line."""
    counts = table["status"].value_counts()
    parts = [f"{count} {status}" for status in Status if (count := int(counts.get(status, 0)))]
    time = f"; about {duration(left)} left" if left else ""
    return f"{len(table)} runs: {', '.join(parts)}{time}"


def _left(runs: list[Run], table: pd.DataFrame) -> float | None:
    seconds = [_seconds(run) for run in runs]
    return seconds_left(table, seconds, lanes()) if len(seconds) == len(table) else None


def _seconds(run: Run) -> float | None:
    entry = next((entry for entry in available() if entry.name == run.dataset), None)
    if entry is None:
        return None
    return estimate(run.spec, run.recipe, entry.image_size, entry.train, speed_of(run.recipe)).seconds


def _links(table: pd.DataFrame) -> None:
    ids = ",".join(table["run_id"])
    label = "Watch them" if len(table) <= MOST else f"Watch the first {MOST}"
    st.page_link(
        "../pages/train.py", label=label, icon=":material/timeline:",
        query_params={RUNS: ",".join(table["run_id"].head(MOST))},
    )  # fmt: skip
    st.page_link(
        "../pages/runs.py",
        label="Compare their curves",
        icon=":material/table_chart:",
        query_params={RUNS: ids},
    )


def _results(done: pd.DataFrame, names: list[str]) -> None:
    done = done[done["test_error_pct"].notna()]
    if done.empty:
        st.caption("Results follow as runs end.")
        return
    titles = {name: SETTINGS[name].title for name in names}
    grid, parallel = error_grid(done, titles), parallel_runs(done, titles)
    st.markdown("**Final test errors** in per cent, mean over the seeds of runs that are done")
    heat = error_heat(grid, ", ".join(titles.values()) or "family")
    draw(heat, "sweep-errors", describe_grid(grid, titles))
    st.markdown(describe_grid(grid, titles))
    st.markdown("**Every run** as a line; drag along an axis to pick some")
    draw(parallel, "sweep-parallel", f"{len(done)} runs as lines. {describe_grid(grid, titles)}")
    download_panel(lambda: done, lambda: heat, "sweep-results")
