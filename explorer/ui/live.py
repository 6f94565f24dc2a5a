"""The Live training page's charts, and what of it moves alone, twice a second, while something is trained."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import streamlit as st

from explorer.charts import live as charts
from explorer.charts import words
from explorer.charts.blocks import BLOCK_MEASURES, block_lines, by_block, describe_blocks
from explorer.charts.growing import Drawing
from explorer.charts.live import LiveStyle
from explorer.charts.outcomes import outcome, so_far
from explorer.charts.strokes import ZOO, Lines
from explorer.ui.figures import IMAGE, inked, take_away
from explorer.ui.growing import Picture, grow, show_growing, told
from explorer.ui.steering import STEERED, steer_all, steer_each
from explorer.ui.watching import Watched, watched

_EVERY_S = 0.25
_STEER_EVERY_S = 1.0
_USUAL_BLOCKS = 9


@dataclass(frozen=True)
class View:
    """What is watched, and how it is drawn.

    Attributes:
        ids: own runs; empty where nothing was started.
        context: runs of the zoo beside them.
        style: smoothing and log axes.
        dark: whether the page is dark.
    """

    ids: tuple[str, ...]
    context: tuple[str, ...]
    style: LiveStyle
    dark: bool


def choose_style() -> tuple[LiveStyle, bool]:
    """How the curves are drawn, and whether the zoo's are beside them; all of it in the URL."""
    with st.popover("View", icon=":material/visibility:", key="view"):
        beside = st.toggle(
            "Beside the zoo's runs", value=True, key="zoo", bind="query-params",
            help="Draws finished runs of the same nets, pale, on the same axes.",
        )  # fmt: skip
        log_y = st.toggle(
            "Log losses and errors", key="logy", bind="query-params", help="Also shows small values."
        )
        log_x = st.toggle("Log steps", key="logx", bind="query-params", help="Also shows the first steps.")
        smoothing = st.select_slider(
            "Smoothing (steps averaged)", [1, 3, 5, 9, 15, 25, 51, 101], 5, key="steps", bind="query-params",
            help="The bold loss is a mean over so many steps; the raw one stays under it.",
        )  # fmt: skip
        st.radio("Format of the charts' camera", ["png", "svg"], key=IMAGE, horizontal=True)
    return LiveStyle(log_x=log_x, log_y=log_y, smoothing=int(smoothing)), bool(beside)


def live_view(view: View, found: Watched) -> None:
    """Everything about the watched runs: charts that stand, and what moves while they are trained."""
    st.session_state.pop(STEERED, None)
    if view.ids:
        st.fragment(_steering, run_every=_STEER_EVERY_S if found.active else None)(view, found.active)
    _side_by_side(view, found, _UPPER)
    between = st.container(key="moving")
    _side_by_side(view, found, _LOWER)
    with between:  # last, since it tells charts that have been drawn
        st.fragment(_moving, run_every=_EVERY_S if found.active else None)(view, found.active)
    _numbers(view, found)


def _now(view: View, was_active: bool) -> Watched:
    """What the runs have reached; the whole page runs anew where a run has begun or ended, or was steered."""
    found = watched(view.ids, view.context)
    if found.active != was_active or st.session_state.pop(STEERED, False):
        st.rerun()
    return found


def _steering(view: View, was_active: bool) -> None:
    with st.container(key="all-runs"):
        steer_all(_now(view, was_active))


def _moving(view: View, was_active: bool) -> None:
    found = _now(view, was_active)
    told_all = [told(chart.picture(view, found), chart.key) for chart in (*_UPPER, *_LOWER)]
    if any(one is None for one in told_all):
        st.rerun()  # an axis has to reach further
    grow([one for one in told_all if one is not None])
    with st.container(key="conclusion"):
        st.markdown(_said(view, found))
    with st.container(key="each-run"):
        if view.ids:
            steer_each(found)


@dataclass(frozen=True)
class _Chart:
    """One of the page's charts.

    Attributes:
        key: unique on the page.
        heading: over it.
        stamp: what it depends on, of what is watched; the same stamp is the same picture.
        make: its picture.
    """

    key: str
    heading: str
    stamp: Callable[[Watched], object]
    make: Callable[[View, Watched], Picture]

    def picture(self, view: View, found: Watched) -> Picture:
        """As it is now, made once for all sessions with this view of these numbers."""
        picture: Picture = _kept(view, self.key, self.stamp(found), lambda: self.make(view, found))
        return picture


def _side_by_side(view: View, found: Watched, charts: Sequence[_Chart]) -> None:
    for column, chart in zip(st.columns(2, gap="medium"), charts, strict=True):
        with column:
            st.markdown(chart.heading)
            show_growing(chart.picture(view, found), chart.key)


@st.cache_resource(max_entries=48, show_spinner=False)
def _kept(view: View, name: str, stamp: object, _make: Callable[[], Any]) -> Any:
    """What was made once for all sessions with this view of these numbers."""
    return _make()


