"""Images in folders, one per class, on disk or in a zip."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from functools import partial

from explorer.data.array_cache import Part, Source
from explorer.data.dataset import Progress, Split
from explorer.data.decoding import DamagedError, Stack, pixels_of
from explorer.data.file_tree import File, Read, Tree
from explorer.data.images import MAX_BYTES, Decoded
from explorer.data.split_layout import laid_out


def image_folder(tree: Tree, resize: int | None = None, known: Collection[str] = ()) -> Source:
    """A folder or a zip with one folder of images per class, in a folder per split where there are two.

    Args:
        tree: the files of the folder, or of the zip.
        resize: make every image this many pixels wide and high; without it all must have one size.
        known: the classes in the order in which the dataset was added.

    Raises:
        DataError: there are fewer than two classes, splits do not match, or files cannot be trusted.
    """
    layout = laid_out(tree, known)
    parts = {
        split: _part(tree, f"{split} {','.join(layout.classes)} {resize}", files, resize)
        for split, files in layout.splits.items()
    }
    return Source(
        id=tree.name,
        title=tree.name,
        classes=layout.classes,
        parts=parts,
        place=tree.root,
        notes=layout.notes,
    )


def _part(tree: Tree, about: str, files: list[tuple[int, File]], resize: int | None) -> Part:
    chosen = replace(tree, files=tuple(file for _, file in files))

    def read(progress: Progress | None) -> Split:
        stack = Stack(len(files), str(tree.root), progress)
        with tree.opened() as content:
            for label, file in files:
                where = str(tree.root.joinpath(*file.path))
                stack.take(partial(_image, content, file, where, resize), label)
        return stack.split()

    return Part(f"{chosen.stamp()} {about}", read)


def _image(read: Read, file: File, where: str, resize: int | None) -> Decoded:
    return pixels_of(_content(read, file, where), where, resize)


def _content(read: Read, file: File, where: str) -> bytes:
    if file.size > MAX_BYTES:
        raise DamagedError(f"{where} has more than {MAX_BYTES // 10**6} MB. Save it smaller and try again.")
    try:
        return read(file)
    except OSError as error:
        raise DamagedError(f"{where} cannot be read: {error.strerror or error}.") from None
