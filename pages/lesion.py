"""The Lesion page: what each block contributes."""

import streamlit as st

from explorer.ui.why import lesion

st.title("What does each block contribute?")
try:
    choice = lesion.choose_subject()
    lesion.opened(choice)  # here, since what a fragment raises is not caught outside it
    lesion.lesion_view(choice)
    st.header("Every block, several, and out of order")
    lesion.contributions_view(choice)
except ValueError as error:
    st.error(str(error), icon=":material/error:")
with st.expander("How to read this"):
    st.markdown(lesion.HOW)
with st.expander("Where these numbers come from"):
    st.markdown(lesion.sources())
