"""Images in parquet shards, as the Hugging Face hub or other programs write them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import PurePath

import pyarrow as pa
import pyarrow.parquet as pq

from explorer.data.array_cache import Part, Source
from explorer.data.dataset import DataError, Progress, Split
from explorer.data.decoding import Stack, pixels_of
from explorer.data.file_tree import File, Read, Tree
from explorer.data.images import Decoded
from explorer.data.parquet_columns import Columns, columns_of, has_labels
from explorer.data.split_layout import TRAIN_WORDS, listed, preferred, split_word

TITLE = {"cifar10-jpeg": "CIFAR-10 (JPEG)"}
_LFS = b"version https://git-lfs"
_MOST_UNPACKED = 2**30
_Path = tuple[str, ...]


def is_shard(file: File) -> bool:
    """Whether a file is called like a parquet shard."""
    return PurePath(file.path[-1]).suffix.lower() in (".parquet", ".pq")


def parquet_source(tree: Tree, resize: int | None = None, known: Sequence[str] = ()) -> Source:
    """Shards of images and labels, in one folder or below it; their names or folders say the split.

    Args:
        tree: the files of a folder or a zip, or one shard alone.
        resize: make every image this many pixels wide and high.
        known: the classes in the order in which the dataset was added.

    Raises:
        DataError: several datasets lie in the folder, or images or labels cannot be found in the columns.
    """
    shards = [file for file in tree.files if is_shard(file)]
    found, notes = _splits(tree, shards)
    chosen, said = _labelled(tree, found)
    with tree.opened() as content:
        columns = columns_of({_where(tree, file): _schema(content, tree, file) for file in _flat(chosen)},
                             partial(_labels, content, tree, _flat(chosen)), known)  # fmt: skip
    stamp = (
        f"{replace(tree, files=tuple(shards)).stamp()} {columns.label} {','.join(columns.classes)} {resize}"
    )
    parts = {
        split: Part(f"{stamp} {split}", partial(_read, tree, files, columns, resize))
        for split, files in chosen.items()
    }
    title = TITLE.get(tree.name, tree.name)
    notes = [*notes, *said, *columns.notes, *_others(tree)]
    return Source(
        id=tree.name, title=title, classes=columns.classes, parts=parts, place=tree.root, notes=tuple(notes)
    )


def _splits(tree: Tree, shards: Sequence[File]) -> tuple[dict[str, list[File]], list[str]]:
    """Shards by the word of their split, '' where none is named; and which are left out."""
    found: dict[_Path, dict[str, list[File]]] = {}
    for file in shards:
        word, folder = _named(file)
        found.setdefault(folder, {}).setdefault(word, []).append(file)
    if len(found) > 1:
        names = listed("/".join(folder) or "." for folder in sorted(found))
        raise DataError(f"{tree.root} holds parquet shards of several datasets ({names}): give one folder.")
    (splits,) = found.values()
    unnamed = splits.pop("", []) if len(splits) > 1 else []
    notes = [f"{len(unnamed)} shards without a split in their names are left out: {_names(unnamed)}."]
    return splits, [*(notes if unnamed else []), *_missing(shards)]


def _named(file: File) -> tuple[str, _Path]:
    """The word for the split in a shard's name or in its folder's, and the folder of the dataset."""
    stem = PurePath(file.path[-1]).stem
    words = [word for part in re.split(r"[^A-Za-z]+", stem) if (word := split_word(part))]
    if words:
        return words[0], file.path[:-1]
    if len(file.path) > 1 and (word := split_word(file.path[-2])):
        return word, file.path[:-2]
    return "", file.path[:-1]


def _missing(shards: Sequence[File]) -> list[str]:
    """Shards that the names of others promise, such as train-00001-of-00003, and that are not there."""
    there: dict[tuple[str, int], set[int]] = {}
    for file in shards:
        found = re.fullmatch(r"(.*?)-(\d{5})-of-(\d{5})(?:-[0-9a-f]+)?", PurePath(file.path[-1]).stem)
        if found:
            there.setdefault((found[1], int(found[3])), set()).add(int(found[2]))
    return [
        f"{total - len(numbers)} of the {total} shards of {name} are missing: only the others are read."
        for (name, total), numbers in there.items()
        if len(numbers) < total
    ]


def _labelled(tree: Tree, found: Mapping[str, list[File]]) -> tuple[dict[str, list[File]], list[str]]:
    """The shards to train and to test on, and what is said of the choice."""
    notes, labelled = [], {}
    with tree.opened() as content:
        for word, files in found.items():
            with _table(content, tree, files[0]) as table:
                if len(found) == 1 or has_labels(table):
                    labelled[word] = files
                    continue
            notes.append(f"The shards of {word} hold no labels and are left out.")
    train = [word for word in labelled if word in TRAIN_WORDS]
    test = preferred(word for word in labelled if word and word not in TRAIN_WORDS)
    if not labelled:
        raise DataError(f"No shard in {tree.root} has labels: {listed(sorted(found))}.")
    chosen = {"train": train[:1], "test": test[:1] or ([""] if "" in labelled else [])}
    for split, words in chosen.items():
        if words and words[0] not in (split, ""):
            notes.append(f"The shards of {words[0]} are the {split} split.")
    used = {word for words in chosen.values() for word in words}
    notes += [
        f"The shards of {word} are left out: another split is used." for word in sorted(set(labelled) - used)
    ]
    return {split: labelled[words[0]] for split, words in chosen.items() if words}, notes


def _others(tree: Tree) -> list[str]:
    pictures = [file for file in tree.files
                if PurePath(file.path[-1]).suffix.lower() in (".png", ".jpg", ".jpeg", ".webp")]  # fmt: skip
    if not pictures:
        return []
    return [f"{len(pictures)} images beside the parquet shards are left out: {_names(pictures)}."]


def _flat(splits: Mapping[str, list[File]]) -> list[File]:
    return [file for files in splits.values() for file in files]


def _names(files: Sequence[File]) -> str:
    return listed("/".join(file.path) for file in files)


def _where(tree: Tree, file: File) -> str:
    return file.path[-1]


@dataclass
class _Table:
    """An open shard; a context that closes it."""

    file: pq.ParquetFile

    def __enter__(self) -> pq.ParquetFile:
        return self.file

    def __exit__(self, *_: object) -> None:
        self.file.close()


def _table(read: Read, tree: Tree, file: File) -> _Table:
    try:
        if tree.root.is_dir():
            return _Table(pq.ParquetFile(tree.root.joinpath(*file.path)))
        if PurePath(tree.root).suffix.lower() != ".zip":
            return _Table(pq.ParquetFile(tree.root))
        if file.size > _MOST_UNPACKED:
            raise DataError(f"{file.path[-1]} has more than 1 GiB inside of a zip. Unpack it first.")
        return _Table(pq.ParquetFile(pa.BufferReader(read(file))))
    except (pa.ArrowException, OSError):
        if file.size < 1000 and read(file).startswith(_LFS):
            raise DataError(
                f"{file.path[-1]} is a pointer of Git LFS, not the shard itself. Run `git lfs pull` in its "
                "folder."
            ) from None
        raise DataError(f"{file.path[-1]} cannot be read as a parquet file; fetch it again.") from None


def _schema(read: Read, tree: Tree, file: File) -> pa.Schema:
    with _table(read, tree, file) as table:
        return table.schema_arrow


def _labels(read: Read, tree: Tree, files: Sequence[File], label: str) -> Iterator[object]:
    """All labels, as the shards hold them."""
    for file in files:
        with _table(read, tree, file) as table:
            for (value,) in _rows(table, (label,), file.path[-1]):
                yield value


def _read(
    tree: Tree, files: Sequence[File], columns: Columns, resize: int | None, progress: Progress | None
) -> Split:
    with tree.opened() as content:
        total = 0
        for file in files:
            with _table(content, tree, file) as table:
                total += table.metadata.num_rows
        stack, number = Stack(total, str(tree.root), progress), 0
        for file in files:
            name = file.path[-1]
            with _table(content, tree, file) as table:
                for image, value in _rows(table, (columns.image, columns.label), name):
                    label = columns.number(value, name)
                    stack.take(_decoder(image, f"{name}, image {number}", resize), label)
                    number += 1
    return stack.split()


def _decoder(image: object, where: str, resize: int | None) -> Callable[[], Decoded]:
    return lambda: pixels_of(_encoded(image), where, resize)


def _rows(table: pq.ParquetFile, columns: Sequence[str], name: str) -> Iterator[tuple[object, ...]]:
    try:
        for batch in table.iter_batches(batch_size=1000, columns=list(columns)):
            yield from zip(*(batch.column(column).to_pylist() for column in columns), strict=True)
    except (pa.ArrowException, OSError):
        raise DataError(f"{name} is damaged; fetch it again.") from None


def _encoded(row: object) -> bytes:
    """The file of one image; nothing, which no decoder takes, where the row holds none."""
    encoded = row.get("bytes") if isinstance(row, dict) else row
    return encoded if isinstance(encoded, bytes) else b""
