"""Home: the finding in one chart, the idea as a drawing, and the ways in."""

import streamlit as st

from explorer.analysis import degradation
from explorer.charts.curves import CurveStyle
from explorer.charts.depth import describe_depths, error_over_depth
from explorer.ui.cached_runs import budget, chance_pct, dataset_title, finals_on, runs_on, twin_datasets
from explorer.ui.components.figure import download_panel, draw
from explorer.ui.components.machine import machine_summary
from explorer.ui.components.provenance import empty_state, show_provenance
from explorer.ui.home import cards, idea, tour
from explorer.ui.learn.bar import invite

st.title("Why can residual networks be deep?")
st.markdown(
    "An explorer of [Deep Residual Learning for Image Recognition](https://arxiv.org/abs/1512.03385) "
    "(He et al., 2015). "
    "What was measured here says how: most of it by training these nets, some on untrained ones. Parameters "
    "and multiply-adds are counted, and the paper's own numbers are named as the paper's."
)
datasets = twin_datasets()
if not datasets:
    empty_state()
    cards()
    st.stop()
invite()
dataset = datasets[0]
finals, style = finals_on(dataset), CurveStyle(splits=("test",))
picture, text = st.columns([7, 4], gap="large")
with picture:
    st.markdown(f"**Test error against depth**, {dataset_title(dataset)}, mean and spread over seeds")
    figure = error_over_depth(finals, None, style, chance_pct(dataset))
    draw(figure, "test-error-over-depth", describe_depths(finals, style))
with text:
    st.markdown(degradation.trend(finals))
    if dataset == "digits":
        st.markdown(
            "On these small digits and within 10 epochs the deepest plain nets learn next to nothing; "
            "residual nets of any depth learn."
        )
    idea()
st.header("Five minutes, five steps")
tour()
st.header("Look for yourself")
cards()
download_panel(lambda: finals, lambda: figure, f"error-over-depth-{dataset}")
show_provenance(runs_on(dataset))
st.markdown(f":small[{machine_summary()} These nets: {budget(dataset)}.]")
