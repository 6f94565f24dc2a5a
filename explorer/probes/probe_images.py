"""Normalised test or training images for one net as tensors: a whole split, or as many of each class."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from explorer.data.dataset import Dataset, SplitName
from explorer.data.sampling import balanced
from explorer.nets.loaded_net import LoadedNet
from explorer.probes.inputs import split_inputs

_BATCH = 500


@dataclass(frozen=True, eq=False)
class ProbeImages:
    """Images that a net is asked about.

    Attributes:
        images: normalised for it, (N, C, H, W).
        labels: class numbers, (N,).
        source: where they come from, in words.
        numbers: of the images in their split, from 0, (N,).
    """

    images: Tensor
    labels: Tensor
    source: str
    numbers: tuple[int, ...]


def probe_images(dataset: Dataset, split: SplitName, net: LoadedNet, count: int | None = None) -> ProbeImages:
    """A split, or `count` of its images, as evenly over the classes as it has them (seed 0).

    Raises:
        DataError: the split cannot be read.
        ValueError: the net tells fewer classes apart than the dataset has, or no image is asked for.
    """
    if len(net.classes) < len(dataset.classes):
        raise ValueError(
            f"{net.title} tells {len(net.classes)} classes apart, {dataset.title} has "
            f"{len(dataset.classes)}. Choose a net that was trained on it."
        )
    if count is not None and count < 1:
        raise ValueError(f"{count} images cannot be read: ask for 1 or more.")
    inputs = split_inputs(dataset, split, net)
    assert inputs.labels is not None
    every = len(inputs) if count is None else min(count, len(inputs))
    source = inputs.source
    numbers = torch.arange(every)
    if every < len(inputs):
        numbers = torch.from_numpy(balanced(inputs.labels.numpy(), every))
        source = f"{every} images of {dataset.title}, {split} split, class-balanced, seed 0"
    inputs = replace(inputs, images=inputs.images[numbers], labels=inputs.labels[numbers])
    images, labels = torch.cat(list(inputs.batches(_BATCH))), inputs.labels
    assert labels is not None
    return ProbeImages(images, labels, source, tuple(numbers.tolist()))
