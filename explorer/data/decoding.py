"""How do encoded images become one array? Decoded one by one, made one size where asked, stacked."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from explorer.data.images import ImageError, decode
from explorer.data.splits import DataError, Progress, Split

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff"})
SIZES = (8, 224)
_MAX_IMAGES = 2_000_000
_MAX_BYTES = 16 * 2**30
_TELL_EVERY = 500


def checked_size(resize: int | None) -> int | None:
    """The size to which images are made, if any.

    Raises:
        DataError: it is out of range.
    """
    low, high = SIZES
    if resize is not None and not low <= resize <= high:
        raise DataError(f"Images can be made {low} to {high} pixels wide, not {resize}.")
    return resize


def pixels_of(encoded: bytes, where: str, resize: int | None = None) -> NDArray[np.uint8]:
    """(C, H, W) uint8; grey images keep one channel, all others become RGB.

    Args:
        encoded: the bytes of one file.
        where: what errors call it.
        resize: take the middle square and make it this many pixels wide.

    Raises:
        DataError: it is no readable image.
    """
    try:
        picture = decode(encoded, where).image
    except ImageError as error:
        raise DataError(str(error)) from None
    if resize is not None:
        picture = ImageOps.fit(picture, (resize, resize), Image.Resampling.BILINEAR)
    array = np.asarray(picture)
    return array[None] if array.ndim == 2 else array.transpose(2, 0, 1)


class Stack:
    """Images of one size, collected into one array.

    Args:
        total: how many there will be.
        where: what errors call their place.
        progress: told now and then how many are there.
    """

    def __init__(self, total: int, where: str, progress: Progress | None = None) -> None:
        """Nothing is reserved before the first image says how large it is."""
        if total > _MAX_IMAGES:
            raise DataError(f"{where} holds more than {_MAX_IMAGES:,} images.")
        self.total, self.where, self._progress = total, where, progress
        self._images: NDArray[np.uint8] | None = None
        self._labels: list[int] = []

    def add(self, pixels: NDArray[np.uint8], label: int) -> None:
        """Take the next image, (C, H, W).

        Raises:
            DataError: its size is not that of those before, or all would be too much.
        """
        images = self._room(pixels)
        images[len(self._labels)] = pixels
        self._labels.append(label)
        if self._progress and (len(self._labels) % _TELL_EVERY == 0 or len(self._labels) == self.total):
            self._progress(len(self._labels), self.total)

    def split(self) -> Split:
        """All images so far.

        Raises:
            DataError: there is none.
        """
        if self._images is None:
            raise DataError(f"{self.where} holds no image.")
        return Split(self._images[: len(self._labels)], np.asarray(self._labels, dtype=np.int64))

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
