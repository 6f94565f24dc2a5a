"""Encoded images made into one array: decoded one by one, made one size where asked, stacked.

A few images that cannot be read are left out, counted and named; many refuse the dataset.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from explorer.data.dataset import DataError, Progress, Split
from explorer.data.images import Decoded, ImageError, decode

SUFFIXES = frozenset(
    {".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".bmp", ".dib", ".gif", ".tif", ".tiff",
     ".avif", ".heic", ".heif", ".hif", ".ppm", ".pgm", ".pbm", ".pnm", ".pfm"}
)  # fmt: skip
SIZES = (8, 224)
_MAX_IMAGES = 2_000_000
_MAX_BYTES = 16 * 2**30
_TELL_EVERY = 500
_MOST_DAMAGED = 0.1
_NAMED = 3


class DamagedError(DataError):
    """One image cannot be read; others may be."""


def checked_size(resize: int | None) -> int | None:
    """The size to which images are made, if any.

    Raises:
        DataError: it is out of range.
    """
    low, high = SIZES
    if resize is not None and not low <= resize <= high:
        raise DataError(f"Images can be made {low} to {high} pixels wide, not {resize}.")
    return resize


def pixels_of(encoded: bytes, where: str, resize: int | None = None) -> Decoded:
    """The image in the bytes of one file.

    Args:
        encoded: the bytes of one file.
        where: what errors call it.
        resize: take the middle square and make it this many pixels wide.

    Raises:
        DamagedError: it cannot be read as an image.
    """
    try:
        read = decode(encoded, where)
    except ImageError as error:
        raise DamagedError(str(error)) from None
    if resize is not None:
        fitted = ImageOps.fit(read.image, (resize, resize), Image.Resampling.BILINEAR)
        return Decoded(fitted, read.notes)
    return read


def _pixels(image: Image.Image) -> NDArray[np.uint8]:
    """(C, H, W); grey images keep one channel, all others become RGB."""
    array = np.asarray(image)
    return array[None] if array.ndim == 2 else array.transpose(2, 0, 1)


class Stack:
    """Images of one size, collected into one array.

    Args:
        total: how many there will be.
        where: what errors call their place.
        progress: told now and then how many are there.
    """

    def __init__(self, total: int, where: str, progress: Progress | None = None) -> None:
        if total > _MAX_IMAGES:
            raise DataError(f"{where} holds more than {_MAX_IMAGES:,} images.")
        self.total, self.where, self._progress = total, where, progress
        self._images: NDArray[np.uint8] | None = None
        self._labels: list[int] = []
        self._damaged: list[str] = []
        self._said: dict[str, tuple[str, int]] = {}

    def take(self, read: Callable[[], Decoded], label: int) -> None:
        """Take the next image; one that is damaged is left out and counted.

        Raises:
            DataError: its size is not that of those before, or all would be too much.
        """
        try:
            image = read()
        except DamagedError as error:
            self._damaged.append(str(error))
        else:
            pixels = _pixels(image.image)
            images = self._room(pixels)
            images[len(self._labels)] = pixels
            self._labels.append(label)
            for note in image.notes:
                self._count(note)
        done = len(self._labels) + len(self._damaged)
        if self._progress and (done % _TELL_EVERY == 0 or done == self.total):
            self._progress(done, self.total)

    def split(self) -> Split:
        """All images so far, with notes on those that were changed or left out.

        Raises:
            DataError: there is none, or more than a tenth cannot be read.
        """
        damaged = len(self._damaged)
        if damaged > _MOST_DAMAGED * self.total:
            several = f"{damaged:,} of {self.total:,} images in {self.where} cannot be read. The first: "
            raise DataError(f"{several if damaged > 1 else ''}{self._damaged[0]}")
        if self._images is None:
            raise DataError(f"{self.where} holds no image.")
        labels = np.asarray(self._labels, dtype=np.int64)
        return Split(self._images[: len(labels)], labels, notes=(*self._told(), *self._told_damaged()))

    def _count(self, note: str) -> None:
        kind = re.sub(r"-?\d[\d.,e+-]*", "#", note)
        first, count = self._said.get(kind, (note, 0))
        self._said[kind] = first, count + 1

    def _told(self) -> list[str]:
        """What was done to images, each kind once, with the numbers of the first."""
        return [
            f"{count:,} image{'' if count == 1 else 's'}: {first}" for first, count in self._said.values()
        ]

    def _told_damaged(self) -> list[str]:
        count = len(self._damaged)
        if not count:
            return []
        several = (
            f"{count:,} images that cannot be read are" if count > 1 else "1 image that cannot be read is"
        )
        more = f" And {count - _NAMED:,} more." if count > _NAMED else ""
        return [f"{several} left out. {' '.join(self._damaged[:_NAMED])}{more}"]

    def _room(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        if self._images is None:
            if self.total * pixels.size > _MAX_BYTES:
                raise DataError(
                    f"{self.where} would take {self.total * pixels.size / 2**30:.0f} GiB. "
                    "Take fewer or smaller images."
                )
            self._images = np.empty((self.total, *pixels.shape), np.uint8)
        there, new = self._images.shape[1:], pixels.shape
        if there[1:] != new[1:]:
            sizes = ", ".join(sorted(f"{shape[2]}x{shape[1]}" for shape in (there, new)))
            raise DataError(
                f"The images in {self.where} have different sizes ({sizes}); resize them to one size, or "
                "let it be done: `python -m explorer data add NAME PATH --resize 32`."
            )
        if there[0] < new[0]:  # grey so far, and now the first one in colour
            self._images = np.repeat(self._images, new[0], axis=1)
        return self._images
