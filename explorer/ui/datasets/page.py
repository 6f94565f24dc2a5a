"""The Data page: what is chosen, the picture that answers, and the smaller ones below it."""

from __future__ import annotations

import re

import streamlit as st

from explorer.charts.image_grid import STRIP_HEIGHT, image_grid
from explorer.data import registry
from explorer.ui import places
from explorer.ui.components.figure import draw
from explorer.ui.components.url_widgets import linked_choice
from explorer.ui.datasets import dataset_views
from explorer.ui.datasets.dataset_views import CLASSES_SHOWN, DRAWS, DatasetView, dataset_of
from explorer.ui.url_parameters import Choice, Whole, bound, declare

_PART = declare(Choice("part"))
_DRAWN = declare(Whole("drawn", 0, 999))
_CLASSES = declare(Choice("classes"))
_IMAGE_NUMBER = declare(Whole("image-number"))
_RUN_SEED = declare(Whole("run-seed", 0, 999))
CHOSEN = "set"
"""Name in the URL of the dataset."""
NEXT = "data-next"
"""Session key of the dataset to be shown next, after one was added."""
_SPLITS = ("training", "test")


def choose_view() -> DatasetView:
    """The URL's `set`, `part`, `drawn` and `classes`; whatever it gets wrong becomes a default."""
    known = {found.name: found for found in registry.available()}
    if st.session_state.get(NEXT) in known:
        st.session_state[CHOSEN] = st.session_state.pop(NEXT)
    columns = st.columns([5, 4, 3, 4], vertical_alignment="bottom")
    with columns[0]:
        name = linked_choice(
            "Dataset", {key: found.title for key, found in known.items()}, CHOSEN,
            default=registry.DIGITS.name, help="Digits come with the explorer; more can be added below.",
        )  # fmt: skip
    found = known[name]
    split = columns[1].segmented_control(
        "Pictures", _SPLITS, default=_SPLITS[0], **bound(_PART, options=_SPLITS),
        help="Which split the pictures are taken from. The numbers are of both.",
    )  # fmt: skip
    drawn = columns[2].number_input(
        "Draw", 0, 999, 0, **bound(_DRAWN),
        help="0 shows the first images of each class; any other number is the seed of a random choice.",
    )  # fmt: skip
    first = _choose_classes(found.classes, columns[3])
    return DatasetView(found.name, "test" if split == "test" else "train", int(drawn), first)


def _choose_classes(classes: int, place: st.delta_generator.DeltaGenerator) -> int:
    starts = list(range(0, classes, CLASSES_SHOWN))
    names = {start: f"{start + 1} to {min(start + CLASSES_SHOWN, classes)}" for start in starts}
    chosen = place.selectbox(
        "Classes shown", starts, format_func=lambda start: names.get(start, str(start)),
        **bound(_CLASSES, options=names.values()), disabled=len(starts) == 1,
        help=f"Of many classes, {CLASSES_SHOWN} are shown at a time.",
    )  # fmt: skip
    return chosen if chosen in starts else 0


def show_pictures(view: DatasetView) -> None:
    """Pictures by class beside counts by class, the conclusion, and the figures."""
    dataset = dataset_of(view)
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown(f"**Pictures by class**, {dataset_views.words_of(view.split)} images")
        names = ", ".join(dataset.classes[label] for label in dataset_views.shown_labels(view))
        draw(
            dataset_views.grid_figure(view),
            "pictures-by-class",
            f"Rows of small pictures, one per class: {names}.",
        )
    with right:
        st.markdown("**Images per class**")
        draw(dataset_views.counts_figure(view), "images-per-class", _said_counts(view))
    st.markdown(dataset_views.sentence(view))
    if told := dataset.told():
        st.info("\n".join(f"- {_as_text(note)}" for note in told), icon=":material/info:")
    cells = st.container(horizontal=True, gap="small", key="gap")
    for name, value in dataset_views.facts(view):
        cells.metric(name, value, border=True, width="stretch")


def _as_text(note: str) -> str:
    """A sentence with names of files in it, which Markdown must not read as marks."""
    return re.sub(r"([\\`*_{}\[\]()<>#+!|~$:])", r"\\\1", note)


def _said_counts(view: DatasetView) -> str:
    table = dataset_views.counts_table(view)
    rows = table[table["label"].isin(dataset_views.shown_labels(view))]
    parts = [f"{row['class']} {row['train']} and {row['test']}" for row in rows.to_dict("records")]
    return f"Images per class, training and test: {'; '.join(parts)}."


def show_means(view: DatasetView) -> None:
    """The mean image of each class."""
    dataset, grid = dataset_of(view), dataset_views.means_grid(view)
    names = [dataset.classes[label] for label in dataset_views.shown_labels(view)]
    st.markdown("**The mean image of each class**, over the training split")
    figure = image_grid(
        dataset_views.as_image_grid(grid), [""] * grid.rows, [f"mean of {name}" for name in names],
        f"{names[0]} to {names[-1]}, row by row", STRIP_HEIGHT,
    )  # fmt: skip
    draw(figure, "mean-images", f"The mean image of each class: {', '.join(names)}.")


@places.fragment
def show_augmentation(view: DatasetView) -> None:
    """One image, and what a run sees of it epoch by epoch."""
    dataset = dataset_of(view)
    last = len(dataset.split("train").labels) - 1
    st.markdown("**What augmentation does to one image**, epoch by epoch")
    left, right = st.columns(2)
    index = left.number_input("Training image", 0, None, 0, **bound(_IMAGE_NUMBER), help=f"0 to {last:,}.")
    seed = right.number_input(
        "Seed of the run", 0, 999, 0, **bound(_RUN_SEED),
        help="Crops and mirrors follow from the run's seed and the epoch alone.",
    )  # fmt: skip
    number = min(int(index), last)
    grid = dataset_views.augmented_grid(view, number, int(seed))
    name = dataset.classes[int(dataset.split("train").labels[number])]
    hover = ["as it is", *(f"epoch {epoch}" for epoch in range(1, DRAWS + 1))]
    title = f"as it is, then in epochs 1 to {DRAWS} ({name}, image {number:,})"
    figure = image_grid(dataset_views.as_image_grid(grid), [""] * grid.rows, hover, title, STRIP_HEIGHT)
    draw(figure, "augmentation", f"Training image {number}, {name}: as it is, and as {DRAWS} epochs see it.")


def show_downloads(view: DatasetView) -> None:
    """Take the counts away as CSV, and the grid as PNG."""
    first, second = st.columns(2)
    first.download_button(
        "Counts as CSV", lambda: str(dataset_views.counts_table(view).to_csv(index=False)),
        f"counts-{view.name}.csv", "text/csv",
        on_click="ignore", key="counts-csv", width="stretch", icon=":material/download:",
    )  # fmt: skip
    second.download_button(
        "Pictures as PNG", lambda: dataset_views.grid_of(view).exported(),
        f"pictures-{view.name}-{view.split}.png", "image/png",
        on_click="ignore", key="grid-png", width="stretch",
        icon=":material/download:",
    )  # fmt: skip
