"""How does a net learn, with shortcuts and without?"""

import streamlit as st

from explorer.ui.address import follow_address
from explorer.ui.form import choose_order
from explorer.ui.live import live_view
from explorer.ui.reading import guide, others, where_to
from explorer.ui.start import offer_start
from explorer.ui.watching import context_of, watched_ids

st.title("How does a net learn, with shortcuts and without?")
wish = choose_order()
style, beside = offer_start(wish)
ids = watched_ids()
others(ids)
context = context_of(wish.order, wish.images.name, ids) if beside or not ids else []
with st.container(key="live"):
    live_view(tuple(ids), tuple(context), style)
where_to(ids)
guide(ids, context)
follow_address()
