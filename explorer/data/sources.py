"""Opening a dataset by name or path: digits, what was added, a folder, a zip, parquet shards."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from explorer.data import registry
from explorer.data.array_cache import Source, cached
from explorer.data.cifar import cifar
from explorer.data.cifar_files import cifar_at
from explorer.data.dataset import DataError, Dataset, Progress, Split, few_per_class, hold_out
from explorer.data.facts import parse_subset
from explorer.data.file_tree import File, Tree, tree_of
from explorer.data.folders import image_folder
from explorer.data.parquet import is_shard, parquet_source
from explorer.data.sampling import parted, subset

_DIGITS_TEST = 360
_SHARD = (".parquet", ".pq")


def open_dataset(name_or_path: str, progress: Progress | None = None) -> Dataset:
    """The dataset called `name_or_path`, or found in that folder or zip.

    A folder holds parquet shards as the Hugging Face hub lays them out (train-*.parquet,
    test-*.parquet, also in a folder inside), CIFAR's own files, or one folder of images per class, in
    train/ and test/ (val, valid, dev, ...) where there are two splits; so does a zip. `:5000` behind
    either takes 5,000 of the training images. `Dataset.told` says what was decided and left out.

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


def find_source(name_or_path: str, resize: int | None = None, known: Sequence[str] = ()) -> Source:
    """What a path holds, or CIFAR.

    Args:
        name_or_path: cifar10, cifar100, or a path.
        resize: make every image this many pixels wide and high.
        known: the classes in the order in which the dataset was added, which is kept.

    Raises:
        DataError: nothing that could be read as a dataset.
    """
    if name_or_path in registry.CIFAR:
        return cifar(name_or_path)
    path = Path(name_or_path).expanduser()
    found = cifar_at(path)
    if found is not None:
        return found
    if path.is_file() and path.suffix.lower() in _SHARD:
        return parquet_source(_alone(path), resize, known)
    if not path.is_dir() and not (path.is_file() and path.suffix.lower() == ".zip"):
        raise DataError(
            f"'{name_or_path[:200]}' is not a dataset{_why(path)}: give digits, a name that "
            "`python -m explorer data list` shows, or a folder or zip of images or parquet shards."
        )
    tree = tree_of(path)
    if any(is_shard(file) for file in tree.files):
        return parquet_source(tree, resize, known)
    return image_folder(tree, resize, known)


def _why(path: Path) -> str:
    if path.is_file():
        return (
            f", since a file {path.suffix[:20] or 'without an ending'} is not read as one; unpack an archive"
        )
    return ""


def _alone(path: Path) -> Tree:
    """One parquet shard as a tree of its own."""
    about = path.stat()
    file = File((path.name,), about.st_size, about.st_mtime_ns)
    return Tree(path, (file,), frozenset(), lambda: nullcontext(lambda _: path.read_bytes()))


def named_or_path(name_or_path: str) -> tuple[str, str]:
    """What `open_dataset` is to be given, and a remark: a path that exists goes before a known name."""
    name, _ = parse_subset(name_or_path)
    entry, path = registry.find(name), Path(name).absolute()
    known = entry is not None or name in (*registry.BUILT_IN, *registry.CIFAR)
    if not known or not path.exists() or (entry is not None and Path(entry.source) == path):
        return name_or_path, ""
    try:
        find_source(str(path))
    except DataError:
        return name_or_path, ""
    return (
        f"{path}{name_or_path.removeprefix(name)}",
        f"{name} is taken as the path {path}, which exists here.",
    )


def _opened(entry: registry.RegisteredDataset, progress: Progress | None) -> Dataset:
    found = find_source(entry.source, entry.resize, entry.classes)
    source = replace(found, id=entry.name, title=entry.title)
    if source.classes != entry.classes:
        raise DataError(
            f"The classes in {entry.source} have changed since {entry.name} was added. Remove it and add it "
            "again."
        )
    if entry.held_out is not None and len(source.parts) > 1:
        source = _as_before(source, entry)
    dataset = cached(source, progress)
    return dataset if entry.held_out is None else parted(dataset, entry.held_out)


def _as_before(source: Source, entry: registry.RegisteredDataset) -> Source:
    """A dataset that was added when its second split was not known as one."""
    note = f"{entry.name} was added with one split; its other split is left out. Add it again to use both."
    return replace(source, parts={"train": source.parts["train"]}, notes=(*source.notes, note))


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
