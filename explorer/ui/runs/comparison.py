"""The Runs page's comparison: curves, final errors and the settings that differ, of the chosen runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from explorer.analysis import wording
from explorer.analysis.aggregates import Measure, group_curves, group_finals, mean_of_groups
from explorer.analysis.outcomes import not_counted, verdict
from explorer.analysis.selection import left_out
from explorer.charts.compare import MOST_GROUPS, curves_of_groups, describe_groups, finals_of_groups
from explorer.charts.curves import CurveStyle
from explorer.charts.words import literal
from explorer.runs.groups import Group, counted_members, differences, group_runs, origins
from explorer.runs.run import Run
from explorer.ui import places
from explorer.ui.cached_runs import dataset_title, library
from explorer.ui.components.figure import download_panel, draw
from explorer.ui.runs.activity import is_active
from explorer.ui.runs.run_list import all_runs
from explorer.ui.url_parameters import Choice, Switch, bound, declare

_SEEDS, _LOG = declare(Choice("seeds")), declare(Switch("logy"))
_EVERY_S = 1.0


@dataclass(frozen=True)
class RunComparison:
    """The chosen runs, read once for all sessions that chose the same.

    Attributes:
        runs: whole, in the order of the list.
        groups: runs equal but for the seed.
        members: one row per run, with whether it counts in a mean.
        epochs: their curves.
        last: epochs of the longest run.
    """

    runs: tuple[Run, ...]
    groups: tuple[Group, ...]
    members: pd.DataFrame
    epochs: pd.DataFrame
    last: int


def choose_look() -> CurveStyle:
    """What the curves show: the URL's `errors`, `seeds` and `logy`, as on the Depth page."""
    each = st.segmented_control(
        "Seeds", ["mean", "each"], default="mean", **bound(_SEEDS, options=("mean", "each")),
        help="The mean with a band from the lowest to the highest seed, or one thin line per run too.",
    )  # fmt: skip
    log = st.toggle("Log axes", **bound(_LOG), help="Errors and losses on log axes.")
    return CurveStyle(each_seed=each == "each", log_y=log)


def compare(ids: Sequence[str], style: CurveStyle) -> None:
    """Curves, the answer in one sentence, final errors and settings; redrawn while one of them runs.

    Args:
        ids: of the chosen runs, at least one.
        style: how the curves are drawn.
    """
    runs = all_runs()
    active = is_active(runs[runs["run_id"].isin(ids)])
    places.fragment(_compare, run_every=_EVERY_S if active else None)(tuple(ids), style)


def _compare(ids: tuple[str, ...], style: CurveStyle) -> None:
    runs = all_runs()
    chosen = runs[runs["run_id"].isin(ids)]
    if chosen.empty:  # deleted in another window
        st.info("These runs are gone. Choose others.")
        return
    found = _compared(tuple(zip(*(chosen[name] for name in _STAMP), strict=True)))
    if len(found.groups) > MOST_GROUPS:
        st.caption(f"Drawn are the first {MOST_GROUPS} of {len(found.groups)} groups; the table has all.")
    left, right = st.columns(2, gap="medium")
    with left:
        _curves(found, "error_pct", "Error while training", style)
    with right:
        _curves(found, "loss", "Loss while training", style)
    finals = group_finals(chosen, found.members)
    with st.container(key="conclusion"):
        st.markdown(_conclusion(found, finals))
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown(
            "**Final errors**, mean and spread over the runs of a group; open: training, filled: test"
        )
        draw(finals_of_groups(finals, found.members, style.log_y), "final-errors", describe_groups(finals))
    with right:
        _settings(found)
    _numbers(found, finals, style)


_STAMP = ("run_id", "name", "status", "test_error_pct", "train_loss")


@st.cache_resource(ttl=60, max_entries=32, show_spinner=False)
def _compared(stamp: tuple[tuple[object, ...], ...]) -> RunComparison:
    """The runs of that stamp; read again whenever anything in it changed."""
    ids = [str(row[0]) for row in stamp]
    runs = [library().run(name) for name in ids]
    groups = group_runs(runs, {str(row[0]): str(row[1]) for row in stamp})
    epochs = library().epochs(ids)
    table = counted_members(groups, runs)
    return RunComparison(tuple(runs), tuple(groups), table, epochs, max(run.epochs for run in runs))


def _curves(found: RunComparison, measure: Measure, title: str, style: CurveStyle) -> None:
    st.markdown(f"**{title}**, dashed: training, solid: test")
    curves = group_curves(found.epochs, found.members, measure)
    figure = curves_of_groups(curves, found.members, measure, style, found.last)
    what = "Error in per cent" if measure == "error_pct" else "Loss"
    tags = ", ".join(group.tag for group in found.groups)
    draw(
        figure,
        f"compared-{measure}",
        f"{what} over the epochs of {tags}. The sentence below says how it ends.",
    )


def _conclusion(found: RunComparison, finals: pd.DataFrame) -> str:
    datasets = sorted({group.dataset for group in found.groups})
    said = verdict(finals)
    if len(datasets) > 1:
        titles = " and ".join(literal(dataset_title(dataset)) for dataset in datasets)
        said += f" These runs are of different data ({titles}): their errors are not to be compared."
    lengths = sorted({run.iterations for run in found.runs if run.iterations})
    if len(lengths) > 1:
        shown = wording.listed([f"{length:,}" for length in lengths])
        said += (
            f" They were trained for different lengths ({shown} iterations), which alone may tell them apart."
        )
    return " ".join(sentence for sentence in (said, not_counted(left_out(found.members))) if sentence)


def _settings(found: RunComparison) -> None:
    table = differences(found.groups)
    st.markdown("**Settings that differ**")
    if table.empty:
        st.caption("None: all these runs have the same settings." if len(found.runs) > 1 else "One run only.")
    else:
        st.dataframe(table, hide_index=True, width="stretch", height=min(38 + 35 * len(table), 338))
    st.caption(literal(origins(found.runs)))


def _numbers(found: RunComparison, finals: pd.DataFrame, style: CurveStyle) -> None:
    errors = group_curves(found.epochs, found.members, "error_pct")
    left, right = st.columns(2, gap="medium")
    with left:
        download_panel(
            lambda: mean_of_groups(errors),
            lambda: curves_of_groups(errors, found.members, "error_pct", style, found.last),
            "compared-errors",
        )
    with right:
        download_panel(
            lambda: finals,
            lambda: finals_of_groups(finals, found.members, style.log_y),
            "compared-final-errors",
        )