def _drawn(view: View, drawing: Drawing) -> Drawing:
    """In the page's colours."""
    return Drawing(drawing.traces, inked(drawing.layout, view.dark))


def _losses(view: View, found: Watched) -> Picture:
    said = charts.describe_losses(found.steps, found.members)
    return Picture(_drawn(view, _loss_drawing(view, found)), "Training loss of every step", said)


def _errors(view: View, found: Watched) -> Picture:
    said = charts.describe_errors(found.kept.epochs, found.members)
    return Picture(_drawn(view, _error_drawing(view, found)), "Error after every epoch", said)


def _loss_drawing(view: View, found: Watched) -> Drawing:
    def lines(members: pd.DataFrame) -> Lines:
        return charts.loss_lines(found.steps, found.kept.epochs, members, view.style)

    return charts.loss_over_steps(_all_lines(view, found, "loss", lines), view.style, found.sheet)


def _error_drawing(view: View, found: Watched) -> Drawing:
    def lines(members: pd.DataFrame) -> Lines:
        return charts.error_lines(found.kept.epochs, members, view.style, found.sheet)

    return charts.error_over_epochs(_all_lines(view, found, "error", lines), view.style, found.sheet)


def _blocks(view: View, found: Watched, column: str) -> Picture:
    blocks = found.kept.blocks

    def lines(members: pd.DataFrame) -> Lines:
        return block_lines(blocks, members, column)

    count = int(blocks["block"].max()) if len(blocks) else _USUAL_BLOCKS
    drawing = by_block(_all_lines(view, found, column, lines), column, count)
    said = describe_blocks(blocks, found.members, column)
    return Picture(_drawn(view, drawing), f"{BLOCK_MEASURES[column][0]} of every block", said)


def _all_lines(view: View, found: Watched, name: str, lines: Callable[[pd.DataFrame], Lines]) -> Lines:
    """The zoo's lines, which stay what they are, and on top of them those that grow."""
    zoo, own = (found.members[found.members["zoo"] == is_zoo] for is_zoo in (True, False))
    look = (name, found.sheet, *zoo[["run_id", "colour", "several"]].itertuples(index=False, name=None))
    pale: Lines = _kept(view, "zoo", look, lambda: lines(zoo))
    return pale + lines(own)


_UPPER = (
    _Chart(
        "loss-over-steps", "**Loss at every step**, bold: test after each epoch",
        lambda found: (found.stamp, len(found.steps), tuple(found.rates)), _losses,
    ),
    _Chart(
        "error-while-training", "**Error after every epoch**, dashed: training, bold: test",
        lambda found: found.stamp, _errors,
    ),
)  # fmt: skip
_LOWER = (
    _Chart(
        "blocks-residual_ratio", "**What each block adds**, relative to its input; faint: at the start",
        lambda found: found.stamp, lambda view, found: _blocks(view, found, "residual_ratio"),
    ),
    _Chart(
        "blocks-gradient_norm", "**Gradient in each block**, after the last epoch; faint: after the first",
        lambda found: found.stamp, lambda view, found: _blocks(view, found, "gradient_norm"),
    ),
)  # fmt: skip


def _said(view: View, found: Watched) -> str:
    """The answer in one sentence, computed from the numbers."""
    members, epochs = found.members, found.kept.epochs
    own = members[~members["zoo"]]
    if own.empty:
        if members.empty:
            return "Nothing is trained yet, and the zoo has no such nets: press Start."
        names = list(dict.fromkeys(members["group"].str.removesuffix(ZOO)))
        return (
            f"**From the zoo, finished before:** {words.listed(names)}, {members['seed'].nunique()} seeds "
            "each. **Start** trains yours and draws it on top, in full colour."
        )
    if found.active or not found.states["status"].eq("done").all():
        return so_far(epochs, own, found.sheet.epochs)
    return outcome(epochs, own)


def _numbers(view: View, found: Watched) -> None:
    """The curves as a table and as CSV; redrawn when somebody opens it, not while it is read."""
    left, right = st.columns(2, gap="medium")
    with left:
        take_away(lambda: _step_table(found), lambda: _loss_drawing(view, found).figure(), "live-loss")
    with right:
        take_away(lambda: _epoch_table(found), lambda: _error_drawing(view, found).figure(), "live-error")


def _step_table(found: Watched) -> pd.DataFrame:
    named = found.members[["run_id", "group", "seed"]]
    return named.merge(found.steps, on="run_id").sort_values(
        ["group", "seed", "iteration"], ignore_index=True
    )


def _epoch_table(found: Watched) -> pd.DataFrame:
    named = found.members[["run_id", "group", "seed"]]
    return named.merge(found.kept.epochs, on="run_id").sort_values(
        ["group", "seed", "epoch"], ignore_index=True
    )
