"""Which images do parquet shards hold? As the Hugging Face hub lays them out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from explorer.data.arrays import Part, Source
from explorer.data.decoding import Stack, pixels_of
from explorer.data.files import folder_tree
from explorer.data.splits import DataError, Progress, Split

TITLE = {"cifar10-jpeg": "CIFAR-10 (JPEG)"}


def parquet_folder(folder: Path, resize: int | None = None) -> Source:
    """Shards called train-*.parquet and test-*.parquet: a column of images and one of labels.

    Raises:
        DataError: there is no such shard, or it names no classes.
    """
    shards = {name: sorted(folder.glob(f"{name}-*.parquet")) for name in ("train", "test")}
    shards = {name: files for name, files in shards.items() if files}
    if not shards:
        raise DataError(f"{folder} holds parquet files, but none called train-*.parquet or test-*.parquet.")
    label, classes = _label_column(next(iter(shards.values()))[0])
    name, stamp = folder.resolve().name, f"{folder_tree(folder).stamp()} {label} {resize}"

    def part(split: str, files: Sequence[Path]) -> Part:
        return Part(f"{stamp} {split}", lambda progress: _read(files, label, resize, progress))

    parts = {split: part(split, files) for split, files in shards.items()}
    return Source(id=name, title=TITLE.get(name, name), classes=classes, parts=parts, place=folder)


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


def _read(shards: Sequence[Path], label: str, resize: int | None, progress: Progress | None) -> Split:
    tables = [_opened(shard) for shard in shards]
    total = sum(table.metadata.num_rows for table in tables)
    stack = Stack(total, str(shards[0].parent), progress)
    number = 0
    for shard, table in zip(shards, tables, strict=True):
        column = next((name for name in ("img", "image") if name in table.schema_arrow.names), None)
        if column is None:
            raise DataError(f"{shard.name} has no column 'image' or 'img'.")
        if label not in table.schema_arrow.names:
            raise DataError(f"{shard.name} has no column '{label}', unlike the shards before it.")
        for image, value in _rows(table, (column, label), shard):
            if type(value) is not int:
                raise DataError(
                    f"The column '{label}' of {shard.parent} must hold whole numbers; "
                    "some image has no label."
                )
            stack.add(pixels_of(_encoded(image), f"{shard.name}, image {number}", resize), value)
            number += 1
    return stack.split()


def _rows(table: pq.ParquetFile, columns: tuple[str, str], shard: Path) -> Iterator[tuple[object, object]]:
    try:
        for batch in table.iter_batches(batch_size=1000, columns=list(columns)):
            yield from zip(*(batch.column(name).to_pylist() for name in columns), strict=True)
    except (pa.ArrowException, OSError):
        raise DataError(f"{shard.name} is damaged; fetch it again.") from None


def _encoded(row: object) -> bytes:
    """The file of one image; nothing, which is no readable image, where the row holds none."""
    encoded = row.get("bytes") if isinstance(row, dict) else None
    return encoded if isinstance(encoded, bytes) else b""
