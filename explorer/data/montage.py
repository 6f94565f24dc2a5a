"""Many small images in one, in rows and columns, with clear gaps between them."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from explorer.data.dataset import Split

_LARGEST_CELL = 64
_EXPORTED_CELL = 128


@dataclass(frozen=True, eq=False)
class Grid:
    """One picture of many.

    Attributes:
        pixels: uint8, (height, width, 4); alpha is zero between the images.
        rows: of images.
        columns: of images.
        cell: pixels from one image to the next.
    """

    pixels: NDArray[np.uint8]
    rows: int
    columns: int
    cell: int

    def png(self, scale: int = 1) -> bytes:
        """The picture as a PNG file, each pixel a square of `scale`."""
        file = io.BytesIO()
        enlarged = self.pixels.repeat(scale, 0).repeat(scale, 1)
        Image.fromarray(enlarged).save(file, "PNG")
        return file.getvalue()

    def exported(self) -> bytes:
        """As `png`, large enough for a slide."""
        return self.png(max(1, _EXPORTED_CELL // self.cell))

    def uri(self) -> str:
        """The PNG inside an address, as charts and pages take it."""
        return "data:image/png;base64," + base64.b64encode(self.png()).decode()


def montage(images: Sequence[NDArray[np.uint8] | None], columns: int, pixel_max: int = 255) -> Grid:
    """Images (C, H, W) in rows of `columns`; None leaves a place empty. Large ones are made smaller."""
    shown = [None if image is None else _rgb(image, pixel_max) for image in images]
    height, width = next(image for image in shown if image is not None).shape[:2]
    cell, rows = max(height, width) + 1, -(-len(shown) // columns)
    canvas = np.zeros((rows * cell, columns * cell, 4), np.uint8)
    for number, image in enumerate(shown):
        if image is not None:
            top, left = cell * (number // columns), cell * (number % columns)
            canvas[top : top + image.shape[0], left : left + image.shape[1], :3] = image
            canvas[top : top + image.shape[0], left : left + image.shape[1], 3] = 255
    return Grid(canvas, rows, columns, cell)


def _rgb(image: NDArray[np.uint8], pixel_max: int) -> NDArray[np.uint8]:
    """(H, W, 3), 0 to 255, at most 64 pixels wide."""
    full = np.rint(image.astype(np.float32) * (255 / pixel_max)).clip(0, 255).astype(np.uint8)
    picture = np.broadcast_to(full, (3, *full.shape[1:])).transpose(1, 2, 0)
    largest = max(picture.shape[:2])
    if largest <= _LARGEST_CELL:
        return picture
    size = [max(1, round(side * _LARGEST_CELL / largest)) for side in picture.shape[1::-1]]
    made = Image.fromarray(np.ascontiguousarray(picture)).resize((size[0], size[1]), Image.Resampling.BOX)
    return np.asarray(made)


def examples(split: Split, labels: Sequence[int], count: int, seed: int) -> list[list[int]]:
    """Numbers of up to `count` images of each class: the first ones with seed 0, else drawn."""
    chosen = []
    for label in labels:
        here = np.flatnonzero(split.labels == label)
        if seed:
            here = np.random.RandomState([seed, label]).permutation(here)
        chosen.append([int(index) for index in here[:count]])
    return chosen
