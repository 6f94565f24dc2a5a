"""The Live training page's charts and what is told of its runs; what moves while they train asks a feed."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from explorer.charts.live import LiveStyle
from explorer.ui.components.figure import choose_image, download_panel
from explorer.ui.components.live_text import render
from explorer.ui.train.live_api import PATH
from explorer.ui.train.live_charts import LiveFigure, follow, show_live_figure
from explorer.ui.train.live_snapshot import (
    BLOCK_CHARTS,
    CONCLUSION,
    ERRORS,
    LOSSES,
    LiveQuery,
    build_snapshot,
    error_figure,
    loss_figure,
)
from explorer.ui.train.run_controls import show_bulk_actions, show_run_actions
from explorer.ui.train.watched_runs import WatchedRuns
from explorer.ui.url_parameters import Choice, Switch, bound, declare

_ZOO, _LOG_Y, _LOG_X = declare(Switch("zoo")), declare(Switch("logy")), declare(Switch("logx"))
_STEPS = declare(Choice("steps"))
_SMOOTHINGS = (1, 3, 5, 9, 15, 25, 51, 101)
FORMATS = "View"
"""Label of the control that also chooses the format of the charts' camera."""
_HEADINGS = {
    LOSSES: "**Loss at every step**, bold: test after each epoch",
    ERRORS: "**Error after every epoch**, dashed: training, bold: test",
    **BLOCK_CHARTS,
}


def choose_style() -> tuple[LiveStyle, bool]:
    """How the curves are drawn, and whether the zoo's are beside them; all of it in the URL."""
    with st.popover(FORMATS, icon=":material/visibility:", key="view"):
        beside = st.toggle(
            "Beside the zoo's runs", **bound(_ZOO),
            help="Draws finished runs of the same nets, pale, on the same axes; after the end they are there "
            "by themselves.",
        )  # fmt: skip
        log_y = st.toggle("Log losses and errors", **bound(_LOG_Y), help="Also shows small values.")
        log_x = st.toggle("Log steps", **bound(_LOG_X), help="Also shows the first steps.")
        smoothing = st.select_slider(
            "Smoothing (steps averaged)", _SMOOTHINGS, 5, **bound(_STEPS, options=_SMOOTHINGS),
            help="The bold loss is a mean over so many steps; the raw one stays under it.",
        )  # fmt: skip
        choose_image()
    return LiveStyle(log_x=log_x, log_y=log_y, smoothing=int(smoothing)), bool(beside)


def live_view(query: LiveQuery, found: WatchedRuns) -> None:
    """Everything about the watched runs: charts, sentences and buttons, which then follow the feed."""
    seen = build_snapshot(query, found)
    # first, so that the browser asks while it still draws; where nothing runs, so that it is at hand by then
    follow(PATH, query.params, seen.layout_keys)
    if query.ids:
        show_bulk_actions(found, seen.texts)
    _side_by_side(seen.pictures, LOSSES, ERRORS)
    with st.container(key="conclusion"):
        render(CONCLUSION, seen.texts[CONCLUSION])
    with st.container(key="each-run"):
        show_run_actions(found, seen.texts)
    keys = list(BLOCK_CHARTS)
    for first in range(0, len(keys), 2):
        _side_by_side(seen.pictures, *keys[first : first + 2])
    _numbers(query, found)


def _side_by_side(pictures: Mapping[str, LiveFigure], *keys: str) -> None:
    for column, key in zip(st.columns(2, gap="medium"), keys, strict=False):
        with column:
            st.markdown(_HEADINGS[key])
            show_live_figure(pictures[key], key)


def _numbers(query: LiveQuery, found: WatchedRuns) -> None:
    """The curves as a table and as CSV; redrawn when somebody opens it, not while it is read."""
    left, right = st.columns(2, gap="medium")
    with left:
        download_panel(
            lambda: _step_table(found), lambda: loss_figure(query, found).figure(), "live-loss", FORMATS
        )
    with right:
        download_panel(
            lambda: _epoch_table(found),
            lambda: error_figure(query, found.kept, found.axes).figure(),
            "live-error",
            FORMATS,
        )


def _step_table(found: WatchedRuns) -> pd.DataFrame:
    return _with_names(found, pd.concat(found.steps.values()), "iteration")


def _epoch_table(found: WatchedRuns) -> pd.DataFrame:
    return _with_names(found, pd.concat(found.kept.epochs.values()), "epoch")


def _with_names(found: WatchedRuns, table: pd.DataFrame, by: str) -> pd.DataFrame:
    names = pd.DataFrame([(one.run_id, one.group, one.seed) for one in found.kept.members])
    named = names.set_axis(["run_id", "group", "seed"], axis=1).merge(table, on="run_id")
    return named.sort_values(["group", "seed", by], ignore_index=True)
