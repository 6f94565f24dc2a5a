"""Batches of tensors resident on the device, drawn from (seed, epoch) alone."""

from __future__ import annotations

import torch
from torch import Tensor

from explorer.data.augment import pad_crop_flip
from explorer.data.dataset import Dataset, Split
from explorer.nets.normalisation import Normalisation

_CHANNELS_LAST = torch.channels_last


class ResidentImages:
    """One split on the device as uint8, normalised when it is read.

    Args:
        split: the images.
        pixel_max: value of a fully bright pixel.
        normalisation: per-channel mean and std of pixels in 0 to 1.
        device: where the tensors live.
    """

    def __init__(
        self, split: Split, pixel_max: int, normalisation: Normalisation, device: torch.device
    ) -> None:
        self.pixels = torch.from_numpy(split.images).to(device)
        self.labels = torch.from_numpy(split.labels).to(device)
        mean = torch.tensor(normalisation.mean, device=device).view(1, -1, 1, 1)
        std = torch.tensor(normalisation.std, device=device).view(1, -1, 1, 1)
        self._scale = 1 / (pixel_max * std)
        self._shift = -mean / std

    def __len__(self) -> int:
        """Number of images."""
        return len(self.labels)

    def normalised(self, index: Tensor | slice) -> Tensor:
        """float32, (N, C, H, W), channels last."""
        pixels = self.pixels[index].float()
        return (pixels * self._scale + self._shift).contiguous(memory_format=_CHANNELS_LAST)

    def batch(self, index: Tensor, draws: Tensor | None, *, flip: bool) -> tuple[Tensor, Tensor]:
        """Images (N, C, H, W), augmented where there are draws (N, 3), and labels (N,)."""
        images = self.normalised(index)
        if draws is not None:
            images = pad_crop_flip(images, draws, flip=flip).contiguous(memory_format=_CHANNELS_LAST)
        return images, self.labels[index]


class Epoch:
    """The order of one epoch and its augmentation, the same for every net with this seed."""

    def __init__(self, count: int, seed: int, epoch: int, device: torch.device, *, augment: bool) -> None:
        """Draw the permutation and the crops on the CPU, so that every device sees the same."""
        generator = torch.Generator().manual_seed(seed * 1_000_003 + epoch)
        self.order = torch.randperm(count, generator=generator).to(device)
        self.draws = torch.rand(count, 3, generator=generator).to(device) if augment else None

    def batch(self, number: int, size: int) -> tuple[Tensor, Tensor | None]:
        """Batch `number` from 0: image numbers (size,) and augmentation draws (size, 3) or None."""
        part = slice(number * size, (number + 1) * size)
        return self.order[part], None if self.draws is None else self.draws[part]


def resident(
    dataset: Dataset, normalisation: Normalisation, device: torch.device
) -> tuple[ResidentImages, ResidentImages]:
    """The training and the test split on the device."""
    train, test = (
        ResidentImages(dataset.split(name), dataset.pixel_max, normalisation, device)
        for name in ("train", "test")
    )
    return train, test
