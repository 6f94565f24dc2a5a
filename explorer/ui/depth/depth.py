"""The Depth page's moving part: redrawn alone when the slider moves."""

from __future__ import annotations

import streamlit as st

from explorer.charts import words
from explorer.charts.curves import CurveStyle, error_over_epochs
from explorer.charts.depth import error_over_depth
from explorer.charts.findings import Gap
from explorer.charts.tables import mean_curves
from explorer.charts.theme import net_title
from explorer.ui import places
from explorer.ui.data import budget, chance_pct, curves_on, depths_on, finals_on
from explorer.ui.depth.controls import choose_depth
from explorer.ui.depth.player import follow, is_lost
from explorer.ui.depth.views import depth_views, first_shown
from explorer.ui.figures import is_dark, show, take_away


@places.fragment
def depth_view(dataset: str, style: CurveStyle) -> None:
    """Slider, curves of the chosen depth, errors over all depths, figures for the gap, conclusion.

    Whatever depends on the depth was computed once for all visitors: a step of the slider only picks it.
    """
    depth = choose_depth(depths_on(dataset))
    dark = is_dark()
    first = depth if is_lost("depth") else first_shown("depth", (dataset, style, dark), depth)
    views = depth_views(dataset, style, first, dark)
    at = views.depths.index(depth)
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown(f"**Error while training**, {depth} layers, {budget(dataset)}")
        show(views.over_epochs, "error-over-epochs", views.said_over_epochs[views.first])
    with right:
        st.markdown(f"**Final error against depth**, after {budget(dataset)}")
        show(views.over_depth, "error-over-depth", views.said_over_depth)
    said = {"error-over-epochs": views.said_over_epochs}
    follow("depth", views.first, said | {"error-over-depth": [views.said_over_depth] * len(views.depths)})
    with st.container(key="conclusion"):
        st.markdown(views.conclusions[at])
    _gap(views.gaps[at])
    _numbers(dataset, depth, style)
    _guide(dataset, views.gradients[at])


def _numbers(dataset: str, depth: int, style: CurveStyle) -> None:
    left, right = st.columns(2, gap="medium")
    with left:
        take_away(
            lambda: mean_curves(curves_on(dataset).query("depth == @depth")),
            lambda: error_over_epochs(curves_on(dataset), depth, style, chance_pct(dataset)),
            f"error-over-epochs-{dataset}-{depth}",
        )
    with right:
        take_away(
            lambda: finals_on(dataset),
            lambda: error_over_depth(finals_on(dataset), depth, style, chance_pct(dataset)),
            f"error-over-depth-{dataset}",
        )


def _gap(gap: Gap | None) -> None:
    if gap is None:
        return
    plain, residual = net_title("plain", gap.depth), net_title("residual", gap.depth)
    cells = st.container(horizontal=True, gap="small", key="gap")
    cells.metric(f"{plain}, training", words.percent(gap.plain_train), border=True, width="stretch")
    cells.metric(f"{residual}, training", words.percent(gap.residual_train), border=True, width="stretch")
    cells.metric("Gap in training", words.points(gap.train_points), border=True, width="stretch")
    cells.metric("Gap in the test", words.points(gap.test_points), border=True, width="stretch")


_HOW = """Vermilion is plain, blue is residual: the same layers, the same number of parameters,
the same initial weights and the same batches; the residual net adds each block's input to its output.
Dashed and thin is the error in training, solid and bold the error on images that were never trained on.
The dotted grey line is guessing."""
_OVERFITTING = """A net that overfits does well in **training** and badly in the test. Here, where a deep
plain net does badly, it does so in training too: look at the dashed line. The paper argues that a deeper
net need not be worse, since its added layers could be identities around a trained shallow net; training
does not find that solution (He et al. 2015, sections 1 and 4.1)."""
_DIGITS = """On these digits the effect is stronger than in the paper and of another degree: within
this budget of 10 epochs, deep plain nets **do not train** at all. The paper's plain nets train, to a
higher error."""
_GRADIENTS = """The paper says no (section 4.1): with batch normalisation the signals keep their
variance and the gradients healthy norms; the authors suspect that convergence becomes exponentially slow
instead. Their plain nets were not mended by three times more iterations."""


def _guide(dataset: str, gradients: str) -> None:
    how, overfitting, vanishing = st.tabs(
        ["How to read this", "Why is this not overfitting?", "Is it vanishing gradients?"],
        on_change="rerun",
        key="guide",
        bind="query-params",
    )
    if how.open:
        how.markdown(_HOW)
    if overfitting.open:
        overfitting.markdown(_OVERFITTING)
        if dataset == "digits":
            overfitting.markdown(_DIGITS)
    if vanishing.open:
        vanishing.markdown(gradients)
        vanishing.markdown(_GRADIENTS)
