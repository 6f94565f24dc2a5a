"""The Multigrid page: corrections beside whole solutions."""

import streamlit as st

from explorer.ui.why import multigrid

st.title("Why are corrections easier to find than a whole solution?")
multigrid.cycles_view()
st.header("One wish, one descent, two sets of knobs")
multigrid.knobs_view()
with st.expander("How to read this"):
    st.markdown(multigrid.HOW)
with st.expander("Where these numbers come from"):
    st.markdown(multigrid.SOURCES)
