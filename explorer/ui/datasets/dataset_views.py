"""The Data page's pictures of a dataset, read once for all visitors and drawn in the page's colours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from explorer.charts import words
from explorer.charts.image_grid import ImageGrid, class_counts, image_grid
from explorer.data import registry
from explorer.data.dataset import Dataset
from explorer.data.montage import Grid, examples, montage
from explorer.data.sources import open_dataset
from explorer.data.summary import DatasetSummary, summarise

PER_CLASS = 10
CLASSES_SHOWN = 10
DRAWS = 11
STRIP_COLUMNS = 4
_SPLITS = {"training": "train", "test": "test"}


@dataclass(frozen=True)
class DatasetView:
    """What the visitor chose.

    Attributes:
        name: of the dataset.
        split: train or test.
        draw: 0 for the first images of each class, else a seed.
        first: label of the first class shown.
    """

    name: str
    split: str
    draw: int
    first: int


@st.cache_resource(ttl=60, max_entries=8, show_spinner="Reading the images…")
def opened(name: str, entry: registry.RegisteredDataset | None) -> Dataset:
    """A dataset, shared by all sessions; `entry` so that another one of the same name is read again."""
    del entry
    return open_dataset(name)


@st.cache_resource(ttl=3600, max_entries=8, show_spinner="Looking at every image once…")
def surveyed(name: str, entry: registry.RegisteredDataset | None) -> DatasetSummary:
    """What was measured of a dataset, shared by all sessions."""
    return summarise(opened(name, entry))


def dataset_of(view: DatasetView) -> Dataset:
    """The dataset of a view."""
    return opened(view.name, registry.find(view.name))


def survey_of(view: DatasetView) -> DatasetSummary:
    """What was measured of the dataset of a view."""
    return surveyed(view.name, registry.find(view.name))


def shown_labels(view: DatasetView) -> list[int]:
    """Labels of the classes that the pictures show."""
    return list(range(view.first, min(view.first + CLASSES_SHOWN, len(dataset_of(view).classes))))


def grid_of(view: DatasetView) -> Grid:
    """A row of images for each class."""
    dataset = dataset_of(view)
    split = dataset.split(view.split)
    chosen = examples(split, shown_labels(view), PER_CLASS, view.draw)
    images = [
        split.images[row[place]] if place < len(row) else None for row in chosen for place in range(PER_CLASS)
    ]
    return montage(images, PER_CLASS, dataset.pixel_max)


def grid_figure(view: DatasetView) -> go.Figure:
    """The chart of `grid_of`; hovering tells each image's number."""
    dataset, grid, labels = dataset_of(view), grid_of(view), shown_labels(view)
    chosen = examples(dataset.split(view.split), labels, PER_CLASS, view.draw)
    hover = [
        f"{dataset.classes[label]}: {words_of(view.split)} image {row[place]}" if place < len(row) else ""
        for label, row in zip(labels, chosen, strict=True)
        for place in range(PER_CLASS)
    ]
    which = "the first" if view.draw == 0 else f"drawn with seed {view.draw}:"
    title = f"{which} {PER_CLASS} {words_of(view.split)} images of each class"
    return image_grid(as_image_grid(grid), [dataset.classes[label] for label in labels], hover, title)


def counts_figure(view: DatasetView) -> go.Figure:
    """Images of each class that the grid shows."""
    counts = survey_of(view).counts
    part = counts[counts["label"].isin(shown_labels(view))]
    return class_counts(part, int(counts["images"].max()))


def means_grid(view: DatasetView) -> Grid:
    """The mean training image of each class shown."""
    means = survey_of(view).class_means[shown_labels(view)]
    return montage(list(means), STRIP_COLUMNS, dataset_of(view).pixel_max)


def augmented_grid(view: DatasetView, index: int, seed: int) -> Grid:
    """One training image, and what a run with that seed sees of it in its first epochs."""
    from explorer.training.views import views_of

    dataset = dataset_of(view)
    original = dataset.split("train").images[index]
    drawn = views_of(dataset, index, seed, DRAWS)
    return montage([original, *drawn], STRIP_COLUMNS, dataset.pixel_max)


def as_image_grid(grid: Grid) -> ImageGrid:
    """A grid as charts take it."""
    return ImageGrid(grid.uri(), grid.rows, grid.columns, grid.cell)


def words_of(split: str) -> str:
    """Training, or test."""
    return next(name for name, short in _SPLITS.items() if short == split)


def sentence(view: DatasetView) -> str:
    """What the dataset holds, computed from what was measured."""
    dataset, found = dataset_of(view), survey_of(view)
    low, high = found.per_class("train")
    each = f"{low:,} of each class" if low == high else f"{low:,} to {high:,} of a class"
    if found.shared == 0:
        seen = "No test image is also, pixel for pixel, a training image."
    else:
        share = words.percent(100 * found.shared / found.images("test"))
        several = f"{found.shared:,} test images ({share}) are, pixel for pixel, training images too"
        single = f"1 test image ({share}) is, pixel for pixel, a training image too"
        seen = f"**{single if found.shared == 1 else several}**"
        seen += f", {found.mislabelled:,} of them under another class." if found.mislabelled else "."
    return (
        f"**{dataset.title}**: {found.images('train'):,} images to train on, {each}, and "
        f"{found.images('test'):,} to test on, in {len(dataset.classes)} classes. {seen}"
    )


def facts(view: DatasetView) -> list[tuple[str, str]]:
    """Names and values for the row of figures."""
    found = survey_of(view)
    channels, height, width = found.size
    return [
        ("Training images", f"{found.images('train'):,}"),
        ("Test images", f"{found.images('test'):,}"),
        ("Size", f"{width}x{height}, {'grey' if channels == 1 else 'colour'}"),
        ("Mean per channel", _short(found.mean)),
        ("Deviation per channel", _short(found.std)),
    ]


def _short(values: tuple[float, ...]) -> str:
    """'.49 .48 .45'; the digits are in the guide."""
    return " ".join(f"{value:.2f}".removeprefix("0") for value in values)


def counts_table(view: DatasetView) -> pd.DataFrame:
    """Images per class and split, for export."""
    counts = survey_of(view).counts
    table = counts.pivot_table(index=["label", "class"], columns="split", values="images", sort=False)
    return table.astype(np.int64).reset_index()[["label", "class", "train", "test"]]
