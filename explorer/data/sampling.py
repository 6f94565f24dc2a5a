"""Parts of a dataset: class-balanced and seeded, so that the same words give the same images."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from explorer.data.dataset import DataError, Dataset, Split

SEED = 0


def balanced(labels: NDArray[np.int64], count: int, seed: int = SEED) -> NDArray[np.int64]:
    """Numbers of `count` images, as evenly over the classes as there are images, in rising order.

    A smaller choice with the same seed is a part of a larger one.
    """
    order = np.random.RandomState(seed).permutation(len(labels))
    return np.sort(np.fromiter(_in_turns(labels, order), np.int64)[:count])


def _in_turns(labels: NDArray[np.int64], order: NDArray[np.int64]) -> Iterator[int]:
    """One image of each class, then another of each, until none is left."""
    shuffled = labels[order]
    turn = np.empty(len(labels), np.int64)
    for label in np.unique(labels):
        here = shuffled == label
        turn[here] = np.arange(here.sum())
    yield from order[np.argsort(turn, kind="stable")]


def subset(dataset: Dataset, count: int) -> Dataset:
    """The same dataset with `count` of its training images; the test split stays whole.

    Raises:
        DataError: there are not that many, or not one per class.
    """
    if count < len(dataset.classes):
        raise DataError(f"{count} images are fewer than the {len(dataset.classes)} classes. Take more.")

    def train() -> Split:
        whole = dataset.split("train")
        if count > len(whole.labels):
            raise DataError(
                f"{dataset.title} has {len(whole.labels):,} training images, not {count:,}. Take fewer."
            )
        return whole.take(balanced(whole.labels, count))

    return replace(
        dataset,
        id=f"{dataset.id}-{count}",
        title=f"{dataset.title}, {count:,} training images (class-balanced, seed {SEED})",
        readers={**dataset.readers, "train": train},
        _read={},
    )


def parted(dataset: Dataset, fraction: float) -> Dataset:
    """A dataset of one split made two: `fraction` of each class's images become the test split.

    Raises:
        DataError: a class has too few images for both.
    """
    (name,) = dataset.readers

    def part(test: bool) -> Split:
        whole = dataset.split(name)
        held = np.zeros(len(whole.labels), bool)
        for label in range(len(dataset.classes)):
            here = np.flatnonzero(whole.labels == label)
            if len(here) < 2:
                raise DataError(
                    f"The class '{dataset.classes[label]}' of {dataset.title} has {len(here)} image; "
                    "at least two are needed, one to train on and one to test."
                )
            count = min(max(round(fraction * len(here)), 1), len(here) - 1)
            held[np.random.RandomState(SEED + label).permutation(here)[:count]] = True
        return whole.take(np.flatnonzero(held == test))

    return replace(dataset, readers={"train": lambda: part(False), "test": lambda: part(True)}, _read={})
