"""The Residuals page: how much each block changes its input."""

import streamlit as st

from explorer.ui.components.provenance import empty_state, show_provenance
from explorer.ui.residuals.page import choose_recorded, recorded_view, show_help, training_view
from explorer.ui.residuals.probe_now import probe_view
from explorer.ui.residuals.recorded_nets import recorded_datasets, runs_of

st.title("How much does each block change its input?")
if not recorded_datasets():
    empty_state()
    st.stop()
chosen = choose_recorded()
recorded_view(chosen)
training_view(chosen)
probe_view()
show_help()
show_provenance(runs_of(chosen.dataset, chosen.nets))
