"""The columns of parquet shards: which hold images and labels, and what the labels mean."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from explorer.data.dataset import DataError
from explorer.data.split_layout import listed, ordered

_IMAGE = (
    "img",
    "image",
    "images",
    "picture",
    "photo",
    "pixels",
    "png",
    "jpg",
    "jpeg",
    "webp",
    "bytes",
    "content",
)
_LABEL = ("label", "fine_label", "labels", "target", "targets", "class", "category", "cls", "y", "digit")
_MOST_CLASSES = 100_000


@dataclass(frozen=True)
class Columns:
    """Where images and labels are.

    Attributes:
        image: name of the column of encoded images.
        label: name of the column of labels.
        classes: names, by label.
        codes: the label of each value in the shards; None where they hold the labels themselves.
        notes: what was decided, as sentences.
    """

    image: str
    label: str
    classes: tuple[str, ...]
    codes: Mapping[object, int] | None
    notes: tuple[str, ...]

    def number(self, value: object, where: str) -> int:
        """The label that a cell means.

        Raises:
            DataError: it holds none, or several.
        """
        plain = _plain(value)
        found = plain if self.codes is None else self.codes.get(plain)
        if type(found) is not int:
            raise DataError(
                f"The column '{self.label}' of {where} must hold one label for each image; some image has no "
                f"label, or several: {str(value)[:40]}."
            )
        return found


def columns_of(
    schemas: Mapping[str, pa.Schema], labels: Callable[[str], Iterator[object]], known: Sequence[str] = ()
) -> Columns:
    """The columns of shards, which must be the same in all.

    Args:
        schemas: by the name of the shard.
        labels: all values of a column, read where the schema names no classes.
        known: the classes in the order in which the dataset was added.

    Raises:
        DataError: there is no column of images or labels, or a shard has other columns than the first.
    """
    first, schema = next(iter(schemas.items()))
    image, label = _image_column(schema, first), _label_column(schema, first)
    for name, other in schemas.items():
        for column in (image, label):
            if column not in other.names:
                raise DataError(f"{name} has no column '{column}', unlike the shards before it.")
    unused = [name for name in schema.names if name != label and name.lower() in _LABEL]
    notes = [f"The labels are those of '{label}'; {listed(unused)} is not used."] if unused else []
    names = _names(schema, label)
    if names is not None:
        return Columns(image, label, names, None, tuple(notes))
    classes, codes, said = _from_values(labels(label), label, known)
    return Columns(image, label, classes, codes, (*notes, *said))


def has_labels(table: pq.ParquetFile) -> bool:
    """Whether the first rows of a shard have labels; the hub writes -1 where they are withheld."""
    found = [name for name in table.schema_arrow.names if name.lower() in _LABEL or _is_class(table, name)]
    if not found:
        return False
    for batch in table.iter_batches(batch_size=1000, columns=[found[0]]):
        return any(_plain(value) not in (None, -1) for value in batch.column(0).to_pylist())
    return False


def _is_class(table: pq.ParquetFile, name: str) -> bool:
    return _feature(table.schema_arrow, name).get("_type") == "ClassLabel"


def _image_column(schema: Any, shard: str) -> str:
    told = [name for name in schema.names if _feature(schema, name).get("_type") == "Image"]
    encoded = [field.name for field in schema if _holds_bytes(field.type)]
    named = [name for name in schema.names if name.lower() in _IMAGE]
    usual = [name for name in encoded if name in named]
    found = [name for name in told if name in encoded] or usual or (encoded if len(encoded) == 1 else [])
    if found:
        return str(found[0])
    if told or named:
        name = (told or named)[0]
        kind = str(schema.field(name).type)[:60]
        raise DataError(f"The column '{name}' of {shard} holds {kind}, not the bytes of image files.")
    raise DataError(
        f"{shard} has no column 'image' or 'img' with the bytes of image files; it has "
        f"{', '.join(schema.names)}."
    )


def _holds_bytes(kind: pa.DataType) -> bool:
    if pa.types.is_struct(kind):
        return bool(kind.get_field_index("bytes") >= 0)
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _label_column(schema: Any, shard: str) -> str:
    by_name = {name.lower(): name for name in reversed(schema.names)}
    told = [name for name in schema.names if _feature(schema, name).get("_type") == "ClassLabel"]
    usual = [by_name[name] for name in _LABEL if name in by_name]
    found = [name for name in usual if name in told] or usual or told
    if not found:
        raise DataError(f"{shard} has no column 'label'; it has {', '.join(schema.names)}.")
    return str(found[0])


def _feature(schema: pa.Schema, name: str) -> dict[str, Any]:
    """What the hub's description in the schema says of a column; nothing where there is none."""
    try:
        found = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"][name]
    except (KeyError, TypeError, ValueError):
        return {}
    if isinstance(found, list) and len(found) == 1:  # a column of lists
        found = found[0]
    if isinstance(found, dict) and isinstance(found.get("feature"), dict):
        found = found["feature"]
    return found if isinstance(found, dict) else {}


def _names(schema: pa.Schema, label: str) -> tuple[str, ...] | None:
    names = _feature(schema, label).get("names")
    if isinstance(names, dict):
        try:
            names = [names[key] for key in sorted(names, key=int)]
        except (ValueError, TypeError):
            return None
    if not isinstance(names, list) or len(names) < 2:
        return None
    return tuple(str(name) for name in names)


def _from_values(
    values: Iterator[object], label: str, known: Sequence[str]
) -> tuple[tuple[str, ...], Mapping[object, int] | None, list[str]]:
    """Classes and their numbers, from the labels themselves."""
    there = {_plain(value) for value in values} - {None}
    if len(there) > _MOST_CLASSES:
        raise DataError(f"The column '{label}' holds {len(there):,} different values, too many for classes.")
    if there and all(type(value) is int for value in there):
        return _from_numbers(sorted(there), label)  # type: ignore[arg-type]
    texts = {value: str(value) for value in there}
    if not all(isinstance(value, str | bool) for value in there) or len(there) < 2:
        shown = listed(sorted(map(str, there)))
        raise DataError(
            f"The column '{label}' must hold one of two or more labels for each image, as a number or a "
            f"text; it holds {shown or 'nothing'}."
        )
    classes, said = ordered(texts.values())
    if set(classes) == set(known):
        classes, said = tuple(known), []
    codes = {value: classes.index(text) for value, text in texts.items()}
    return classes, codes, [f"The classes are the texts in the column '{label}'.", *said]


def _from_numbers(
    there: list[int], label: str
) -> tuple[tuple[str, ...], Mapping[object, int] | None, list[str]]:
    low, high = there[0], there[-1]
    if low == 0 and high < _MOST_CLASSES and high > 0:
        names = f"The shards name no classes for '{label}': they are called by their numbers, 0 to {high}."
        return tuple(map(str, range(high + 1))), None, [names]
    if len(there) < 2:
        raise DataError(
            f"The schema names no classes for '{label}', and it holds one label only, {low}: two are needed."
        )
    codes: Mapping[object, int] = {value: number for number, value in enumerate(there)}
    return tuple(map(str, there)), codes, [
        f"The labels of '{label}' are {low} to {high}: here they count from 0, and the classes are called as "
        "they were."
    ]  # fmt: skip


def _plain(value: object) -> object:
    """A label as a whole number or a text, also where it stands in a list by itself or is written 3.0."""
    while isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return None if isinstance(value, list | dict | float) else value
