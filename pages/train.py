"""The Live training page: nets learning, with shortcuts and without."""

import streamlit as st

from explorer.ui.components.figure import is_dark
from explorer.ui.components.url_sync import follow_address
from explorer.ui.train.experiment_form import choose_experiment
from explorer.ui.train.live_snapshot import LiveQuery
from explorer.ui.train.live_view import live_view
from explorer.ui.train.start_run import offer_start
from explorer.ui.train.sweep_card import show_sweep
from explorer.ui.train.train_help import show_help, show_next_steps, show_other_runs
from explorer.ui.train.watched_runs import context_of, is_over, load_watched_runs, watched_ids

st.title("How does a net learn, with shortcuts and without?")
form = choose_experiment()
style, beside = offer_start(form)
show_sweep(form)
ids = watched_ids()
show_other_runs(ids)
context = context_of(form.experiment, form.images.name, ids) if beside or is_over(ids) else []
plan = (form.experiment, form.images) if form.experiment else None
found = load_watched_runs(tuple(ids), tuple(context), plan)
with st.container(key="live"):
    live_view(LiveQuery(tuple(ids), tuple(context), style, is_dark()), found)
show_next_steps(found)
show_help(found, context)
follow_address()
