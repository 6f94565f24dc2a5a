"""A loaded dataset: plain arrays with class names, a scale and a hash; no torch."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

SplitName = Literal["train", "test"]
Progress = Callable[[int, int], None]
"""Told how many images are read, and of how many."""
_CHUNK = 2000


class DataError(ValueError):
    """A dataset cannot be read; the text says what is wrong and what to do."""


@dataclass(frozen=True)
class SplitStatistics:
    """What was measured of a split when it was read first.

    Attributes:
        sha256: hash of shapes, pixels and labels.
        histogram: pixels of each value, (C, 256).
    """

    sha256: str
    histogram: NDArray[np.int64]


@dataclass(frozen=True)
class Split:
    """Labelled images.

    Attributes:
        images: uint8, (N, C, H, W), from 0 to the dataset's `pixel_max`; may be mapped from a file.
        labels: int64, (N,).
        known: what was measured of just these images before, where they come from the cache.
        notes: what was done to images or left out when they were decoded, as sentences.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    known: SplitStatistics | None = field(default=None, repr=False, compare=False)
    notes: tuple[str, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        """Refuse arrays that do not belong together."""
        if self.images.ndim != 4 or self.images.dtype != np.uint8:
            raise DataError(
                f"Images must be uint8 (N, C, H, W), not {self.images.dtype} {self.images.shape}."
            )
        if self.labels.shape != (len(self.images),):
            raise DataError(f"{len(self.images)} images need as many labels, not {self.labels.shape}.")
        if len(self.images) == 0:
            raise DataError("The split holds no image.")

    @property
    def in_channels(self) -> int:
        """Channels of every image."""
        return int(self.images.shape[1])

    @property
    def image_size(self) -> int:
        """Height of every image in pixels."""
        return int(self.images.shape[2])

    @cached_property
    def sha256(self) -> str:
        """Hash of shapes, pixels and labels: the same data, wherever it was read from."""
        if self.known is not None:
            return self.known.sha256
        digest = hashlib.sha256(f"{self.images.shape}".encode())
        digest.update(np.ascontiguousarray(self.images).data)
        digest.update(np.ascontiguousarray(self.labels, dtype="<i8").data)
        return digest.hexdigest()

    @cached_property
    def histogram(self) -> NDArray[np.int64]:
        """Pixels of each value in each channel, (C, 256)."""
        if self.known is not None:
            return self.known.histogram
        counts = np.zeros((self.in_channels, 256), np.int64)
        for start in range(0, len(self.images), _CHUNK):
            part = self.images[start : start + _CHUNK]
            for channel, row in enumerate(counts):
                row += np.bincount(part[:, channel].ravel(), minlength=256)
        return counts

    def measured(self) -> SplitStatistics:
        """Hash and histogram, to be kept beside the images."""
        return SplitStatistics(self.sha256, self.histogram)

    def take(self, index: NDArray[np.int64]) -> Split:
        """The images at `index`, in that order."""
        return Split(self.images[index], self.labels[index], notes=self.notes)


@dataclass(frozen=True)
class Dataset:
    """A named set of splits, each read when it is first asked for.

    Attributes:
        id: such as digits or cifar10-jpeg.
        title: the name shown to people.
        classes: class names, by label.
        readers: how to read each split that exists.
        pixel_max: the value of a fully bright pixel.
        flips: whether a mirrored image still belongs to its class.
        notes: what was decided where its files leave a choice, and what is left out, as sentences.
    """

    id: str
    title: str
    classes: tuple[str, ...]
    readers: dict[str, Callable[[], Split]]
    pixel_max: int = 255
    flips: bool = True
    notes: tuple[str, ...] = ()
    _read: dict[str, Split] = field(default_factory=dict, repr=False, compare=False)

    def split(self, name: str) -> Split:
        """The split called `name`.

        Raises:
            DataError: there is no such split, or it cannot be read.
        """
        if name not in self.readers:
            raise DataError(f"{self.title} has no split '{name}'. It has {', '.join(self.readers)}.")
        if name not in self._read:
            split = self.readers[name]()
            if split.labels.min() < 0 or split.labels.max() >= len(self.classes):
                raise DataError(f"Labels of {self.title} must lie between 0 and {len(self.classes) - 1}.")
            self._read[name] = split
        return self._read[name]

    def told(self) -> tuple[str, ...]:
        """All that is to be said of it: of its files, and of the splits that were read."""
        read = [note for split in self._read.values() for note in split.notes]
        return tuple(dict.fromkeys([*self.notes, *read]))

    def channel_stats(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Mean and standard deviation of each channel over the training split, of pixels in 0 to 1."""
        counts = self.split("train").histogram
        values = np.arange(256) / self.pixel_max
        mean = counts @ values / counts.sum(1)
        variance = (counts * (values - mean[:, None]) ** 2).sum(1) / counts.sum(1)
        return tuple(map(float, mean)), tuple(max(float(std), 1e-6) for std in np.sqrt(variance))


def hold_out(dataset: Dataset, fraction: float, seed: int) -> Dataset:
    """The same dataset with part of its training split as the test split: for choosing a recipe."""
    train = dataset.split("train")
    order = np.random.RandomState(seed).permutation(len(train.labels))
    count = round(len(order) * fraction)
    return Dataset(
        id=f"{dataset.id}-validation",
        title=f"{dataset.title}, validation split",
        classes=dataset.classes,
        readers={
            "train": lambda: train.take(np.sort(order[count:])),
            "test": lambda: train.take(np.sort(order[:count])),
        },
        pixel_max=dataset.pixel_max,
        flips=dataset.flips,
        notes=dataset.notes,
    )


def few_per_class(dataset: Dataset, count: int) -> Dataset:
    """The same dataset with only the first `count` training images of each class; the test split is whole."""
    train = dataset.split("train")
    first = [np.flatnonzero(train.labels == label)[:count] for label in range(len(dataset.classes))]
    few = train.take(np.sort(np.concatenate(first)))
    return replace(
        dataset,
        id=f"{dataset.id}-small",
        title=f"{dataset.title}, {len(few.labels)} images to train on",
        readers=dataset.readers | {"train": lambda: few},
        _read={},
    )
