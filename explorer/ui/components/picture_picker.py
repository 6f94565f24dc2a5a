"""The choice of a picture: test images, photographs that ship with the app, or the visitor's own."""

from __future__ import annotations

import streamlit as st

from explorer.data.dataset import DataError, Dataset
from explorer.data.images import TAKEN
from explorer.data.montage import examples
from explorer.data.preprocess import TONES, Inversion, Picture, dataset_picture
from explorer.data.registry import available
from explorer.data.sample_photos import PHOTOGRAPHS, photograph
from explorer.data.sources import open_dataset
from explorer.ui.components.paste import listen
from explorer.ui.components.upload_budget import most_mib
from explorer.ui.components.uploads import OWN, own_pictures, take_in, tell_refused
from explorer.ui.components.url_widgets import linked_choice, tell_absent
from explorer.ui.url_parameters import Choice, Whole, bound, declare

PICTURE = "picture"
_PICTURE = declare(Choice(PICTURE))
_INDEX = declare(Whole("index"))
_TONE = declare(Choice("tone"))
_FILES, _CAMERA = "picture-files", "picture-camera"
_MAX_MB = 20
_YOURS = "Yours: "
_SHARED = "Ask its owner for the file, under the same name, and add it here; then this link shows it too."


def choose_picture(dataset: str) -> Picture:
    """A picture; the URL's `picture` and `index`. Whatever the URL gets wrong becomes a test image.

    Draws one row: the list, the number of the test image, and a place for the visitor's own files.

    Args:
        dataset: the id of what the net was trained on; its test images come first, where they are here.
    """
    classes = _class_pictures(dataset)
    options = {key: title for key, (title, _, _) in classes.items()} | _options(dataset)
    left, middle, right = st.columns([5, 2, 3], vertical_alignment="bottom")
    with right.popover("Your own picture", icon=":material/add_a_photo:", width="stretch"):
        _own_picture()
    there = {*options, *options.values()}
    tell = tell_absent(PICTURE, there, own=(OWN, _YOURS), what="picture", how=_SHARED)
    with left:
        chosen = linked_choice(
            "Picture", options, PICTURE, default=next(iter(options)),
            help="Test images were never trained on. Your own pictures stay in this session.",
        )  # fmt: skip
    one = chosen in PHOTOGRAPHS or chosen.startswith(OWN) or chosen in classes
    tests = None if one else _dataset(chosen)
    count = len(tests.split("test").labels) if tests else 1
    number = middle.number_input(
        "Test image", 0, max(count - 1, 1), 0, **bound(_INDEX), disabled=tests is None,
        help="Which image of the test split, counted from 0. The arrow keys step through them.",
    )  # fmt: skip
    listen(lambda file: _choose(take_in([file])))
    tell_refused()
    tell(chosen, options[chosen])
    if chosen in classes:
        _, name, place = classes[chosen]
        return dataset_picture(open_dataset(name), "test", place)
    if tests:
        return dataset_picture(tests, "test", min(int(number or 0), count - 1))
    return own_pictures()[chosen] if chosen in own_pictures() else photograph(_photograph(chosen))


def _class_pictures(dataset: str) -> dict[str, tuple[str, str, int]]:
    """For nets on small colour pictures: CIFAR-10's first test image of each class, where it is at hand."""
    if dataset not in ("", "cifar10", "cifar10-jpeg"):
        return {}
    there = {found.name: found.title for found in available()}
    name = next((name for name in (dataset, "cifar10", "cifar10-jpeg") if name in there), None)
    tests = _dataset(name) if name else None
    if name is None or tests is None:
        return {}
    firsts = examples(tests.split("test"), range(len(tests.classes)), 1, 0)
    found = {tests.classes[label]: places[0] for label, places in enumerate(firsts) if places}
    return {
        f"{name}-{title}": (f"{title}: {there[name]}, test image {place}", name, place)
        for title, place in found.items()
    }


def _photograph(key: str) -> str:
    return key if key in PHOTOGRAPHS else next(iter(PHOTOGRAPHS))


def choose_tone(channels: int) -> Inversion:
    """For nets that see grey: whether they are shown the negative; the URL's `tone`."""
    chosen = st.segmented_control(
        "Brightness", TONES, default="auto", **bound(_TONE, options=TONES), disabled=channels != 1,
        help="Digits were learned as bright strokes on a dark ground. Auto inverts a picture with a bright "
        "border; test images are never inverted by it.",
    )  # fmt: skip
    return chosen if chosen in TONES else "auto"


def _options(dataset: str) -> dict[str, str]:
    """Keys and titles: the net's own test images, digits, photographs, the visitor's own."""
    there = {found.name: found.title for found in available()}
    first = [dataset] if dataset in there else []
    sets = [*first, *(["digits"] if "digits" not in first else [])]
    tests = {name: f"{there[name]}: test images" for name in sets}
    own = {key: f"{_YOURS}{picture.title}" for key, picture in own_pictures().items()}
    return (tests | PHOTOGRAPHS if first else PHOTOGRAPHS | tests) | own


@st.cache_resource(max_entries=4, show_spinner="Reading the test images…")
def _dataset(name: str) -> Dataset | None:
    try:
        dataset = open_dataset(name)
        dataset.split("test")
    except DataError as error:
        st.warning(str(error))
        return None
    return dataset


def _own_picture() -> None:
    st.file_uploader(
        "Drop pictures here, or paste one anywhere on the page", accept_multiple_files=True, key=_FILES,
        max_upload_size=most_mib(_MAX_MB), on_change=_files_came,
        help=f"{TAKEN}, up to 20 MB and 25 million pixels each; a JPEG may have more. They "
        "stay in this session.",
    )  # fmt: skip
    if st.toggle("Use the camera", help="The browser asks for permission first."):
        st.camera_input("Take a picture", key=_CAMERA, on_change=_photograph_taken)


def _files_came() -> None:
    _choose(take_in([file for file in st.session_state.get(_FILES) or [] if _is_new(file.file_id)]))


def _photograph_taken() -> None:
    taken = st.session_state.get(_CAMERA)
    _choose(take_in([taken]) if taken is not None else None)


def _is_new(file_id: str) -> bool:
    seen: set[str] = st.session_state.setdefault("uploaded-files", set())
    new = file_id not in seen
    seen.add(file_id)
    return new


def _choose(key: str | None) -> None:
    if key is not None:
        st.session_state[PICTURE] = key
