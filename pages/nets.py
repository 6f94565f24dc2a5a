"""The Nets page: what a net is made of."""

import streamlit as st

from explorer.ui.components.net_picker import choose_net, opened
from explorer.ui.nets.architecture_view import parts_view, totals_view
from explorer.ui.nets.next_pages import choose_beside, show_help, use_elsewhere
from explorer.ui.nets.open_net import open_view, show_assumed, take_next

st.title("What is this net made of?")
take_next()
left, right = st.columns([5, 5], vertical_alignment="bottom")
try:
    with left:
        choice = choose_net()
    with right:
        other = choose_beside(choice)
    for net in (choice, other):
        if net is not None:
            opened(net)  # here, since what a fragment raises is not caught outside it
    parts_view(choice, other)
    totals_view(choice)
    show_assumed(choice)
    use_elsewhere(choice)
except ValueError as error:
    st.error(str(error), icon=":material/error:")
st.header("Open another net")
open_view()
show_help()
