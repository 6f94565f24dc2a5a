"""Responses of a whole split: passes small enough for the caches, through a folded copy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from explorer.probes.folded import folded
from explorer.probes.inputs import Inputs
from explorer.probes.replica import replica
from explorer.probes.responses import ResponseProbe, Responses

TRAINING_BATCH = 100
"""Images a pass in train mode, where the batch's own statistics are the answer: the same for every net."""
_PIXELS = 32 * 32 * 32
_MOST = 500


@dataclass(frozen=True)
class ReadOptions:
    """How a split is read.

    Attributes:
        training: BN with each batch's own statistics; the result depends on the batch.
        batch: images a pass; `batch_for` where None.
        told: given the share of the images that is read, 0 to 1, after each pass; what it raises stops.
        lock: held while the net is copied, where others may set hooks on it.
    """

    training: bool = False
    batch: int | None = None
    progress: Callable[[float], None] = lambda _: None
    lock: AbstractContextManager[Any] = field(default_factory=nullcontext)


def batch_for(inputs: Inputs, *, training: bool = False) -> int:
    """How many images a pass reads: about as many pixels at any size, 32 images of 32x32."""
    if training:
        return TRAINING_BATCH
    height, width = inputs.fitted_size
    return max(1, min(_PIXELS // (height * width), _MOST))


def read_responses(inputs: Inputs, options: ReadOptions | None = None) -> Responses:
    """What a net's blocks and layers answer to all images, cosine included; the net itself is not touched.

    Raises:
        ValueError: there is no image.
    """
    asked = options or ReadOptions()
    size = asked.batch or batch_for(inputs, training=asked.training)
    with asked.lock:
        net = _copied(inputs.net.net, training=asked.training)

    def passes() -> Iterator[Tensor]:
        for number, images in enumerate(inputs.batches(size), start=1):
            yield images
            asked.progress(min(number * size / len(inputs), 1.0))

    return ResponseProbe(net, cosine=True).measure(passes(), training=asked.training)


def _copied(net: nn.Module, *, training: bool) -> nn.Module:
    if not training:
        return folded(net, overwrite=True)
    copied: nn.Module = replica(net).to(memory_format=torch.channels_last)
    return copied
