"""The Landscape page: loss and error around trained nets, plain and residual."""

import streamlit as st

from explorer.ui.why import landscape

st.title("What does training walk through?")
try:
    depth, quantity, seed, statistics = landscape.choose_slice()
    landscape.twins_view(depth, quantity, seed, statistics)
    st.header("Which trajectory did training take?")
    landscape.trajectory_view(depth, quantity)
    st.header("And around another net?")
    landscape.own_view(quantity, seed, statistics)
except ValueError as error:
    st.error(str(error), icon=":material/error:")
with st.expander("How to read this"):
    st.markdown(landscape.HOW)
with st.expander("Where these numbers come from"):
    st.markdown(landscape.sources())
