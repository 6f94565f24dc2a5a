"""The Construct page: a deep plain net that is good, built by hand."""

import streamlit as st

from explorer.ui.why import construct

st.title("Does a good deep plain net exist?")
try:
    choice, depth, place = construct.choose_construction()
    construct.construction_view(choice, depth, place)
    st.header("Does training keep it, or find it?")
    construct.training_view(choice, depth, place)
except ValueError as error:
    st.error(str(error), icon=":material/error:")
with st.expander("How to read this"):
    st.markdown(construct.HOW)
with st.expander("Where these numbers come from"):
    st.markdown(construct.sources())
