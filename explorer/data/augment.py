"""Augmentation: pad, crop and flip, on whole batches of tensors."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

PAD = 4


def pad_crop_flip(images: Tensor, draws: Tensor, *, flip: bool) -> Tensor:
    """Pad by 4, crop back at a random place, mirror half of the images (section 4.2).

    Args:
        images: float, (N, C, H, W), already normalised, so that the padding is the mean colour.
        draws: uniform in [0, 1), (N, 3): row, column, mirror.
        flip: whether to mirror at all.
    """
    count, _, height, width = images.shape
    padded = functional.pad(images, (PAD, PAD, PAD, PAD))
    rows = (draws[:, 0] * (2 * PAD + 1)).long()[:, None] + torch.arange(height, device=images.device)
    columns = (draws[:, 1] * (2 * PAD + 1)).long()[:, None] + torch.arange(width, device=images.device)
    if flip:
        columns = torch.where((draws[:, 2] < 0.5)[:, None], columns.flip(1), columns)
    index = torch.arange(count, device=images.device)[:, None, None]
    cropped = padded.permute(0, 2, 3, 1)[index, rows[:, :, None], columns[:, None, :]]
    return cropped.permute(0, 3, 1, 2)
