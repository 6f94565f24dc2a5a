"""The Runs page: which runs learned best, and what made the difference."""

import streamlit as st

from explorer.ui.cached_runs import library
from explorer.ui.runs.activity import watch
from explorer.ui.runs.cluster import show_cluster
from explorer.ui.runs.comparison import choose_look, compare
from explorer.ui.runs.details import show_details
from explorer.ui.runs.edit_run import offer_undo
from explorer.ui.runs.import_menu import import_menu, tell_import
from explorer.ui.runs.run_list import MOST_RUNS, all_runs, choose_filter, choose_runs, invite
from explorer.ui.runs.toolbar import explain, tools

st.title("Which runs learned best, and what made the difference?")
runs = all_runs()
with st.container(horizontal=True, vertical_alignment="bottom", key="runs-controls"):
    shown = choose_filter(runs)
    style = choose_look()
    import_menu()
tell_import()
offer_undo()
ids = choose_runs(runs, shown)
chosen = runs[runs["run_id"].isin(ids)]
tools(runs, chosen)
watch(runs)
show_cluster()
invite(runs)
if chosen.empty:
    st.info("Tick runs in the table to compare them.")
else:
    compare(list(chosen["run_id"].head(MOST_RUNS)), style)
    show_details(chosen)
for problem in library().problems:
    st.warning(problem)
explain(chosen)
