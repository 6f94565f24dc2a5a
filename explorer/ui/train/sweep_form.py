"""The order of a sweep on Live training: depths and values, their cost, the button, the command."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from explorer.cluster.settings import ClusterError, asked_cluster
from explorer.cluster.state import read_state
from explorer.jobs import actions
from explorer.jobs.experiment import DatasetInfo, Experiment
from explorer.jobs.grid import SETTINGS, Grid, GridCost, grid_cost, new_group, read_depths, read_values
from explorer.jobs.machine_speed import available_mib
from explorer.jobs.run_limits import check_order
from explorer.jobs.worker_pool import worker_count
from explorer.runs.store import StoreError
from explorer.training.estimates import check_fits, duration, memory_text
from explorer.ui.cached_runs import own_store
from explorer.ui.components.machine import cost_here, ready_workers, speed_of
from explorer.ui.components.url_widgets import linked_choice
from explorer.ui.train.experiment_form import FormResult
from explorer.ui.train.session_owner import session_owner
from explorer.ui.url_parameters import Text, bound, declare

SWEEP = "sweep"
"""Name in the URL of the sweep that is shown: its group id."""
_DEPTHS, _VALUES = declare(Text("depths")), declare(Text("values"))
ORDER = ("depths", "vary", "values")
"""Names in the URL of what is ordered."""
_FAILED = "sweep-failed"
_NOTHING = "nothing"


@dataclass(frozen=True)
class _Offer:
    grid: Grid
    images: DatasetInfo
    cost: GridCost


def sweep_form(form: FormResult) -> None:
    """Depths and one more setting to vary; the cost, the button, and the shell's command."""
    st.markdown(
        "Trains every family above at **each depth**, with each value of **one more setting** and each seed. "
        "All other settings are those of the form above."
    )
    left, middle, right = st.columns(3, gap="medium")
    depths = left.text_input(
        "Depths", "20, 32, 44", **bound(_DEPTHS), help="Weighted layers, with commas between them."
    )
    with middle:
        setting = linked_choice(
            "Vary also", {_NOTHING: "nothing else", **{name: one.title for name, one in SETTINGS.items()}},
            "vary", default=_NOTHING, help="One setting that takes several values.",
        )  # fmt: skip
    setting = "" if setting == _NOTHING else setting
    text = right.text_input(
        "Values", **bound(_VALUES), disabled=not setting,
        placeholder=SETTINGS[setting].example if setting else "",
        help="Of that setting, with commas between them; fractions with a point.",
    )  # fmt: skip
    _offer(form, depths or "", setting, text or "")


def lanes() -> int:
    """Runs that are trained at once: this machine's workers, or the cores of the cluster."""
    try:
        address = asked_cluster()
        state = None if address is None else read_state(own_store(), address)
    except (ClusterError, StoreError):
        state = None
    return max(int(state.nodes["cpus"].sum()), 1) if state is not None else max(worker_count(), 1)


def _offer(form: FormResult, depths: str, setting: str, values: str) -> None:
    offer, refusal = None, form.refusal
    if form.experiment is not None:
        try:
            offer = _priced(form.experiment, form.images, depths, setting, values)
        except (ValueError, StoreError) as error:
            refusal = str(error)
    refusal = refusal or ready_workers()
    with st.container(horizontal=True, vertical_alignment="center", key="sweep-row"):
        st.button(
            "Start sweep", type="primary", icon=":material/grid_on:", key="start-sweep", width=160,
            disabled=bool(refusal), on_click=_start, args=(offer,),
        )  # fmt: skip
        with st.container(key="sweep-cost", gap=None, width="stretch"):
            if refusal:
                st.markdown(f":orange[:material/warning: **This cannot be started.** {refusal}]")
            elif offer is not None:
                st.markdown(told_cost(offer.cost, lanes()))
    if failed := st.session_state.pop(_FAILED, ""):
        st.error(failed)
    if offer is not None and not refusal:
        st.caption("The same in a shell, outside the queue:")
        st.code(offer.grid.command(offer.images), language="bash", wrap_lines=True)


def _priced(experiment: Experiment, images: DatasetInfo, depths: str, setting: str, values: str) -> _Offer:
    settled = cost_here(experiment, images)[0]  # the same precision and kernels for all
    grid = Grid(settled, read_depths(depths), setting, read_values(setting, values) if setting else ())
    orders = grid.runs(images)
    cost = grid_cost(orders, images, speed_of(settled.recipe), lanes())
    for one in cost.each:
        check_fits(one, available_mib(settled.recipe.device))
    check_order(own_store(), session_owner(), [recipe for _, recipe in orders], images.name)
    return _Offer(grid, images, cost)


def told_cost(cost: GridCost, at_once: int) -> str:
    """Runs, time, and memory of a sweep, in words."""
    time = f"about **{duration(cost.seconds)}**" if cost.seconds else "time not yet measured"
    memory = memory_text(max(one.memory_mib for one in cost.each))
    return f"**{len(cost.each)} runs**, {time}, {at_once} at once · each up to {memory} of memory"


def _start(offer: _Offer) -> None:
    """Queue all runs as one group, and show it."""
    group = new_group()
    try:
        runs = offer.grid.runs(offer.images)
        actions.submit_all(
            own_store(), runs, offer.images.name, owner=session_owner(), group=group, visitor=True
        )
    except (ValueError, StoreError) as error:
        st.session_state[_FAILED] = str(error)
        return
    st.session_state[SWEEP] = group
