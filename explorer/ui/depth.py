"""The Depth page's moving part: redrawn alone when the slider moves."""

from __future__ import annotations

import streamlit as st

from explorer.charts import findings, words
from explorer.charts.curves import CurveStyle, error_over_epochs
from explorer.charts.depth import error_over_depth
from explorer.charts.tables import mean_curves
from explorer.charts.theme import net_title
from explorer.ui.controls import choose_depth
from explorer.ui.data import blocks_of, chance_pct, curves_on, finals_on, runs_on
from explorer.ui.figures import is_dark, show, take_away
from explorer.ui.player import follow, is_lost
from explorer.ui.views import depth_views, first_depth


@st.fragment
def depth_view(dataset: str, style: CurveStyle) -> None:
    """Slider, curves of the chosen depth, errors over all depths, figures for the gap, conclusion."""
    finals, curves, chance = finals_on(dataset), curves_on(dataset), chance_pct(dataset)
    depth = choose_depth(sorted(int(depth) for depth in finals["depth"].unique()))
    dark = is_dark()
    first = depth if is_lost("depth") else first_depth((dataset, style, dark), depth)
    views = depth_views(dataset, style, first, dark)
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown(f"**Error while training**, {depth} layers")
        show(views.over_epochs, "error-over-epochs", views.said_over_epochs[views.first])
    with right:
        st.markdown("**Final error against depth**, the chosen depth ringed")
        show(views.over_depth, "error-over-depth", views.said_over_depth)
    said = {"error-over-epochs": views.said_over_epochs}
    follow("depth", views.first, said | {"error-over-depth": [views.said_over_depth] * len(views.depths)})
    with st.container(key="conclusion"):
        st.markdown(findings.conclusion(finals, depth))
    _gap(findings.gap_at(finals, depth))
    here = mean_curves(curves[curves["depth"] == depth])
    under_left, under_right = st.columns(2, gap="medium")
    with under_left:
        take_away(
            here,
            lambda: error_over_epochs(curves, depth, style, chance),
            f"error-over-epochs-{dataset}-{depth}",
        )
    with under_right:
        take_away(
            finals, lambda: error_over_depth(finals, depth, style, chance), f"error-over-depth-{dataset}"
        )
    _guide(dataset, depth)


def _gap(gap: findings.Gap | None) -> None:
    if gap is None:
        return
    plain, residual = net_title("plain", gap.depth), net_title("residual", gap.depth)
    cells = st.container(horizontal=True, gap="small", key="gap")
    cells.metric(f"{plain}, training", words.percent(gap.plain_train), border=True, width="stretch")
    cells.metric(f"{residual}, training", words.percent(gap.residual_train), border=True, width="stretch")
    cells.metric("Gap in training", words.points(gap.train_points), border=True, width="stretch")
    cells.metric("Gap in the test", words.points(gap.test_points), border=True, width="stretch")


def _guide(dataset: str, depth: int) -> None:
    first, second, third = st.tabs(
        ["How to read this", "Why is this not overfitting?", "Is it vanishing gradients?"]
    )
    first.markdown(
        "Vermilion is plain, blue is residual: the same layers, the same number of parameters, the same "
        "initial weights and the same batches; the residual net adds each block's input to its "
        "output. Dashed "
        "and thin is the error in training, solid and bold the error on images that were never "
        "trained on. The "
        "dotted grey line is guessing."
    )
    second.markdown(
        "A net that overfits does well in **training** and badly in the test. Here, where a deep "
        "plain net does "
        "badly, it does so in training too: look at the dashed line. The paper argues that a deeper "
        "net need not "
        "be worse, since its added layers could be identities around a trained shallow net; training "
        "does not "
        "find that solution (He et al. 2015, sections 1 and 4.1)."
    )
    if dataset == "digits":
        second.markdown(
            "On these digits the effect is stronger than in the paper and of another degree: within "
            "this budget of 10 "
            "epochs, deep plain nets **do not train** at all. The paper's plain nets train, to a "
            "higher error."
        )
    runs = runs_on(dataset)
    if "plain" in set(runs[runs["depth"] == depth]["family"]):
        third.markdown(findings.gradients(blocks_of(dataset, "plain", depth), depth))
    third.markdown(
        "The paper says no (section 4.1): with batch normalisation the signals keep their variance "
        "and the gradients "
        "healthy norms; the authors suspect that convergence becomes exponentially slow instead. "
        "Their plain nets "
        "were not mended by three times more iterations."
    )
