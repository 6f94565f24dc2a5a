"""What a step sees: images on the device, normalised and augmented."""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from explorer.transfer.standalone.data import Arrays


class Images:
    """A split on the device, normalised per channel when it is read."""

    def __init__(self, arrays: Arrays, scale: tuple[Tensor, Tensor], device: torch.device) -> None:
        self.pixels, self.labels = (torch.from_numpy(array).to(device) for array in arrays)
        self.scale, self.shift = (part.to(device) for part in scale)

    def normalised(self, index: Tensor | slice) -> Tensor:
        images = self.pixels[index].float() * self.scale + self.shift
        return images.contiguous(memory_format=torch.channels_last)


def normalisation(images: np.ndarray, pixel_max: int) -> tuple[Tensor, Tensor]:
    """Factor and summand of pixels that give mean 0 and deviation 1 over the training split."""
    pixels = images.transpose(1, 0, 2, 3).reshape(images.shape[1], -1)
    counts = np.stack([np.bincount(channel, minlength=256) for channel in pixels])
    values = np.arange(256) / pixel_max
    means = counts @ values / counts.sum(1)
    variance = (counts * (values - means[:, None]) ** 2).sum(1) / counts.sum(1)
    mean = torch.tensor(tuple(map(float, means))).view(1, -1, 1, 1)
    std = torch.tensor([max(float(value), 1e-6) for value in np.sqrt(variance)]).view(1, -1, 1, 1)
    return 1 / (pixel_max * std), -mean / std


def crop_and_flip(images: Tensor, draws: Tensor, flip: bool) -> Tensor:
    """Pad by 4, crop back at a random place, mirror half of the images."""
    count, _, height, width = images.shape
    padded = functional.pad(images, (4, 4, 4, 4))
    rows = (draws[:, 0] * 9).long()[:, None] + torch.arange(height, device=images.device)
    columns = (draws[:, 1] * 9).long()[:, None] + torch.arange(width, device=images.device)
    if flip:
        columns = torch.where((draws[:, 2] < 0.5)[:, None], columns.flip(1), columns)
    index = torch.arange(count, device=images.device)[:, None, None]
    cropped = padded.permute(0, 2, 3, 1)[index, rows[:, :, None], columns[:, None, :]]
    return cropped.permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)
