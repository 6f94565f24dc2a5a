"""The line between the form and the charts: cost, and the button that starts."""

from __future__ import annotations

from functools import partial

import streamlit as st

from explorer.charts.live import LiveStyle
from explorer.jobs import actions, run_limits
from explorer.jobs.experiment import CostEstimate, DatasetInfo, Experiment
from explorer.jobs.machine_speed import available_mib
from explorer.runs.store import StoreError
from explorer.training.estimates import check_fits, duration, memory_text
from explorer.ui import places
from explorer.ui.cached_runs import own_store
from explorer.ui.components.machine import cost_here, is_measured, ready_workers
from explorer.ui.train.experiment_form import FormResult
from explorer.ui.train.live_view import choose_style
from explorer.ui.train.session_owner import session_owner
from explorer.ui.train.watched_runs import watch_these

_FAILED = "train-failed"
_WAIT_S = 2


def offer_start(form: FormResult) -> tuple[LiveStyle, bool]:
    """The button that starts the order, with its cost; where it cannot start, why.

    Returns:
        How the curves are drawn, chosen at the end of the same line; as `choose_style`.
    """
    refusal, cost, experiment = form.refusal, None, form.experiment
    reasons: tuple[str, ...] = ()
    if experiment:
        experiment, cost, reasons = cost_here(experiment, form.images)
        refusal = _no_room(cost, experiment)
    refusal = refusal or _not_ready() or (refused_here(experiment, form.images) if experiment else "")
    with st.container(horizontal=True, vertical_alignment="center", key="start-row"):
        st.button(
            "Start", type="primary", icon=":material/play_arrow:", key="start", disabled=bool(refusal),
            on_click=_start, args=(experiment, form.images), width=132,
        )  # fmt: skip
        with st.container(key="cost", gap=None, width="stretch"):
            if refusal:
                st.markdown(f":orange[:material/warning: **This cannot be started.** {refusal}]")
            elif cost:
                _tell(cost, reasons)
        style = choose_style()
    if failed := st.session_state.pop(_FAILED, ""):
        st.error(failed)
    return style


def _tell(cost: CostEstimate, reasons: tuple[str, ...]) -> None:
    parameters = sorted({one.parameters for one in cost.each})
    macs = sorted({one.macs for one in cost.each})
    memory = max(one.memory_mib for one in cost.each)
    runs = "1 run" if len(cost.each) == 1 else f"{len(cost.each)} runs"
    rate = max((one.images_per_s or 0 for one in cost.each), default=0)
    time = f"about **{duration(cost.seconds)}**" if cost.seconds else "time not yet measured"
    st.markdown(
        f"**{runs}**, {time} · {_between([f'{value:,}' for value in parameters])} parameters · "
        f"{_between([f'{value / 1e6:.3g}' for value in macs])} M multiply-adds per image"
    )
    if rate:
        told = (f"Each up to {memory_text(memory)} of memory and {rate:,.0f} images/s.", cost.each[0].basis)
        st.caption(" ".join((*told, *reasons)))
    else:
        _wait_for_speed()


@partial(places.fragment, run_every=_WAIT_S)
def _wait_for_speed() -> None:
    """Said once per machine: what is going on, until the time is known."""
    st.caption("Measuring this machine's speed with a few training steps, once; the time follows in seconds.")
    if is_measured():
        st.rerun()


def _not_ready() -> str:
    """Why nothing can be started now, whatever it costs; empty where it can."""
    try:
        own_store()
    except StoreError as error:
        return str(error)
    return ready_workers()


def _no_room(cost: CostEstimate, experiment: Experiment) -> str:
    try:
        for one in cost.each:
            check_fits(one, available_mib(experiment.recipe.device))
    except ValueError as error:
        return str(error)
    return ""


def refused_here(experiment: Experiment, images: DatasetInfo) -> str:
    """Which limit of this server the runs would pass, in words; empty where they pass none."""
    try:
        recipes = [recipe for _, recipe in experiment.runs(images)]
        run_limits.check_order(own_store(), session_owner(), recipes, images.name)
    except (ValueError, StoreError) as error:
        return str(error)
    return ""


def _start(experiment: Experiment, images: DatasetInfo) -> None:
    """Queue all runs of the order as one group, and watch them."""
    try:
        store, runs = own_store(), experiment.runs(images)
        ids = actions.submit_all(store, runs, images.name, owner=session_owner(), visitor=True)
    except (ValueError, StoreError) as error:
        st.session_state[_FAILED] = str(error)
        return
    watch_these(ids)


def _between(texts: list[str]) -> str:
    return texts[0] if len(texts) == 1 else f"{texts[0]} to {texts[-1]}"
