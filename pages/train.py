"""How does a net learn, with shortcuts and without?"""

import streamlit as st

from explorer.ui.address import follow_address
from explorer.ui.figures import is_dark
from explorer.ui.train.form import choose_order
from explorer.ui.train.live import live_view
from explorer.ui.train.reading import guide, others, where_to
from explorer.ui.train.sight import View
from explorer.ui.train.start import offer_start
from explorer.ui.train.watching import context_of, is_over, watched, watched_ids

st.title("How does a net learn, with shortcuts and without?")
wish = choose_order()
style, beside = offer_start(wish)
ids = watched_ids()
others(ids)
context = context_of(wish.order, wish.images.name, ids) if beside or is_over(ids) else []
plan = (wish.order, wish.images) if wish.order else None
found = watched(tuple(ids), tuple(context), plan)
with st.container(key="live"):
    live_view(View(tuple(ids), tuple(context), style, is_dark()), found)
where_to(found)
guide(found, context)
follow_address()
