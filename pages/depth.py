"""The Depth page: a slider over the depths, and what training error does with it."""

import streamlit as st

from explorer.ui.cached_runs import protocols_on, runs_on, twin_datasets
from explorer.ui.components.provenance import empty_state, show_provenance
from explorer.ui.depth.controls import choose_dataset, choose_protocol, choose_style
from explorer.ui.depth.page import depth_view

st.title("What does depth do to a plain network?")
datasets = twin_datasets()
if not datasets:
    empty_state()
    st.stop()
left, right = st.columns([3, 10], vertical_alignment="bottom")
with left:
    dataset = choose_dataset(datasets)
protocols = protocols_on(dataset)
with right.columns([4, 6])[0] if len(protocols) > 1 else right:
    protocol = choose_protocol(protocols)
runs = runs_on(dataset, protocol)
with st.container() if len(protocols) > 1 else right:
    style = choose_style(runs["family"].unique())
depth_view(dataset, protocol, style)
show_provenance(runs)
