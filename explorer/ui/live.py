"""The Live training page's charts, and what of it moves alone, twice a second, while something is trained."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import pandas as pd
import streamlit as st

from explorer.charts import live as charts
from explorer.charts import words
from explorer.charts.blocks import BLOCK_MEASURES, block_lines, by_block, describe_blocks
from explorer.charts.growing import Drawing
from explorer.charts.live import LiveStyle, Sheet
from explorer.charts.outcomes import outcome, so_far
from explorer.charts.strokes import ZOO, Lines
from explorer.ui.figures import IMAGE, inked, take_away
from explorer.ui.growing import Picture, grow, show_growing
from explorer.ui.pacing import is_far, period_s
from explorer.ui.steering import STEERED, steer_all, steer_each
from explorer.ui.watching import Kept, Watched, watched

_SLOWLY_S = 1.0
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
    fast = period_s() if found.active else None
    slow = max(_SLOWLY_S, 3 * fast) if fast else None
    if view.ids:
        st.fragment(_steering, run_every=slow)(view, found.active)
    _side_by_side(view, found, _UPPER)
    st.fragment(_following, run_every=slow)(view, found.active)
    _side_by_side(view, found, _LOWER)
    st.fragment(_growing, run_every=fast)(view, found.active, fast)
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


def _following(view: View, was_active: bool) -> None:
    found = _now(view, was_active)
    with st.container(key="conclusion"):
        st.markdown(_said(found.kept, found.active, _all_done(found), found.sheet.epochs))
    with st.container(key="each-run"):
        if view.ids:
            steer_each(found)


def _growing(view: View, was_active: bool, period: float | None) -> None:
    """The part that runs most often, so it shows nothing but what charts have gained."""
    found = _now(view, was_active)
    pictures = {chart.key: chart.picture(view, found) for chart in (*_UPPER, *_LOWER)}
    if not grow(pictures) or is_far(period):
        st.rerun()  # an axis has to reach further, or many have come or gone


@dataclass(frozen=True)
class _Chart:
    """One of the page's charts.

    Attributes:
        key: unique on the page.
        heading: over it.
        picture: as it is now; the same object as long as nothing in it has changed.
    """

    key: str
    heading: str
    picture: Callable[[View, Watched], Picture]


def _side_by_side(view: View, found: Watched, charts: Sequence[_Chart]) -> None:
    for column, chart in zip(st.columns(2, gap="medium"), charts, strict=True):
        with column:
            st.markdown(chart.heading)
            show_growing(chart.picture(view, found), chart.key)


# pictures are made once for all sessions with this view of these numbers, the zoo's lines even more rarely
@lru_cache(maxsize=16)
def _losses(view: View, found: Watched) -> Picture:
    said = charts.describe_losses(found.steps, found.members)
    return Picture(_inked(view, _loss_drawing(view, found)), "Training loss of every step", said)


@lru_cache(maxsize=16)
def _errors(view: View, kept: Kept, sheet: Sheet) -> Picture:
    said = charts.describe_errors(kept.epochs, kept.members)
    return Picture(_inked(view, _error_drawing(view, kept, sheet)), "Error after every epoch", said)


@lru_cache(maxsize=32)
def _blocks(view: View, kept: Kept, column: str) -> Picture:
    counts = [int(table["block"].max()) for table in kept.blocks.values() if len(table)]
    lines = _zoo_blocks(kept.zoo, column) + block_lines(kept.blocks, kept.own, column)
    said = describe_blocks(kept.blocks, kept.members, column)
    drawing = by_block(lines, column, max(counts, default=_USUAL_BLOCKS))
    return Picture(_inked(view, drawing), f"{BLOCK_MEASURES[column][0]} of every block", said)


def _inked(view: View, drawing: Drawing) -> Drawing:
    return replace(drawing, layout=inked(drawing.layout, view.dark))


def _loss_drawing(view: View, found: Watched) -> Drawing:
    kept, style = found.kept, view.style
    own = charts.loss_lines(found.steps, kept.epochs, kept.own, style)
    return charts.loss_over_steps(_zoo_losses(kept.zoo, style) + own, style, found.sheet)


def _error_drawing(view: View, kept: Kept, sheet: Sheet) -> Drawing:
    own = charts.error_lines(kept.epochs, kept.own, view.style, sheet)
    return charts.error_over_epochs(_zoo_errors(kept.zoo, view.style, sheet) + own, view.style, sheet)


@lru_cache(maxsize=32)
def _zoo_losses(zoo: Kept | None, style: LiveStyle) -> Lines:
    return charts.loss_lines(zoo.steps, zoo.epochs, zoo.members, style) if zoo else Lines()


@lru_cache(maxsize=32)
def _zoo_errors(zoo: Kept | None, style: LiveStyle, sheet: Sheet) -> Lines:
    return charts.error_lines(zoo.epochs, zoo.members, style, sheet) if zoo else Lines()


@lru_cache(maxsize=32)
def _zoo_blocks(zoo: Kept | None, column: str) -> Lines:
    return block_lines(zoo.blocks, zoo.members, column) if zoo else Lines()


_UPPER = (
    _Chart("loss-over-steps", "**Loss at every step**, bold: test after each epoch", _losses),
    _Chart(
        "error-while-training", "**Error after every epoch**, dashed: training, bold: test",
        lambda view, found: _errors(view, found.kept, found.sheet),
    ),
)  # fmt: skip
_LOWER = (
    _Chart(
        "blocks-residual_ratio", "**What each block adds**, relative to its input; faint: at the start",
        lambda view, found: _blocks(view, found.kept, "residual_ratio"),
    ),
    _Chart(
        "blocks-gradient_norm", "**Gradient in each block**, after the last epoch; faint: after the first",
        lambda view, found: _blocks(view, found.kept, "gradient_norm"),
    ),
)  # fmt: skip


def _all_done(found: Watched) -> bool:
    return bool(found.states["status"].eq("done").all())


@lru_cache(maxsize=32)
def _said(kept: Kept, active: bool, done: bool, epochs: int) -> str:
    """The answer in one sentence, computed from the numbers."""
    members, own = kept.members, kept.own
    if own.empty:
        if members.empty:
            return "Nothing is trained yet, and the zoo has no such nets: press Start."
        names = list(dict.fromkeys(members["group"].str.removesuffix(ZOO)))
        return (
            f"**From the zoo, finished before:** {words.listed(names)}, {members['seed'].nunique()} seeds "
            "each. **Start** trains yours and draws it on top, in full colour."
        )
    curves = pd.concat([kept.epochs[run_id] for run_id in own["run_id"]], ignore_index=True)
    return so_far(curves, own, epochs) if active or not done else outcome(curves, own)


def _numbers(view: View, found: Watched) -> None:
    """The curves as a table and as CSV; redrawn when somebody opens it, not while it is read."""
    left, right = st.columns(2, gap="medium")
    with left:
        take_away(lambda: _step_table(found), lambda: _loss_drawing(view, found).figure(), "live-loss")
    with right:
        take_away(
            lambda: _epoch_table(found),
            lambda: _error_drawing(view, found.kept, found.sheet).figure(),
            "live-error",
        )


def _step_table(found: Watched) -> pd.DataFrame:
    named = found.members[["run_id", "group", "seed"]]
    return named.merge(pd.concat(found.steps.values()), on="run_id").sort_values(
        ["group", "seed", "iteration"], ignore_index=True
    )


def _epoch_table(found: Watched) -> pd.DataFrame:
    named = found.members[["run_id", "group", "seed"]]
    return named.merge(pd.concat(found.kept.epochs.values()), on="run_id").sort_values(
        ["group", "seed", "epoch"], ignore_index=True
    )
