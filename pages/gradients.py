"""The Gradients page: whether vanishing gradients are the cause."""

import streamlit as st

from explorer.ui.why import gradients, strips

st.title("Is it vanishing gradients?")
try:
    depth, epoch = gradients.choose_moment()
    gradients.agreement_view(depth, epoch)
    st.header("Is it their size?")
    gradients.sizes_view(depth)
    st.header("Do neighbouring pictures agree?")
    strips.strips_view(depth)
    st.header("How many blocks does the gradient pass?")
    strips.paths_view()
except ValueError as error:
    st.error(str(error), icon=":material/error:")
with st.expander("How to read this"):
    st.markdown(f"{gradients.HOW}\n\n{strips.HOW}")
with st.expander("Where these numbers come from"):
    st.markdown(gradients.sources())
