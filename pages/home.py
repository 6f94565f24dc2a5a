"""Home: the finding in one chart, the idea as a drawing, and the ways in."""

from functools import partial

import pandas as pd
import plotly.graph_objects as go
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

_CHARTS = 2

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
style = CurveStyle(splits=("test",))


def _drawn(dataset: str) -> go.Figure:
    return error_over_depth(finals_on(dataset), None, style, chance_pct(dataset))


for place, dataset in zip(st.columns(min(len(datasets), _CHARTS), gap="large"), datasets, strict=False):
    finals = finals_on(dataset)
    with place:
        st.markdown(f"**Test error against depth**, {dataset_title(dataset)}")
        draw(_drawn(dataset), f"test-error-over-depth-{dataset}", describe_depths(finals, style))
        st.markdown(degradation.trend(finals))
        st.markdown(f":small[Trained for {budget(dataset)}.]")
        download_panel(partial(finals_on, dataset), partial(_drawn, dataset), f"error-over-depth-{dataset}")
steps, drawing = st.columns([6, 5], gap="large", vertical_alignment="center")
with steps:
    st.header("Five minutes, five steps")
    tour()
with drawing:
    idea()
st.header("Look for yourself")
cards()
show_provenance(pd.concat([runs_on(dataset) for dataset in datasets[:_CHARTS]]))
st.markdown(f":small[{machine_summary()}]")
