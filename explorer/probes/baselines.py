"""Baselines, which stand for “nothing there”, and masks, which divide a picture into regions."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from explorer.nets.loaded_net import LoadedNet

if TYPE_CHECKING:
    from numpy.typing import NDArray

_COMPACTNESS = 1.0
SAID = {
    "mean": "the mean colour of the training images (zero after normalisation)",
    "black": "a black picture",
    "white": "a white picture",
    "blurred": "the picture itself, shrunk to an eighth and enlarged again",
}


def baseline(loaded: LoadedNet, inputs: Tensor, name: str) -> Tensor:
    """The baseline of that name, normalised, (1, C, H, W)."""
    if name == "mean":
        return torch.zeros_like(inputs)
    if name == "blurred":
        small = [max(1, side // 8) for side in inputs.shape[2:]]
        shrunk = functional.interpolate(inputs, small, mode="area")
        return functional.interpolate(shrunk, inputs.shape[2:], mode="bilinear", align_corners=False)
    pixels = torch.full_like(inputs, 1.0 if name == "white" else 0.0)
    return loaded.normalised(pixels)


def noise_references(loaded: LoadedNet, inputs: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """Pictures of uniform noise, normalised, (count, C, H, W): baselines where no dataset is at hand."""
    pixels = torch.rand((count, *inputs.shape[1:]), generator=generator)
    return loaded.normalised(pixels)


def feature_mask(inputs: Tensor, kind: str, count: int) -> Tensor:
    """The number of each pixel's region, (1, 1, H, W), from 0 without gaps."""
    labels = _patches(inputs, count) if kind == "patches" else _superpixels(inputs, count)
    _, numbered = np.unique(labels, return_inverse=True)
    return torch.from_numpy(numbered.reshape(1, 1, *inputs.shape[2:]).astype(np.int64))


def _patches(inputs: Tensor, count: int) -> NDArray[np.int64]:
    height, width = inputs.shape[2:]
    side = max(1, round(math.sqrt(height * width / count)))
    rows, columns = np.arange(height) // side, np.arange(width) // side
    numbers: NDArray[np.int64] = rows[:, None] * (columns[-1] + 1) + columns[None]
    return numbers


def _superpixels(inputs: Tensor, count: int) -> NDArray[np.int64]:
    """SLIC (Achanta et al. 2012) on the colours as the net sees them, of unit deviation."""
    from skimage.segmentation import slic

    colours = inputs[0].permute(1, 2, 0).double().numpy()
    found: NDArray[np.int64] = slic(
        colours / max(float(colours.std()), 1e-6), n_segments=count, compactness=_COMPACTNESS,
        convert2lab=False, channel_axis=-1, start_label=0,
    )  # fmt: skip
    return found
