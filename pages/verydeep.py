"""The Very deep page: nets of a thousand layers."""

import streamlit as st

from explorer.ui.verydeep import page as verydeep_page
from explorer.ui.verydeep.signal_measurement import signal_view

st.title("Can a net be a thousand layers deep?")
signal_view(verydeep_page.choose_depth())
st.header("Does more depth overfit?")
st.markdown(verydeep_page.QUESTION)
verydeep_page.show_overfitting()
st.header("What does it look like, and what does it cost?")
verydeep_page.show_stacks()
with st.expander("How to read this"):
    st.markdown(verydeep_page.HOW)
with st.expander("Where these numbers come from"):
    st.markdown(verydeep_page.SOURCES)
