"""How much does each block change its input?"""

import streamlit as st

from explorer.ui.inside.probing import probe_view
from explorer.ui.inside.records import recorded_datasets, runs_of
from explorer.ui.inside.residuals import choose_recorded, guide, recorded_view, training_view
from explorer.ui.sources import empty_state, origin

st.title("How much does each block change its input?")
if not recorded_datasets():
    empty_state()
    st.stop()
chosen = choose_recorded()
recorded_view(chosen)
training_view(chosen)
probe_view()
guide()
origin(runs_of(chosen.dataset, chosen.nets))
