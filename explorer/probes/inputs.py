"""Images as a net wants them: in its channels and, where it wants large ones, in its size; by batches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from explorer.data.dataset import Dataset, SplitName
from explorer.nets.loaded_net import LoadedNet

_LARGE = 64
_GREY = (0.299, 0.587, 0.114)  # ITU-R 601, as Pillow's grey


@dataclass(frozen=True, eq=False)
class Inputs:
    """Images for one net; fitted when they are read, so that a large split is never held in large.

    Attributes:
        images: (N, C, H, W), from 0 to `scale`.
        scale: value of a fully bright pixel.
        net: who is shown them.
        labels: class numbers, (N,), or None for pictures.
        source: where they come from, in words.
    """

    images: Tensor
    scale: float
    net: LoadedNet
    labels: Tensor | None
    source: str

    def __len__(self) -> int:
        """How many images there are."""
        return len(self.images)

    @property
    def pixels(self) -> Tensor:
        """All of them as the net sees them before normalisation: 0 to 1, float32."""
        return fitted(self.images.float() / self.scale, self.net)

    @property
    def fitted_size(self) -> tuple[int, int]:
        """Height and width of what the net sees, in pixels."""
        height, width = self.images.shape[2:]
        side = self.net.image_size
        return (side, side) if _resizes(self.images, self.net) else (int(height), int(width))

    @property
    def notes(self) -> list[str]:
        """What is done to them, as sentences."""
        return fit_notes(self.images, self.net)

    def batches(self, size: int) -> Iterator[Tensor]:
        """Normalised for the net, `size` at a time."""
        for start in range(0, len(self.images), size):
            part = self.images[start : start + size].float() / self.scale
            yield self.net.normalised(fitted(part, self.net))


def split_inputs(dataset: Dataset, split: SplitName, net: LoadedNet, count: int | None = None) -> Inputs:
    """The first `count` images of a split, or all.

    Raises:
        DataError: the split cannot be read.
        ValueError: no image is asked for.
    """
    if count is not None and count < 1:
        raise ValueError(f"{count} images cannot be read: ask for 1 or more.")
    part = dataset.split(split)
    images, labels = torch.from_numpy(part.images[:count]), torch.from_numpy(part.labels[:count])
    source = f"{len(images)} images of {dataset.title}, {split} split"
    return Inputs(images, dataset.pixel_max, net, labels, source)


def fitted(pixels: Tensor, net: LoadedNet) -> Tensor:
    """Pixels in 0 to 1 in the net's channels, and in its size where it was made for large images."""
    channels, size = net.in_channels, (net.image_size, net.image_size)
    if pixels.shape[1] != channels:
        weights = torch.tensor(_GREY).view(1, 3, 1, 1)
        grey = pixels if pixels.shape[1] == 1 else (pixels * weights).sum(1, keepdim=True)
        pixels = grey.repeat(1, channels, 1, 1)
    if _resizes(pixels, net):
        pixels = functional.interpolate(pixels, size, mode="bilinear", antialias=True).clamp(0, 1)
    return pixels


def fit_notes(pixels: Tensor, net: LoadedNet) -> list[str]:
    """What `fitted` does to such images, as sentences."""
    notes = []
    if pixels.shape[1] != net.in_channels:
        turned = (
            "Grey was repeated as three channels." if net.in_channels == 3 else "Colours became brightness."
        )
        notes.append(turned)
    if _resizes(pixels, net):
        notes.append(
            f"Resized from {pixels.shape[3]}x{pixels.shape[2]} to {net.image_size}x{net.image_size} pixels."
        )
    return notes


def _resizes(pixels: Tensor, net: LoadedNet) -> bool:
    """Nets for small images pool over whatever is left of a map; those for large ones need their size."""
    return not fits(tuple(pixels.shape[2:]), net)


def fits(size: tuple[int, ...], net: LoadedNet) -> bool:
    """Whether images of that height and width are shown to the net as they are."""
    return not (net.sized or net.image_size > _LARGE) or size == (net.image_size, net.image_size)
