"""The Depth page's charts and texts at every depth, made once for all visitors with the same choices."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import plotly.graph_objects as go
import streamlit as st

from explorer.analysis import degradation, wording
from explorer.analysis.degradation import Gap
from explorer.charts.curves import CurveStyle, describe_curves, error_over_epochs
from explorer.charts.depth import MARKS, describe_depths, error_over_depth
from explorer.charts.frames import with_frames
from explorer.nets.families import net_title
from explorer.ui.cached_runs import chance_pct, curves_on, finals_on
from explorer.ui.components.figure import SharedFigure, themed_copy
from explorer.ui.components.live_text import LiveText


@dataclass(frozen=True)
class DepthViews:
    """Two charts with a frame per depth, and their words per depth.

    Attributes:
        depths: one per position of the slider.
        first: the position that both charts show before they are told another.
        over_epochs: error over the epochs.
        over_depth: final error against depth.
        said_over_epochs: the first chart in words, per depth.
        said_over_depth: the second chart in words, which no depth changes.
        titles: of the first chart, per depth, as HTML.
        conclusions: what the errors at each depth say, as HTML.
        figures: the twins' errors at each depth, as HTML; empty where one was not trained, or is hidden.
    """

    depths: tuple[int, ...]
    first: int
    over_epochs: go.Figure
    over_depth: go.Figure
    said_over_epochs: tuple[str, ...]
    said_over_depth: str
    titles: tuple[str, ...]
    conclusions: tuple[str, ...]
    figures: tuple[str, ...]


@st.cache_resource(max_entries=48, show_spinner=False)
def depth_views(dataset: str, protocol: str, style: CurveStyle, first: int, dark: bool) -> DepthViews:
    """Both charts; shared by all sessions, so nobody may change them."""
    finals, curves = finals_on(dataset, protocol), curves_on(dataset, protocol)
    chance = chance_pct(dataset)
    depths = tuple(sorted(int(depth) for depth in finals["depth"].unique()))
    epochs = {str(depth): error_over_epochs(curves, depth, style, chance) for depth in depths}
    errors = {str(depth): error_over_depth(finals, depth, style, chance) for depth in depths}
    twins = {"plain", "residual"} <= set(style.families)
    return DepthViews(
        depths=depths,
        first=depths.index(first),
        over_epochs=SharedFigure(themed_copy(with_frames(epochs, str(first)), dark)),
        over_depth=SharedFigure(themed_copy(with_frames(errors, str(first), MARKS), dark)),
        said_over_epochs=tuple(describe_curves(curves, depth, style) for depth in depths),
        said_over_depth=describe_depths(finals, style),
        titles=tuple(_html(f"**Error while training**, {depth} layers") for depth in depths),
        conclusions=tuple(
            _html(degradation.conclusion(finals, depth, chance, style.families)) for depth in depths
        ),
        figures=tuple(gap_html(degradation.gap_at(finals, depth) if twins else None) for depth in depths),
    )


def gap_html(gap: Gap | None) -> str:
    """Four figures about twins; differences are those of the figures as they are shown."""
    if gap is None:
        return ""
    plain, residual = net_title("plain", gap.depth), net_title("residual", gap.depth)
    figures = (
        (f"{plain}, training", wording.percent(gap.plain_train.mean)),
        (f"{residual}, training", wording.percent(gap.residual_train.mean)),
        ("Gap in training", wording.points_between(gap.plain_train.mean, gap.residual_train.mean)),
        ("Gap in the test", wording.points_between(gap.plain_test.mean, gap.residual_test.mean)),
    )
    tiles = (f"<div><span>{escape(label)}</span><b>{escape(value)}</b></div>" for label, value in figures)
    return f'<div class="figures">{"".join(tiles)}</div>'


def first_shown(slider: str, choices: object, at: int) -> int:
    """The value of a slider at which this visitor's charts were drawn: the present one after another choice.

    As long as it stays, sliding sends no new chart to the browser.

    Args:
        slider: its key.
        choices: all else that the charts depend on.
        at: the slider's present value.
    """
    name = f"{slider}-views-first"
    kept = st.session_state.get(name)
    if kept is None or kept[0] != choices:
        kept = st.session_state[name] = (choices, at)
    return int(kept[1])


def _html(text: str) -> str:
    return f"<p>{LiveText(text).payload['html']}</p>"
