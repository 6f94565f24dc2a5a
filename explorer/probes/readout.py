"""Classes read off after each block: by the net's own rest, or by a line fitted to it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from explorer.data.dataset import Dataset
from explorer.nets.blocks import Block
from explorer.nets.loaded_net import LoadedNet, ProbedNet
from explorer.probes.hooks import Reader, mode, reading

FITTED_ON = 2000
_BATCH = 200


class ReadoutError(ValueError):
    """A read-out cannot be fitted; the text says why and what to do."""


def skipping_readout(net: nn.Module, outputs: Sequence[Tensor]) -> Tensor:
    """Probabilities after the stem and after each block, when the blocks that keep the shape are skipped.

    What leaves block k goes through every later block that changes the map's size or its channels,
    since without those the head could not take it, and through the head: all exactly as trained. All
    other later blocks are left out. After the last block this is the net's own answer.

    Args:
        net: a `ProbedNet` in eval mode.
        outputs: of the stem and of each block, (1, C, H, W).

    Returns:
        (blocks + 1, classes).
    """
    assert isinstance(net, ProbedNet)
    needed = [a.shape != b.shape for a, b in pairwise(outputs)]
    waiting: list[Tensor] = []
    for index, block in enumerate(net.block_list()):
        waiting.append(outputs[index])
        if needed[index]:
            waiting = [block(torch.cat(waiting))]
    waiting.append(outputs[-1])
    return torch.softmax(net.head(torch.cat(waiting)), 1)


@dataclass(frozen=True, eq=False)
class LinearReadout:
    """A linear classifier of the channels' means after the stem and after each block.

    Attributes:
        models: scikit-learn's standardised logistic regressions, one per place.
        classes: how many the net tells apart.
        images: of the training split, on which they were fitted.
        error_pct: on those images, per place.
        seconds: that it took to fit all.
    """

    models: tuple[Any, ...]
    classes: int
    images: int
    error_pct: tuple[float, ...]
    seconds: float

    def read(self, places: Sequence[NDArray[np.floating]]) -> NDArray[np.float32]:
        """Probabilities from the maps (C, H, W) of one picture at each place; (blocks + 1, classes)."""
        found = np.zeros((len(places), self.classes), np.float32)
        for row, model, maps in zip(found, self.models, places, strict=True):
            means = maps.astype(np.float32).mean(axis=(1, 2), dtype=np.float64)
            row[model.classes_] = model.predict_proba(means[None])[0]
        return found


def fit_readout(loaded: LoadedNet, dataset: Dataset, count: int = FITTED_ON) -> LinearReadout:
    """Fit a logistic regression on the channels' means at each place, over the first training images.

    Raises:
        ReadoutError: the dataset has other classes or other images than the net was trained on.
        DataError: it has no training split.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from threadpoolctl import threadpool_limits

    started = time.perf_counter()
    train = dataset.split("train")
    if dataset.classes != loaded.classes or train.in_channels != loaded.in_channels:
        raise ReadoutError(
            f"{loaded.title} was not trained on {dataset.title}, so nothing can be fitted there. Choose the "
            "net's own read-out."
        )
    pixels = torch.from_numpy(train.images[:count]).float() / dataset.pixel_max
    labels = train.labels[:count]
    models, errors = [], []
    places = pooled(loaded, pixels)
    with threadpool_limits(1):  # threads cost more than they save on problems so small
        for features in places:
            model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=3000, tol=1e-3))
            models.append(model.fit(features, labels))
            errors.append(100 * float((model.predict(features) != labels).mean()))
    taken = time.perf_counter() - started
    return LinearReadout(tuple(models), len(loaded.classes), len(labels), tuple(errors), taken)


def pooled(loaded: LoadedNet, pixels: Tensor) -> list[NDArray[np.float64]]:
    """The mean of each channel after the stem and after each block, (N, C) for each place.

    Args:
        loaded: the net.
        pixels: in 0 to 1, (N, C, H, W).
    """
    blocks = loaded.blocks()
    means: list[list[Tensor]] = [[] for _ in range(len(blocks) + 1)]
    with mode(loaded.net, training=False), reading(_taps(blocks, means)):
        for batch in torch.split(pixels, _BATCH):
            loaded.net(loaded.normalised(batch))
    return [torch.cat(place).double().numpy() for place in means]


def _taps(blocks: Sequence[Block], means: Sequence[list[Tensor]]) -> list[tuple[nn.Module, Reader]]:
    def first(inputs: Tensor, output: Tensor) -> None:
        means[0].append(inputs.mean(dim=(2, 3)))
        means[1].append(output.mean(dim=(2, 3)))

    def later(place: list[Tensor]) -> Reader:
        return lambda _inputs, output: place.append(output.mean(dim=(2, 3)))

    rest = zip(blocks[1:], means[2:], strict=True)
    return [(blocks[0], first), *((block, later(place)) for block, place in rest)]
