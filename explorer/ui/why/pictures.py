"""The choice of a picture on a page that asks for several: of a dataset, a photograph, or one's own.

Each choice has names of its own in the URL; the picture of `picture_picker` goes from page to page.
"""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from explorer.data.dataset import Dataset, SplitName
from explorer.data.preprocess import Picture, dataset_picture
from explorer.data.sample_photos import PHOTOGRAPHS, photograph
from explorer.data.sources import open_dataset
from explorer.ui.components.upload_budget import most_mib
from explorer.ui.components.uploads import own_pictures, take_in, tell_refused
from explorer.ui.components.url_widgets import linked_choice
from explorer.ui.url_parameters import Whole, bound

IMAGE = "image"
_SEEN = "seen-files"


@dataclass(frozen=True)
class Asked:
    """Which picture is asked for.

    Attributes:
        label: above the list.
        key: of the list, and in the URL.
        number: of an image in its split, in the URL.
        dataset: id of that image's dataset.
        split: where it is.
        first: the number at first.
    """

    label: str
    key: str
    number: Whole
    dataset: str
    split: SplitName
    first: int = 0


def choose_one(asked: Asked) -> Picture:
    """A picture, by a list and a number in one row.

    Raises:
        DataError: the dataset's images are not here.
    """
    own = {key: f"Yours: {picture.title}" for key, picture in own_pictures().items()}
    titles = {IMAGE: f"A {'training' if asked.split == 'train' else 'test'} image", **PHOTOGRAPHS, **own}
    count = len(_opened(asked.dataset).split(asked.split).labels)
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    with left:
        chosen = linked_choice(asked.label, titles, asked.key, default=IMAGE, help="As the net will see it.")
    at = right.number_input(
        "Number", 0, count - 1, min(asked.first, count - 1), **bound(asked.number, high=count - 1),
        disabled=chosen != IMAGE, help="Of the image in its split, counted from 0.",
    )  # fmt: skip
    if chosen in own:
        return own_pictures()[chosen]
    if chosen in PHOTOGRAPHS:
        return photograph(chosen)
    return dataset_picture(_opened(asked.dataset), asked.split, int(at or 0))


def offer_own(key: str) -> None:
    """A place for the visitor's pictures, which are then listed by `choose_one`; what is wrong is said."""
    with st.popover("Your own pictures", icon=":material/add_a_photo:", width="stretch"):
        files = st.file_uploader(
            "Drop pictures here", accept_multiple_files=True, key=key, max_upload_size=most_mib(20),
            help="They are listed with the others, and stay in this session.",
        )  # fmt: skip
    seen: set[str] = st.session_state.setdefault(_SEEN, set())
    new = [file for file in files or [] if file.file_id not in seen]
    if new:
        seen |= {file.file_id for file in new}
        take_in(new)
        st.rerun()
    tell_refused()


@st.cache_resource(max_entries=4, show_spinner="Reading the images…")
def _opened(name: str) -> Dataset:
    return open_dataset(name)
