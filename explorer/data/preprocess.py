"""What a net sees of a picture: resized, cropped, in its channels, as numbers from 0 to 1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from explorer.data.dataset import Dataset

Inversion = Literal["auto", "as it is", "inverted"]
TONES: tuple[Inversion, ...] = ("auto", "as it is", "inverted")
# nets for large images are tested on the middle 224 of 256 pixels (He et al. 2015, section 3.4)
_LARGE = 128
_MARGIN = 256 / 224


@dataclass(frozen=True, eq=False)
class Picture:
    """One picture, wherever it came from.

    Attributes:
        key: names it in caches; the same key, the same pixels.
        title: the name shown to people.
        image: RGB, as people see it.
        notes: what was done to it so far, as sentences.
        pixels: for an image of a dataset, its own pixels in 0 to 1, float32 (C, H, W).
        label: the name of its class, where it is known.
    """

    key: str
    title: str
    image: Image.Image
    notes: tuple[str, ...] = ()
    pixels: NDArray[np.float32] | None = None
    label: str | None = None


@dataclass(frozen=True, eq=False)
class NetInput:
    """What a net is shown.

    Attributes:
        pixels: in 0 to 1, float32 (C, H, W), before normalisation.
        notes: what was done to the picture, as sentences.
    """

    pixels: NDArray[np.float32]
    notes: tuple[str, ...]


def dataset_picture(dataset: Dataset, split: str, index: int) -> Picture:
    """Image `index` of a split, counted from 0.

    Raises:
        DataError: there is no such split.
        IndexError: there is no such image.
    """
    images = dataset.split(split)
    if not 0 <= index < len(images.labels):
        raise IndexError(f"{dataset.title} has {len(images.labels):,} {split} images, 0 to the last.")
    pixels = images.images[index].astype(np.float32) / dataset.pixel_max
    label = dataset.classes[int(images.labels[index])]
    title = f"{dataset.title}, {split} image {index}"
    return Picture(f"{dataset.id}-{split}-{index}", title, as_image(pixels), (), pixels, label)


def fit(picture: Picture, size: int, channels: int, tone: Inversion = "auto") -> NetInput:
    """A picture as a net for square images of `size` pixels with 1 or 3 channels sees it.

    Images of the net's own dataset are shown pixel by pixel as it was trained on them. Anything
    else is resized by its shorter side (bilinear, antialiased) and cropped to the middle; nets for
    large images get 224 pixels of 256, as they were tested.

    Args:
        picture: what is shown.
        size: side of the net's inputs in pixels.
        channels: 1 for grey (luminance, ITU-R 601), 3 for colour.
        tone: whether a grey net sees the negative; auto does so where the border is brighter than
            half, since such nets learned bright strokes on a dark ground.
    """
    if picture.pixels is not None and picture.pixels.shape == (channels, size, size):
        return NetInput(picture.pixels, ("Shown pixel by pixel, as in its dataset.",))
    image, notes = _squared(picture.image, size)
    if channels == 3:
        return NetInput(_unit(np.asarray(image.convert("RGB")).transpose(2, 0, 1)), tuple(notes))
    grey = _unit(np.asarray(image.convert("L")))[None]
    notes.append("Colours became brightness.")
    if tone == "inverted" or (tone == "auto" and picture.pixels is None and _border(grey) > 0.5):
        grey = 1 - grey
        notes.append("Inverted: this net learned bright strokes on a dark ground.")
    return NetInput(grey, tuple(notes))


def as_image(pixels: NDArray[np.float32]) -> Image.Image:
    """Pixels in 0 to 1, (1 or 3, H, W), as an RGB picture."""
    bytes_ = np.clip(np.rint(pixels * 255), 0, 255).astype(np.uint8)
    return Image.fromarray(
        np.repeat(bytes_, 3, 0).transpose(1, 2, 0) if len(bytes_) == 1 else bytes_.transpose(1, 2, 0)
    )


def _squared(image: Image.Image, size: int) -> tuple[Image.Image, list[str]]:
    width, height = image.size
    if (width, height) == (size, size):
        return image, []
    side = round(min(width, height) / (_MARGIN if size >= _LARGE else 1))
    left, top = (width - side) // 2, (height - side) // 2
    box = (left, top, left + side, top + side)
    notes = [f"Resized from {width}x{height} to {size}x{size} pixels (bilinear, antialiased)."]
    if (width, height) != (side, side):
        notes.append(
            f"Cropped to the middle square, {100 * side * side / (width * height):.0f} % of the area."
        )
    return image.resize((size, size), Image.Resampling.BILINEAR, box=box), notes


def _unit(values: NDArray[np.uint8]) -> NDArray[np.float32]:
    return values.astype(np.float32) / np.float32(255)


def _border(grey: NDArray[np.float32]) -> float:
    edges = (grey[0, 0], grey[0, -1], grey[0, :, 0], grey[0, :, -1])
    return float(np.median(np.concatenate(edges)))
