"""Which image belongs to which class? One folder per class, in a folder or in a zip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePath

from explorer.data.arrays import Part, Source
from explorer.data.decoding import SUFFIXES, Stack, pixels_of
from explorer.data.files import File, Read, Tree, folder_tree, zip_tree
from explorer.data.images import MAX_BYTES
from explorer.data.splits import DataError, Progress, Split

SPLIT_FOLDERS = {"train": ("train",), "test": ("test", "val", "validation")}
_Path = tuple[str, ...]


def image_folder(path: Path, resize: int | None = None) -> Source:
    """A folder or a zip with one folder of images per class, in train/ and test/ where there are two splits.

    Args:
        path: the folder, or the zip.
        resize: make every image this many pixels wide and high; without it all must have one size.

    Raises:
        DataError: there are fewer than two classes, splits do not match, or files cannot be trusted.
    """
    tree = zip_tree(path) if path.is_file() else folder_tree(path)
    tops = _tops(tree)
    classes = _classes(tree, next(iter(tops.values())))
    for split, top in tops.items():
        _check_same(tree, split, top, classes)
    name = path.resolve().stem if path.is_file() else path.resolve().name
    parts = {split: _part(tree, top, classes, resize) for split, top in tops.items()}
    return Source(id=name, title=name, classes=classes, parts=parts, place=path)


def _tops(tree: Tree) -> dict[str, _Path]:
    """Where each split begins, below folders that hold nothing but one folder."""
    top: _Path = ()
    while True:
        inside = {folder[len(top)] for folder in tree.folders if folder[: len(top)] == top != folder}
        found = {
            split: (*top, name)
            for split, names in SPLIT_FOLDERS.items()
            for name in names[::-1]
            if name in inside
        }
        if found:
            return found
        below = (*top, *inside)
        if len(inside) != 1 or not any(folder[:-1] == below for folder in tree.folders):
            return {"test": top}
        top = below


def _classes(tree: Tree, top: _Path) -> tuple[str, ...]:
    classes = tuple(sorted(folder[-1] for folder in tree.folders if folder[:-1] == top))
    if len(classes) < 2:
        raise DataError(
            f"{tree.root} needs one folder of images per class, at least two; it has {len(classes)}."
        )
    return classes


def _check_same(tree: Tree, split: str, top: _Path, classes: Sequence[str]) -> None:
    there = {folder[-1] for folder in tree.folders if folder[:-1] == top}
    missing, more = sorted(set(classes) - there), sorted(there - set(classes))
    if missing or more:
        which = f"The folder {'/'.join((*top, missing[0]))} is missing" if missing else ""
        raise DataError(
            f"{which or f'Only {split} has a class {more[0]!r}'} in {tree.root}: every split needs the same "
            "classes."
        )


def _part(tree: Tree, top: _Path, classes: Sequence[str], resize: int | None) -> Part:
    labels = {(*top, name): label for label, name in enumerate(classes)}
    files = [
        file
        for file in tree.files
        if file.path[:-1] in labels and PurePath(file.path[-1]).suffix.lower() in SUFFIXES
    ]
    files.sort(key=lambda file: (labels[file.path[:-1]], file.path[-1]))
    chosen = replace(tree, files=tuple(files))
    stamp = f"{chosen.stamp()} {'/'.join(top)} {','.join(classes)} {resize}"

    def read(progress: Progress | None) -> Split:
        stack = Stack(len(files), str(tree.root.joinpath(*top)), progress)
        with tree.opened() as content:
            for file in files:
                where = str(tree.root.joinpath(*file.path))
                stack.add(pixels_of(_content(content, file, where), where, resize), labels[file.path[:-1]])
        return stack.split()

    return Part(stamp, read)


def _content(read: Read, file: File, where: str) -> bytes:
    if file.size > MAX_BYTES:
        raise DataError(f"{where} has more than {MAX_BYTES // 10**6} MB. Save it smaller and try again.")
    try:
        return read(file)
    except OSError as error:
        raise DataError(f"{where} cannot be read: {error.strerror or error}.") from None
