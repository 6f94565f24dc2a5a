"""What does “nothing there” look like, and which regions does a picture have? Baselines and masks."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from explorer.nets.loaded import LoadedNet

if TYPE_CHECKING:
    from numpy.typing import NDArray

_WEIGHT_OF_PLACE = 2.0
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


def feature_mask(inputs: Tensor, kind: str, count: int, seed: int) -> Tensor:
    """The number of each pixel's region, (1, 1, H, W), from 0 without gaps."""
    labels = _patches(inputs, count) if kind == "patches" else _superpixels(inputs, count, seed)
    _, numbered = np.unique(labels, return_inverse=True)
    return torch.from_numpy(numbered.reshape(1, 1, *inputs.shape[2:]).astype(np.int64))


def _patches(inputs: Tensor, count: int) -> NDArray[np.int64]:
    height, width = inputs.shape[2:]
    side = max(1, round(math.sqrt(height * width / count)))
    rows, columns = np.arange(height) // side, np.arange(width) // side
    numbers: NDArray[np.int64] = rows[:, None] * (columns[-1] + 1) + columns[None]
    return numbers


def _superpixels(inputs: Tensor, count: int, seed: int) -> NDArray[np.int64]:
    """K-means of colour and place, as in SLIC (Achanta et al. 2012), over the whole picture."""
    from sklearn.cluster import KMeans

    colours = inputs[0].permute(1, 2, 0).reshape(-1, inputs.shape[1]).numpy()
    height, width = inputs.shape[2:]
    rows, columns = np.mgrid[:height, :width]
    side = math.sqrt(height * width / count)
    places = np.stack([rows.ravel(), columns.ravel()], 1) * (_WEIGHT_OF_PLACE / max(side, 1))
    points = np.concatenate([colours / max(float(colours.std()), 1e-6), places], 1)
    count = min(count, len(np.unique(points, axis=0)))
    found = KMeans(count, n_init=1, max_iter=20, random_state=seed).fit(points)
    labels: NDArray[np.int64] = found.labels_
    return labels
