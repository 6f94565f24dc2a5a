"""Test images of the dataset that a net was trained on, kept for all visitors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from explorer.data.registry import BUILT_IN, available
from explorer.runs.net_catalogue import NetChoice
from explorer.ui.components.net_picker import net_choices, opened, session_choices

if TYPE_CHECKING:
    from explorer.data.dataset import SplitName
    from explorer.probes.probe_images import ProbeImages

FIRST = "digits-plain-20-s0"
DIGITS = "digits"
_SMALL_IMAGES = 16
_MOST_TEST, _MOST_TRAIN = 200, 500
"""Of larger images: what is asked about at once, and what BN is measured on."""


def usable_datasets() -> set[str]:
    """Datasets of listed nets whose images are here."""
    there = {*BUILT_IN, *(found.name for found in available())}
    return {choice.dataset for choice in (*net_choices(), *session_choices()) if choice.dataset in there}


def data_of(choice: NetChoice) -> str:
    """Whose images a net is asked about."""
    return choice.dataset or DIGITS


@st.cache_resource(max_entries=12, show_spinner="Reading the images…")
def images_for(choice: NetChoice, split: SplitName) -> ProbeImages:
    """All images of a split where they are small, else some of each class; nobody may change them.

    Raises:
        ValueError: the split cannot be read, or is not for this net.
    """
    from explorer.data.sources import open_dataset
    from explorer.probes.probe_images import probe_images

    most = _MOST_TEST if split == "test" else _MOST_TRAIN
    count = None if choice.image_size <= _SMALL_IMAGES else most
    return probe_images(open_dataset(data_of(choice)), split, opened(choice), count)
