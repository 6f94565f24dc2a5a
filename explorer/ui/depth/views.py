"""The Depth page's charts at every depth, drawn once for all visitors with the same choices."""

from __future__ import annotations

from dataclasses import dataclass

import plotly.graph_objects as go
import streamlit as st

from explorer.charts import findings
from explorer.charts.curves import CurveStyle, describe_curves, error_over_epochs
from explorer.charts.depth import MARKS, describe_depths, error_over_depth
from explorer.charts.frames import with_frames
from explorer.ui.data import blocks_of, chance_pct, curves_on, finals_on
from explorer.ui.figures import Finished, in_colours


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
        conclusions: what the errors at each depth say, in one sentence.
        gaps: the twins' errors at each depth, where both were trained.
        gradients: what was measured of the plain net's gradients at each depth.
    """

    depths: tuple[int, ...]
    first: int
    over_epochs: go.Figure
    over_depth: go.Figure
    said_over_epochs: tuple[str, ...]
    said_over_depth: str
    conclusions: tuple[str, ...]
    gaps: tuple[findings.Gap | None, ...]
    gradients: tuple[str, ...]


@st.cache_resource(max_entries=48, show_spinner=False)
def depth_views(dataset: str, style: CurveStyle, first: int, dark: bool) -> DepthViews:
    """Both charts; shared by all sessions, so nobody may change them."""
    finals, curves, chance = finals_on(dataset), curves_on(dataset), chance_pct(dataset)
    depths = tuple(sorted(int(depth) for depth in finals["depth"].unique()))
    epochs = {str(depth): error_over_epochs(curves, depth, style, chance) for depth in depths}
    errors = {str(depth): error_over_depth(finals, depth, style, chance) for depth in depths}
    return DepthViews(
        depths=depths,
        first=depths.index(first),
        over_epochs=Finished(in_colours(with_frames(epochs, str(first)), dark)),
        over_depth=Finished(in_colours(with_frames(errors, str(first), MARKS), dark)),
        said_over_epochs=tuple(describe_curves(curves, depth, style) for depth in depths),
        said_over_depth=describe_depths(finals, style),
        conclusions=tuple(findings.conclusion(finals, depth) for depth in depths),
        gaps=tuple(findings.gap_at(finals, depth) for depth in depths),
        gradients=tuple(findings.gradients(blocks_of(dataset, "plain", depth), depth) for depth in depths),
    )


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
