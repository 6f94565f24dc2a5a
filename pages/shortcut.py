"""The Shortcut page: what the shortcut changes."""

import streamlit as st

from explorer.ui.why import shortcut

st.title("What does the shortcut change?")
try:
    shortcut.strength_view(*shortcut.choose_strength())
    st.header("And a gate that decides?")
    st.markdown(shortcut.said.SENTENCE)
    shortcut.gates_view()
    st.header("How far are the gates open for a picture?")
    shortcut.picture_view()
    st.header("What did He et al. find in 2016?")
    shortcut.others_view()
except ValueError as error:
    st.error(str(error), icon=":material/error:")
with st.expander("How to read this"):
    st.markdown(shortcut.HOW)
with st.expander("Where these numbers come from"):
    st.markdown(shortcut.sources())
