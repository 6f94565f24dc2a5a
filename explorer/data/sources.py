"""Where do images come from? By name or by path: digits, a folder of images, parquet shards."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image, UnidentifiedImageError

from explorer.data.splits import DataError, Dataset, Split, few_per_class, hold_out

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF")
_SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff"}
_MAX_PIXELS = 25_000_000
_MAX_IMAGES = 2_000_000
_DIGITS_TEST = 360
_SPLIT_FOLDERS = {"train": ("train",), "test": ("test", "val", "validation")}


def open_dataset(name_or_path: str) -> Dataset:
    """The dataset called `name_or_path`, or found in that folder.

    A folder holds either parquet shards in the Hugging Face layout (train-*.parquet,
    test-*.parquet), or one folder of images per class, in train/ and test/ where there are two
    splits.

    digits-validation is the training part of digits, split once more: for choosing a recipe. digits-small
    is digits with only 20 images of each class to train on: for the question of overfitting.

    Raises:
        DataError: the name is unknown, or the folder holds neither.
    """
    if name_or_path == "digits":
        return digits()
    if name_or_path == "digits-validation":
        return hold_out(digits(), fraction=0.2, seed=1)
    if name_or_path == "digits-small":
        return few_per_class(digits(), 20)
    folder = Path(name_or_path).expanduser()
    if not folder.is_dir():
        raise DataError(
            f"'{name_or_path}' is no dataset: give digits, or a folder of images or parquet shards."
        )
    if any(folder.glob("*.parquet")):
        return parquet_folder(folder)
    return image_folder(folder)


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
        title="Digits (scikit-learn, 8x8)",
        classes=tuple("0123456789"),
        readers={"train": lambda: part(True), "test": lambda: part(False)},
        pixel_max=16,
        flips=False,
    )


def parquet_folder(folder: Path) -> Dataset:
    """Parquet shards as the Hugging Face hub lays them out: a column of images and one of labels."""
    shards = {name: sorted(folder.glob(f"{name}-*.parquet")) for name in ("train", "test")}
    shards = {name: files for name, files in shards.items() if files}
    if not shards:
        raise DataError(f"{folder} holds parquet files, but none called train-*.parquet or test-*.parquet.")
    label, classes = _label_column(next(iter(shards.values()))[0])
    return Dataset(
        id=folder.resolve().name,
        title=_title(folder),
        classes=classes,
        readers={name: lambda files=files: _read_shards(files, label) for name, files in shards.items()},  # type: ignore[misc]
    )


def image_folder(folder: Path) -> Dataset:
    """One folder of images per class; all images must have one size."""
    roots = {
        split: next((folder / name for name in names if (folder / name).is_dir()), None)
        for split, names in _SPLIT_FOLDERS.items()
    }
    found = {split: root for split, root in roots.items() if root is not None} or {"test": folder}
    classes = tuple(sorted(path.name for path in next(iter(found.values())).iterdir() if path.is_dir()))
    if len(classes) < 2:
        raise DataError(
            f"{folder} needs one folder of images per class, at least two; it has {len(classes)}."
        )
    return Dataset(
        id=folder.resolve().name,
        title=_title(folder),
        classes=classes,
        readers={split: lambda root=root: _read_folder(root, classes) for split, root in found.items()},  # type: ignore[misc]
    )


def read_picture(path: Path) -> np.ndarray:
    """One image file, (C, H, W) uint8; grey images keep one channel, all others become RGB.

    Raises:
        DataError: there is no such file, or it is no image.
    """
    try:
        return _pixels(path.read_bytes(), path.name)
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}); check its name.") from None


def _title(folder: Path) -> str:
    name = folder.resolve().name
    return "CIFAR-10 (JPEG)" if name == "cifar10-jpeg" else name


def _label_column(shard: Path) -> tuple[str, tuple[str, ...]]:
    schema = _opened(shard).schema_arrow
    for label in ("label", "fine_label", "labels"):
        if label in schema.names:
            break
    else:
        raise DataError(f"{shard.name} has no column 'label'; it has {', '.join(schema.names)}.")
    try:
        hub = json.loads((schema.metadata or {})[b"huggingface"])
        names = hub["info"]["features"][label]["names"]
        classes = tuple(str(name) for name in names)
    except (KeyError, TypeError, ValueError):
        raise DataError(f"The schema of {shard.name} names no classes for '{label}'.") from None
    return label, classes


def _opened(shard: Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(shard)
    except (pa.ArrowException, OSError):
        raise DataError(f"{shard.name} is no readable parquet file; fetch it again.") from None


def _read_shards(shards: Iterable[Path], label: str) -> Split:
    images: list[np.ndarray] = []
    labels: list[int] = []
    for shard in shards:
        table = _opened(shard)
        column = next((name for name in ("img", "image") if name in table.schema_arrow.names), None)
        if column is None:
            raise DataError(f"{shard.name} has no column 'image' or 'img'.")
        if label not in table.schema_arrow.names:
            raise DataError(f"{shard.name} has no column '{label}', unlike the shards before it.")
        for batch in _batches(table, [column, label], shard):
            labels += batch.column(label).to_pylist()
            images += [
                _pixels(_encoded(row), f"{shard.name}, image {len(images) + number}")
                for number, row in enumerate(batch.column(column).to_pylist())
            ]
    if not all(type(value) is int for value in labels):
        raise DataError(
            f"The column '{label}' of {shard.parent} must hold whole numbers; some image has no label."
        )
    return _stacked(images, labels, str(next(iter(shards)).parent))


def _batches(table: pq.ParquetFile, columns: list[str], shard: Path) -> Iterator[pa.RecordBatch]:
    try:
        yield from table.iter_batches(batch_size=1000, columns=columns)
    except (pa.ArrowException, OSError):
        raise DataError(f"{shard.name} is damaged; fetch it again.") from None


def _encoded(row: object) -> bytes:
    """The file of one image; nothing, which is no readable image, where the row holds none."""
    encoded = row.get("bytes") if isinstance(row, dict) else None
    return encoded if isinstance(encoded, bytes) else b""


def _read_folder(root: Path, classes: tuple[str, ...]) -> Split:
    images: list[np.ndarray] = []
    labels: list[int] = []
    for label, name in enumerate(classes):
        for path in _image_files(root / name):
            images.append(_pixels(path.read_bytes(), str(path)))
            labels.append(label)
    return _stacked(images, labels, str(root))


def _image_files(folder: Path) -> Iterator[Path]:
    if not folder.is_dir():
        raise DataError(f"The folder {folder} is missing: every split needs the same classes.")
    yield from (path for path in sorted(folder.iterdir()) if path.suffix.lower() in _SUFFIXES)


def _pixels(encoded: bytes, where: str) -> np.ndarray:
    """(C, H, W) uint8; grey images keep one channel, all others become RGB."""
    try:
        with Image.open(io.BytesIO(encoded), formats=FORMATS) as image:
            if image.width * image.height > _MAX_PIXELS:
                raise DataError(f"{where} has {image.width}x{image.height} pixels, over 25 million.")
            array = np.asarray(image if image.mode == "L" else image.convert("RGB"))
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{where} is no readable image (PNG, JPEG, WebP, BMP, GIF or TIFF).") from None
    return array[None] if array.ndim == 2 else array.transpose(2, 0, 1)


def _stacked(images: list[np.ndarray], labels: list[int], where: str) -> Split:
    if not images:
        raise DataError(f"{where} holds no image.")
    if len(images) > _MAX_IMAGES:
        raise DataError(f"{where} holds more than {_MAX_IMAGES:,} images.")
    if len({image.shape[0] for image in images}) > 1:
        images = [np.repeat(image, 3, axis=0) if image.shape[0] == 1 else image for image in images]
    shapes = {image.shape for image in images}
    if len(shapes) > 1:
        sizes = ", ".join(sorted({f"{shape[2]}x{shape[1]}" for shape in shapes})[:4])
        raise DataError(f"The images in {where} have different sizes ({sizes}); resize them to one size.")
    return Split(np.stack(images), np.asarray(labels, dtype=np.int64))
