"""The Live training page's moving part: redrawn alone, twice a second, while something is trained."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from explorer.charts import live as charts
from explorer.charts import words
from explorer.charts.blocks import BLOCK_MEASURES, by_block, describe_blocks
from explorer.charts.live import LiveStyle
from explorer.charts.outcomes import outcome, so_far
from explorer.charts.strokes import ZOO
from explorer.ui.figures import IMAGE, colour, take_away
from explorer.ui.growing import Picture, grow, show_growing
from explorer.ui.steering import steer_all, steer_each
from explorer.ui.watching import Watched, watched

_EVERY_S = 0.4
_BLOCKS_EVERY_S = 1.0


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
    """Everything about the watched runs that changes while they are trained."""
    st.fragment(_moving, run_every=_EVERY_S if found.active else None)(view, found.active)
    _numbers(view, found)


def _moving(view: View, was_active: bool) -> None:
    found = watched(view.ids, view.context)
    if found.active != was_active:
        st.rerun()
    # slots that are always there, so that no chart is drawn anew when one of them is filled
    with st.container(key="all-runs"):
        if view.ids:
            steer_all(found)
    told = _curves(view, found)
    with st.container(key="conclusion"):
        st.markdown(_said(view, found))
    with st.container(key="each-run"):
        if view.ids:
            steer_each(found)
    grow([*told, *_blocks(view, _calm(view, found))])


def _calm(view: View, found: Watched) -> Watched:
    """What the charts of blocks show: as it was within the last second, so that the losses come first."""
    now = time.monotonic()
    at, shown, last = st.session_state.get("calm", (0.0, None, found))
    if shown == view and found.active and now - at < _BLOCKS_EVERY_S:
        return last  # type: ignore[no-any-return]
    st.session_state["calm"] = (now, view, found)
    return found


def _curves(view: View, found: Watched) -> list[dict[str, Any]]:
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown("**Loss at every step**, bold: test after each epoch")
        stamp = (found.stamp, len(found.steps), tuple(found.rates))
        losses = show_growing(_kept(view, "loss", stamp, lambda: _losses(view, found)), "loss-over-steps")
    with right:
        st.markdown("**Error after every epoch**, dashed: training, bold: test")
        picture = _kept(view, "error", found.stamp, lambda: _errors(view, found))
        return [losses, show_growing(picture, "error-while-training")]


def _blocks(view: View, found: Watched) -> list[dict[str, Any]]:
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown("**What each block adds**, relative to its input; faint: at the start")
        ratio = _block_chart(view, found, "residual_ratio")
    with right:
        st.markdown("**Gradient in each block**, after the last epoch; faint: after the first")
        return [ratio, _block_chart(view, found, "gradient_norm")]


def _block_chart(view: View, found: Watched, column: str) -> dict[str, Any]:
    picture = _kept(view, column, found.stamp, lambda: _block_picture(found, column))
    return show_growing(picture, f"blocks-{column}")


@st.cache_resource(max_entries=48, show_spinner=False)
def _kept(view: View, name: str, stamp: object, _make: Callable[[], Picture]) -> Picture:
    """The picture in the page's colours, made once for all sessions with this view of these numbers."""
    made = _make()
    colour(made.figure, view.dark)
    return made


def _losses(view: View, found: Watched) -> Picture:
    said = charts.describe_losses(found.steps, found.members)
    return Picture(_loss_figure(view, found), "Training loss of every step", said)


def _errors(view: View, found: Watched) -> Picture:
    said = charts.describe_errors(found.kept.epochs, found.members)
    return Picture(_error_figure(view, found), "Error after every epoch", said)


def _block_picture(found: Watched, column: str) -> Picture:
    blocks, title = found.kept.blocks, f"{BLOCK_MEASURES[column][0]} of every block"
    said = describe_blocks(blocks, found.members, column)
    return Picture(by_block(blocks, found.members, column), title, said)


def _loss_figure(view: View, found: Watched) -> go.Figure:
    return charts.loss_over_steps(found.steps, found.kept.epochs, found.members, view.style, found.sheet)


def _error_figure(view: View, found: Watched) -> go.Figure:
    return charts.error_over_epochs(found.kept.epochs, found.members, view.style, found.sheet)


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
        take_away(lambda: _step_table(found), lambda: _loss_figure(view, found), "live-loss")
    with right:
        take_away(lambda: _epoch_table(found), lambda: _error_figure(view, found), "live-error")


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
