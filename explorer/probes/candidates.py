"""Readings of a checkpoint put to the test on a dataset's training images.

What is tested are images of the training split, never of the test split.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch.nn import functional

from explorer.data.dataset import Dataset, Split
from explorer.nets.checkpoint_reading import CIFAR10, IMAGENET, Reading, options_of
from explorer.nets.loaded_net import LoadedNet
from explorer.nets.normalisation import Normalisation
from explorer.probes.hooks import mode
from explorer.probes.inputs import Inputs

IMAGES = 200
_IMAGES_IF_LARGE = 40
_LARGE = 64
_BATCH = 100
_CLEARLY_POINTS = 5.0
_OF_CHANCE = 0.8


@dataclass(frozen=True)
class Candidate:
    """One reading, and its error on some training images.

    Attributes:
        reading: all that would have to be said.
        options: the shell's options that say it, beside what was said already; empty for what was taken.
        error_pct: wrongly classified of these images.
        images: how many there were.
    """

    reading: Reading
    options: str
    error_pct: float
    images: int


def is_open(loaded: LoadedNet) -> bool:
    """Whether something was assumed that a dataset can test."""
    return any(
        found.option in ("family", "padding", "projection", "normalisation") for found in loaded.assumptions
    )


def tested(nets: Sequence[tuple[Reading, LoadedNet]], asked: Reading, dataset: Dataset) -> list[Candidate]:
    """The error of each reading and, where nobody gave one, with each usual scale; what was taken is first.

    Args:
        nets: the net by each reading of its shape, the one that was taken first.
        asked: what a person said.
        dataset: what it may have been trained on.

    Raises:
        ValueError: the net and the dataset cannot belong together, or there is no training split.
    """
    first = nets[0][1]
    check_match(len(first.classes), first.in_channels, dataset, "train")
    split = _some(dataset.split("train"), _IMAGES_IF_LARGE if first.image_size > _LARGE else IMAGES)
    found: list[Candidate] = []
    for reading, loaded in nets:
        for scale in _scales(loaded, asked, dataset, split):
            net = loaded if scale is None else replace(loaded, normalisation=scale)
            _, wrong, _ = measure(net, split, dataset.pixel_max)
            way = reading if scale is None else replace(reading, normalisation=scale)
            taken = not found
            options = "" if taken else options_of(way, asked)
            found.append(Candidate(way, options, 100 * wrong / len(split.labels), len(split.labels)))
    return found


def offered(candidates: Sequence[Candidate], classes: int) -> str:
    """What the candidates say for a person, as one sentence; empty where what was taken is as good as any."""
    taken, best = candidates[0], min(candidates, key=lambda each: each.error_pct)
    chance = 100 * (1 - 1 / classes)
    told = f"On {taken.images} training images the net as it was read has {taken.error_pct:.0f} % error"
    if best.error_pct < taken.error_pct - _CLEARLY_POINTS and best.error_pct < _OF_CHANCE * chance:
        return f"{told}, with {best.options} {best.error_pct:.0f} %: give that."
    if best.error_pct >= _OF_CHANCE * chance:
        return f"{told}, and no other reading has much less: it may have been trained on other data."
    return ""


def measure(loaded: LoadedNet, split: Split, pixel_max: int) -> tuple[int, int, float]:
    """Images, wrong ones, and mean cross-entropy of a net on a split, fitted to what the net takes."""
    images, labels = torch.from_numpy(np.array(split.images)), torch.from_numpy(np.array(split.labels))
    inputs = Inputs(images, pixel_max, loaded, labels, "")
    wrong, loss, start = 0, 0.0, 0
    with mode(loaded.net, training=False), torch.inference_mode():
        for batch in inputs.batches(_BATCH):
            logits, right = loaded.net(batch).float(), labels[start : start + len(batch)]
            wrong += int((logits.argmax(1) != right).sum())
            loss += float(functional.cross_entropy(logits, right, reduction="sum"))
            start += len(batch)
    return start, wrong, loss / start


def check_match(outputs: int, channels: int, dataset: Dataset, split: str) -> None:
    """Refuse a net and a dataset whose error would mean nothing.

    Raises:
        ValueError: they differ in classes or in channels; the text has both numbers.
    """
    found = dataset.split(split).in_channels
    if found != channels:
        raise ValueError(
            f"The images of {dataset.title} have {found} channels, the net and its normalisation {channels}."
        )
    if outputs != len(dataset.classes):
        raise ValueError(
            f"The net tells {outputs} classes apart; {dataset.title} has {len(dataset.classes)}. An error "
            "would mean nothing: take the dataset that the net was trained on."
        )


def _some(split: Split, count: int) -> Split:
    """Images from all over the split, since a folder's stand class by class."""
    if len(split.labels) <= count:
        return split
    return split.take(np.linspace(0, len(split.labels) - 1, count).astype(np.int64))


def _scales(loaded: LoadedNet, asked: Reading, dataset: Dataset, split: Split) -> list[Normalisation | None]:
    """None for the scale that the net has, then the usual ones where nobody gave one."""
    assumed = any(found.option == "normalisation" for found in loaded.assumptions)
    if asked.normalisation is not None or not assumed:
        return [None]
    channels = loaded.in_channels
    usual = [Normalisation((0.5,) * channels, (std,) * channels) for std in (0.25, 0.5)]
    usual.append(Normalisation((0.0,) * channels, (1.0,) * channels))
    usual += [IMAGENET, CIFAR10] if channels == 3 else []
    pixels = split.images.astype(np.float64) / dataset.pixel_max
    mean, std = pixels.mean(axis=(0, 2, 3)), pixels.std(axis=(0, 2, 3))
    if (std > 0).all():
        usual.append(Normalisation(tuple(mean.round(4).tolist()), tuple(std.round(4).clip(1e-3).tolist())))
    return [None, *(scale for scale in usual if scale != loaded.normalisation)]
