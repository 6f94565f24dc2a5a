"""Can a net be a thousand layers deep?"""

import streamlit as st

from explorer.ui.evidence import deep
from explorer.ui.evidence.measuring import signal_view

st.title("Can a net be a thousand layers deep?")
signal_view(deep.choose_depth())
st.header("Does more depth overfit?")
st.markdown(deep.QUESTION)
deep.show_overfitting()
st.header("What does it look like, and what does it cost?")
deep.show_stacks()
with st.expander("How to read this"):
    st.markdown(deep.HOW)
with st.expander("Where these numbers come from"):
    st.markdown(deep.SOURCES)
