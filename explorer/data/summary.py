"""A dataset in numbers: counts, class means, and test images that training has seen."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from explorer.data.dataset import Dataset, Split


@dataclass(frozen=True, eq=False)
class DatasetSummary:
    """What was measured of a dataset.

    Attributes:
        counts: one row per class and split: label, class, split (train or test), images.
        mean: of each channel over the training split, of pixels in 0 to 1.
        std: likewise.
        sha256: hash of each split.
        size: channels, height and width of every image.
        shared: test images that are, pixel for pixel, training images too.
        mislabelled: those of them whose label is not that of any such training image.
        class_means: the mean training image of each class, uint8, (classes, C, H, W).
    """

    counts: pd.DataFrame
    mean: tuple[float, ...]
    std: tuple[float, ...]
    sha256: dict[str, str]
    size: tuple[int, int, int]
    shared: int
    mislabelled: int
    class_means: NDArray[np.uint8]

    def images(self, split: str) -> int:
        """Images of one split."""
        return int(self.counts.loc[self.counts["split"] == split, "images"].sum())

    def per_class(self, split: str) -> tuple[int, int]:
        """The fewest and the most images of a class."""
        counts = self.counts.loc[self.counts["split"] == split, "images"]
        return int(counts.min()), int(counts.max())


def summarise(dataset: Dataset) -> DatasetSummary:
    """Look at every image once.

    Raises:
        DataError: a split is missing or cannot be read.
    """
    train, test = dataset.split("train"), dataset.split("test")
    mean, std = dataset.channel_stats()
    shared, mislabelled = seen_before(train, test)
    return DatasetSummary(
        counts=pd.concat(
            [_counts(dataset, name, split) for name, split in (("train", train), ("test", test))],
            ignore_index=True,
        ),
        mean=mean,
        std=std,
        sha256={"train": train.sha256, "test": test.sha256},
        size=(train.in_channels, *train.images.shape[2:]),
        shared=shared,
        mislabelled=mislabelled,
        class_means=class_means(train, len(dataset.classes)),
    )


def seen_before(train: Split, test: Split) -> tuple[int, int]:
    """Test images found in training, pixel for pixel; and how many of them only with another label."""
    labels: dict[bytes, set[int]] = {}
    for image, label in zip(train.images, train.labels, strict=True):
        labels.setdefault(_key(image), set()).add(int(label))
    found = [
        int(label) in labels[key]
        for image, label in zip(test.images, test.labels, strict=True)
        if (key := _key(image)) in labels
    ]
    return len(found), found.count(False)


def class_means(split: Split, classes: int) -> NDArray[np.uint8]:
    """The mean image of each class, (classes, C, H, W); black where a class has none."""
    means = np.zeros((classes, *split.images.shape[1:]), np.uint8)
    for label in np.unique(split.labels):
        means[label] = np.rint(split.images[split.labels == label].mean(0, dtype=np.float64))
    return means


def _key(image: NDArray[np.uint8]) -> bytes:
    return hashlib.blake2b(image.tobytes(), digest_size=16).digest()


def _counts(dataset: Dataset, name: str, split: Split) -> pd.DataFrame:
    found = np.bincount(split.labels, minlength=len(dataset.classes))
    columns = {"label": range(len(dataset.classes)), "class": dataset.classes, "split": name, "images": found}
    return pd.DataFrame(columns)
