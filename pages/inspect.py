"""The Inspect page: what each block makes of a picture."""

import streamlit as st

from explorer.ui.components.net_picker import choose_epoch, choose_net
from explorer.ui.components.picture_picker import choose_picture
from explorer.ui.inspect.page import inspect

st.title("What does each block make of a picture?")
left, right = st.columns([3, 8], vertical_alignment="bottom")
try:
    with left:
        choice = choose_net()
    with right:
        picture = choose_picture(choice.dataset)
    inspect(choose_epoch(choice), picture)
except ValueError as error:
    st.error(str(error))
