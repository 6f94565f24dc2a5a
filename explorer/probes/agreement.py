"""Agreement of two batches: the cosine of their gradients, block by block; and gradient sizes.

After Balduzzi et al. 2017, whose "shattered gradients" differ from image to image like noise. BN works with
each batch's own statistics, as in training, and everything is in float64: deep plain nets overflow float32.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations

import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn import functional

from explorer.nets.blocks import Block
from explorer.nets.loaded_net import ProbedNet
from explorer.probes.replica import replica
from explorer.probes.responses import place_blocks

BATCHES = 6
BATCH_SIZE = 128
Batch = tuple[Tensor, Tensor]
"""Normalised images (N, C, H, W) and their labels (N,)."""


def disjoint_batches(
    images: Tensor, labels: Tensor, count: int = BATCHES, size: int = BATCH_SIZE, seed: int = 0
) -> list[Batch]:
    """`count` batches of `size` images that share none, drawn from `seed`.

    Raises:
        ValueError: there are fewer images, or fewer than two batches or images a batch are asked for.
    """
    if count < 2 or size < 2:
        raise ValueError(f"{count} batches of {size} images: give at least 2 of each.")
    if count * size > len(labels):
        raise ValueError(
            f"{count} disjoint batches of {size} need {count * size:,} images; there are {len(labels):,}. "
            "Ask for fewer or smaller batches."
        )
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))
    return [(images[part], labels[part]) for part in torch.split(order[: count * size], size)]


def agreement(
    net: nn.Module, batches: Sequence[Batch], told: Callable[[float], None] = lambda _: None
) -> pd.DataFrame:
    """Cosine of the loss's gradient between batches, mean over all their pairs.

    Args:
        net: a `ProbedNet`; left as it is.
        batches: at least two.
        told: given the share that is done, 0 to 1; what it raises stops.

    Returns:
        Per block: block, stage, layer, cosine (of the gradients in all its convolutions), -1 to 1; NaN where
        a gradient is zero.
    """
    copied = trainable(net)
    weights = [convolutions(block) for block in copied.block_list()]
    found: list[list[Tensor]] = []
    for number, batch in enumerate(batches):
        told(number / len(batches))
        found.append([_flat(gradients) for gradients in gradients_of(copied, batch, weights)])
    told(1.0)
    table = place_blocks(copied.block_list())
    table["cosine"] = [mean_cosine(list(per_batch)) for per_batch in zip(*found, strict=True)]
    return table


def sizes(net: nn.Module, batch: Batch) -> pd.DataFrame:
    """How large the loss's gradient is at each block, BN with batch statistics.

    Args:
        net: a `ProbedNet`; left as it is.
        batch: that the loss is the mean of.

    Returns:
        Per block: block, stage, layer, norm (at its output, over the batch's maps), weights_norm (in all its
        parameters), both Euclidean.
    """
    copied = trainable(net)
    images, labels = batch
    x, outputs = copied.stem(images.double()), []
    for block in copied.block_list():
        x = block(x)
        outputs.append(x)
    loss = functional.cross_entropy(copied.head(x), labels)
    groups = [list(block.parameters()) for block in copied.block_list()]
    found = torch.autograd.grad(loss, [*outputs, *(weight for group in groups for weight in group)])
    flat = iter(found[len(outputs) :])
    table = place_blocks(copied.block_list())
    table["norm"] = [float(part.norm()) for part in found[: len(outputs)]]
    table["weights_norm"] = [float(_flat([next(flat) for _ in group]).norm()) for group in groups]
    return table


def mean_cosine(vectors: Sequence[Tensor]) -> float:
    """Mean cosine over all pairs of vectors; NaN where one is zero."""
    stacked = torch.stack(list(vectors))
    unit = stacked / stacked.norm(dim=1, keepdim=True)
    return float(torch.stack([unit[a] @ unit[b] for a, b in combinations(range(len(unit)), 2)]).mean())


def gradients_of(net: ProbedNet, batch: Batch, weights: Sequence[Sequence[Tensor]]) -> list[list[Tensor]]:
    """The mean loss's gradients in some groups of weights."""
    images, labels = batch
    loss = functional.cross_entropy(net(images.double()), labels)
    flat = iter(torch.autograd.grad(loss, [weight for group in weights for weight in group]))
    return [[next(flat) for _ in group] for group in weights]


def convolutions(block: Block) -> list[Tensor]:
    """Weights of all convolutions of a block, its gate and its shortcut included."""
    return [module.weight for module in block.modules() if isinstance(module, nn.Conv2d)]


def trainable(net: nn.Module) -> ProbedNet:
    """A private copy in float64 and train mode whose weights take gradients."""
    copied = replica(net)
    for module in copied.modules():
        for name, parameter in list(module.named_parameters(recurse=False)):
            setattr(module, name, nn.Parameter(parameter.detach().double().clone()))
    made = copied.double().train()
    assert isinstance(made, ProbedNet)
    return made


def _flat(gradients: Sequence[Tensor]) -> Tensor:
    return torch.cat([gradient.flatten() for gradient in gradients])
