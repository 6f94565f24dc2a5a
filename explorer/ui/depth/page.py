"""The Depth page's moving part: redrawn alone when the slider moves."""

from __future__ import annotations

import streamlit as st

from explorer.analysis import claims, gradients, vanishing
from explorer.analysis.aggregates import mean_curves
from explorer.charts.curves import CurveStyle, error_over_epochs
from explorer.charts.depth import error_over_depth
from explorer.ui import places
from explorer.ui.cached_runs import (
    budget,
    chance_pct,
    curves_on,
    depths_on,
    evidence,
    finals_on,
    gradients_on,
    vanishing_facts,
)
from explorer.ui.components.figure import download_panel, is_dark, show
from explorer.ui.components.player import follow, is_lost, place
from explorer.ui.depth.controls import FORMATS, choose_depth
from explorer.ui.depth.depth_views import depth_views, first_shown
from explorer.ui.menu import GRADIENTS, link_to
from explorer.ui.url_parameters import Choice, bound, declare

_GUIDE = declare(Choice("guide"))

_TITLE, _CONCLUSION, _FIGURES = "depth-title", "depth-conclusion", "depth-figures"


@places.fragment
def depth_view(dataset: str, protocol: str, style: CurveStyle) -> None:
    """Slider, curves of the chosen depth, errors over all depths, figures for the gap, conclusion.

    Whatever depends on the depth was computed once for all visitors: a step of the slider only picks it.
    """
    depth = choose_depth(depths_on(dataset, protocol))
    dark = is_dark()
    choices = (dataset, protocol, style, dark)
    first = depth if is_lost("depth") else first_shown("depth", choices, depth)
    views = depth_views(dataset, protocol, style, first, dark)
    at = views.depths.index(depth)
    texts = {_TITLE: views.titles, _CONCLUSION: views.conclusions, _FIGURES: views.figures}
    left, right = st.columns(2, gap="medium")
    with left:
        place(_TITLE, texts[_TITLE], at)
        show(views.over_epochs, "error-over-epochs", views.said_over_epochs[views.first])
    with right:
        st.markdown(f"**Final error**, after {budget(dataset, protocol)}")
        show(views.over_depth, "error-over-depth", views.said_over_depth)
    said = {"error-over-epochs": views.said_over_epochs}
    said |= {"error-over-depth": (views.said_over_depth,) * len(views.depths)}
    follow("depth", views.first, said, texts)
    with st.container(key="conclusion"):
        place(_CONCLUSION, texts[_CONCLUSION], at)
    place(_FIGURES, texts[_FIGURES], at)
    _numbers(dataset, protocol, depth, style)
    _guide(dataset, depth)


def _numbers(dataset: str, protocol: str, depth: int, style: CurveStyle) -> None:
    curves, finals, chance = curves_on(dataset, protocol), finals_on(dataset, protocol), chance_pct(dataset)
    left, right = st.columns(2, gap="medium")
    with left:
        download_panel(
            lambda: mean_curves(curves[curves["depth"] == depth]),
            lambda: error_over_epochs(curves, depth, style, chance),
            f"error-over-epochs-{dataset}-{depth}",
            FORMATS,
        )
    with right:
        download_panel(
            lambda: finals,
            lambda: error_over_depth(finals, depth, style, chance),
            f"error-over-depth-{dataset}",
            FORMATS,
        )


_HOW = """Vermilion is plain, blue is residual: the same layers, the same number of parameters,
the same initial weights and the same batches; the residual net adds each block's input to its output.
Dashed and thin is the error in training, solid and bold the error on images that were never trained on.
The dotted grey line is guessing."""
_OVERFITTING = """A net that overfits does well in **training** and badly in the test. Here, where a deep
plain net does badly, it does so in training too: look at the dashed line. The paper argues that a deeper
net need not be worse, since its added layers could be identities around a trained shallow net; training
does not find that solution (He et al. 2015, sections 1 and 4.1)."""
_DIGITS = """On these digits the effect is stronger than in the paper and of another degree: within
this budget of 10 epochs, the deepest plain nets learn **next to nothing**. The paper's plain nets train,
to a higher error."""


def _guide(dataset: str, depth: int) -> None:
    titles = ["How to read this", "Why is this not overfitting?", "Is it vanishing gradients?"]
    how, overfitting, tab = st.tabs(titles, on_change="rerun", **bound(_GUIDE, options=titles))
    if how.open:
        how.markdown(_HOW)
    if overfitting.open:
        overfitting.markdown(_OVERFITTING)
        if dataset == "digits":
            overfitting.markdown(_DIGITS)
    if tab.open:
        for sentence in gradient_sentences(dataset, depth):
            tab.markdown(sentence)
        with tab:
            link_to(GRADIENTS, "See it measured")


def gradient_sentences(dataset: str, depth: int) -> list[str]:
    """The one answer of all pages, this depth's gradients in training, and the paper's claim."""
    found = gradients_on(dataset)
    said = [
        vanishing.answer(vanishing_facts()),
        gradients.trained_sentence(found, [f"{family}-{depth}" for family in _TRAINED]),
        claims.sentence("gradients", claims.judge("gradients", evidence(dataset)).judged),
    ]
    return [sentence for sentence in said if sentence]


_TRAINED = ("plain", "residual", "highway")
