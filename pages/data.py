"""The Data page: the pictures that the nets learn from."""

import streamlit as st

from explorer.data.dataset import DataError
from explorer.ui.datasets.data_help import show_help
from explorer.ui.datasets.dataset_manager import manage_datasets
from explorer.ui.datasets.dataset_views import dataset_of
from explorer.ui.datasets.page import (
    choose_view,
    show_augmentation,
    show_downloads,
    show_means,
    show_pictures,
)

st.title("Which pictures do the nets learn from?")
view = choose_view()
try:
    dataset_of(view).split("test")
except DataError as error:
    st.error(str(error))
else:
    show_pictures(view)
    left, right = st.columns(2, gap="medium")
    with left:
        show_means(view)
    with right:
        show_augmentation(view)
    show_downloads(view)
manage_datasets()
show_help(view)
