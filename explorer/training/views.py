"""What training sees of one image: the crops and mirrors that a run really draws for it."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from explorer.data.dataset import Dataset
from explorer.nets.normalisation import Normalisation
from explorer.training.batches import Epoch, ResidentImages

_CPU = torch.device("cpu")


def views_of(dataset: Dataset, index: int, seed: int, epochs: int) -> list[NDArray[np.uint8]]:
    """One training image as an augmented run of that seed sees it in each of its first epochs.

    Returns:
        uint8 (C, H, W) per epoch, in the values of the dataset; the padding has the mean colour.
    """
    split = dataset.split("train")
    normalisation = Normalisation(*dataset.channel_stats())
    images = ResidentImages(split.take(np.array([index])), dataset.pixel_max, normalisation, _CPU)
    seen = []
    for epoch in range(epochs):
        order = Epoch(len(split.labels), seed, epoch, _CPU, augment=True)
        place = int((order.order == index).nonzero()[0, 0])
        assert order.draws is not None
        only = torch.zeros(1, dtype=torch.int64)
        shown, _ = images.batch(only, order.draws[place : place + 1], flip=dataset.flips)
        seen.append(_pixels(shown[0].numpy(), normalisation, dataset.pixel_max))
    return seen


def _pixels(
    normalised: NDArray[np.float32], normalisation: Normalisation, pixel_max: int
) -> NDArray[np.uint8]:
    mean, std = (np.asarray(part)[:, None, None] for part in (normalisation.mean, normalisation.std))
    pixels: NDArray[np.uint8] = np.rint((normalised * std + mean) * pixel_max).clip(0, pixel_max).astype("u1")
    return pixels
