"""What does depth do to a plain network?"""

import streamlit as st

from explorer.ui.data import runs_on, twin_datasets
from explorer.ui.depth.controls import choose_dataset, choose_style
from explorer.ui.depth.depth import depth_view
from explorer.ui.sources import empty_state, origin

st.title("What does depth do to a plain network?")
datasets = twin_datasets()
if not datasets:
    empty_state()
    st.stop()
left, right = st.columns([3, 10], vertical_alignment="bottom")
with left:
    dataset = choose_dataset(datasets)
with right:
    style = choose_style(runs_on(dataset)["family"].unique())
depth_view(dataset, style)
origin(runs_on(dataset))
