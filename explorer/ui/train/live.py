"""The Live training page's charts and what is told of its runs; what moves while they train asks a feed."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from explorer.charts.live import LiveStyle
from explorer.ui.figures import choose_image, take_away
from explorer.ui.parameters import Choice, Switch, bound, declare
from explorer.ui.train.feed import PATH
from explorer.ui.train.growing import Picture, follow, show_growing
from explorer.ui.train.sight import (
    BLOCK_CHARTS,
    CONCLUSION,
    ERRORS,
    LOSSES,
    View,
    error_drawing,
    loss_drawing,
    sight,
)
from explorer.ui.train.steering import steer_all, steer_each
from explorer.ui.train.telling import place
from explorer.ui.train.watching import Watched

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


def live_view(view: View, found: Watched) -> None:
    """Everything about the watched runs: charts, sentences and buttons, which then follow the feed."""
    seen = sight(view, found)
    # first, so that the browser asks while it still draws; where nothing runs, so that it is at hand by then
    follow(PATH, view.query, seen.drawn)
    if view.ids:
        steer_all(found, seen.texts)
    _side_by_side(seen.pictures, LOSSES, ERRORS)
    with st.container(key="conclusion"):
        place(CONCLUSION, seen.texts[CONCLUSION])
    with st.container(key="each-run"):
        steer_each(found, seen.texts)
    keys = list(BLOCK_CHARTS)
    for first in range(0, len(keys), 2):
        _side_by_side(seen.pictures, *keys[first : first + 2])
    _numbers(view, found)


def _side_by_side(pictures: Mapping[str, Picture], *keys: str) -> None:
    for column, key in zip(st.columns(2, gap="medium"), keys, strict=False):
        with column:
            st.markdown(_HEADINGS[key])
            show_growing(pictures[key], key)


def _numbers(view: View, found: Watched) -> None:
    """The curves as a table and as CSV; redrawn when somebody opens it, not while it is read."""
    left, right = st.columns(2, gap="medium")
    with left:
        take_away(
            lambda: _step_table(found), lambda: loss_drawing(view, found).figure(), "live-loss", FORMATS
        )
    with right:
        take_away(
            lambda: _epoch_table(found),
            lambda: error_drawing(view, found.kept, found.axes).figure(),
            "live-error",
            FORMATS,
        )


def _step_table(found: Watched) -> pd.DataFrame:
    return _with_names(found, pd.concat(found.steps.values()), "iteration")


def _epoch_table(found: Watched) -> pd.DataFrame:
    return _with_names(found, pd.concat(found.kept.epochs.values()), "epoch")


def _with_names(found: Watched, table: pd.DataFrame, by: str) -> pd.DataFrame:
    names = pd.DataFrame([(one.run_id, one.group, one.seed) for one in found.kept.members])
    named = names.set_axis(["run_id", "group", "seed"], axis=1).merge(table, on="run_id")
    return named.sort_values(["group", "seed", by], ignore_index=True)
