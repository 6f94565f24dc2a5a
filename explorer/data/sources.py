"""Where do images come from? By name or by path: digits, what was added, a folder, a zip, parquet shards."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from explorer.data import registry
from explorer.data.arrays import Source, cached
from explorer.data.cifar import cifar
from explorer.data.facts import parse_subset
from explorer.data.folders import image_folder
from explorer.data.parquet import parquet_folder
from explorer.data.sampling import parted, subset
from explorer.data.splits import DataError, Dataset, Progress, Split, few_per_class, hold_out

_DIGITS_TEST = 360


def open_dataset(name_or_path: str, progress: Progress | None = None) -> Dataset:
    """The dataset called `name_or_path`, or found in that folder or zip.

    A folder holds either parquet shards in the Hugging Face layout (train-*.parquet,
    test-*.parquet), or one folder of images per class, in train/ and test/ where there are two
    splits; so does a zip. `:5000` behind either takes 5,000 of the training images.

    digits-validation is the training part of digits, split once more: for choosing a recipe. digits-small
    is digits with only 20 images of each class to train on: for the question of overfitting.

    Args:
        name_or_path: a name of `registry.available`, cifar10, cifar100, or a path.
        progress: told how many images are decoded, where that has not been done before.

    Raises:
        DataError: the name is unknown, or the path holds neither.
    """
    if name_or_path == "digits":
        return digits()
    if name_or_path == "digits-validation":
        return hold_out(digits(), fraction=0.2, seed=1)
    if name_or_path == "digits-small":
        return few_per_class(digits(), 20)
    entry = registry.find(name_or_path)
    if entry is not None:
        return _opened(entry, progress)
    name, count = parse_subset(name_or_path)
    if count is not None:
        return subset(open_dataset(name, progress), count)
    return cached(find_source(name_or_path), progress)


def find_source(name_or_path: str, resize: int | None = None) -> Source:
    """What a path holds, or CIFAR.

    Raises:
        DataError: nothing that could be read as a dataset.
    """
    if name_or_path in registry.CIFAR:
        return cifar(name_or_path)
    path = Path(name_or_path).expanduser()
    if path.is_dir():
        return parquet_folder(path, resize) if any(path.glob("*.parquet")) else image_folder(path, resize)
    if path.is_file() and path.suffix.lower() == ".zip":
        return image_folder(path, resize)
    raise DataError(
        f"'{name_or_path[:200]}' is no dataset: give digits, a name that `python -m explorer data list` "
        "shows, or a folder or zip of images or parquet shards."
    )


def _opened(entry: registry.Entry, progress: Progress | None) -> Dataset:
    source = replace(find_source(entry.source, entry.resize), id=entry.name, title=entry.title)
    if source.classes != entry.classes:
        raise DataError(
            f"The classes in {entry.source} have changed since {entry.name} was added. Remove it and add it "
            "again."
        )
    dataset = cached(source, progress)
    return dataset if entry.held_out is None else parted(dataset, entry.held_out)


@lru_cache(maxsize=1)
def digits() -> Dataset:
    """scikit-learn's handwritten digits: 1,797 grey 8x8 images, 1,437 to train and 360 to test.

    Pixels run from 0 to 16. The split is a fixed permutation; the same writers are in both parts.
    """

    def part(train: bool) -> Split:
        from sklearn.datasets import load_digits  # slow to import, and only wanted here

        images, labels = load_digits(return_X_y=True)
        order = np.random.RandomState(0).permutation(len(labels))
        index = np.sort(order[_DIGITS_TEST:] if train else order[:_DIGITS_TEST])
        return Split(images.reshape(-1, 1, 8, 8).astype(np.uint8)[index], labels.astype(np.int64)[index])

    return Dataset(
        id="digits",
        title=registry.DIGITS.title,
        classes=tuple("0123456789"),
        readers={"train": lambda: part(True), "test": lambda: part(False)},
        pixel_max=16,
        flips=False,
    )
