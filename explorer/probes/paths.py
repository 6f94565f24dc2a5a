"""The gradient's share by the number of blocks that it passes on its way back, exactly.

A residual net of n blocks has 2^n paths (Veit et al. 2016): each block is passed by its branch or by its
shortcut. The gradient is carried back as a polynomial in z, a factor z for every branch: its coefficient of
z^k is the sum over all paths through exactly k branches, and all coefficients together are the gradient.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import comb
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from explorer.nets.blocks import Block, PostActBlock, PreActBlock
from explorer.nets.loaded_net import ProbedNet
from explorer.probes.folded import folded
from explorer.probes.lengths import as_shares

Told = Callable[[float], None]


@dataclass(frozen=True, eq=False)
class Paths:
    """The gradient of the loss at the first block's input, by the number of branches passed, 0 to n.

    Attributes:
        parts: (n + 1, N, C, H, W); their sum is the gradient.
    """

    parts: Tensor

    @property
    def norms(self) -> list[float]:
        """Euclidean norm of each part."""
        return [float(norm) for norm in self.parts.flatten(1).norm(dim=1)]

    @property
    def shares(self) -> list[float]:
        """Each norm over the sum of all norms."""
        return as_shares(self.norms)

    @property
    def signed(self) -> list[float]:
        """Each part's share of the gradient along the gradient itself; they add up to 1."""
        whole = self.parts.sum(0).flatten()
        along = self.parts.flatten(1) @ whole / (whole @ whole)
        return [float(share) for share in along]


def check_paths(net: nn.Module) -> None:
    """Raise ValueError, in words that say which nets have paths, where this one has none."""
    blocks = cast(ProbedNet, net).block_list()
    if any(block.shortcut is None or not isinstance(block, PostActBlock | PreActBlock) for block in blocks):
        raise ValueError(
            "This net has no shortcuts: a plain net has one path alone, and in a highway net gates multiply "
            "both ways. Choose a residual net."
        )


def paths(net: nn.Module, images: Tensor, labels: Tensor, told: Told = lambda _: None) -> Paths:
    """The exact decomposition, in eval mode; ReLUs behind an addition stay as the images set them.

    Args:
        net: residual; left as it is.
        images: normalised, (N, C, H, W).
        labels: (N,).
        told: given the share that is done, 0 to 1; what it raises stops.

    Raises:
        ValueError: the net has no shortcuts.
    """
    check_paths(net)
    copied, inputs, last = _forward(net, images)
    parts = _loss_gradient(copied, last, labels).unsqueeze(0)
    total = len(inputs) ** 2 / 2
    for done, (block, x) in enumerate(reversed(list(zip(copied.block_list(), inputs, strict=True)))):
        told(min(done**2 / 2 / total, 1.0))
        parts = _through_block(block, x, parts)
    told(1.0)
    return Paths(parts)


def true_gradient(net: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
    """The gradient that `paths` takes apart, by one ordinary backward pass: (N, C, H, W)."""
    copied = cast(ProbedNet, folded(net))
    x = copied.stem(images).detach().requires_grad_(True)
    out = x
    for block in copied.block_list():
        out = block(out)
    loss = functional.cross_entropy(copied.head(out), labels, reduction="sum")
    gradient: Tensor = torch.autograd.grad(loss, x)[0]
    return gradient


def sampled(
    net: nn.Module,
    images: Tensor,
    labels: Tensor,
    draws: int = 10,
    seed: int = 0,
    told: Told = lambda _: None,
) -> list[float]:
    """As Veit et al. 2016: norm of single paths times how many there are, as shares, for k from 0 to n.

    A path goes through k random blocks by the branch alone and through the others by the shortcut alone; the
    norm is the mean over `draws` of them. It ignores that paths cancel.

    Raises:
        ValueError: the net has no shortcuts.
    """
    check_paths(net)
    copied, inputs, last = _forward(net, images)
    start = _loss_gradient(copied, last, labels)
    generator, blocks = torch.Generator().manual_seed(seed), copied.block_list()
    count = len(blocks)
    found = []
    for k in range(count + 1):
        told(k / (count + 1))
        norms = [
            _along(blocks, inputs, start, set(torch.randperm(count, generator=generator)[:k].tolist()))
            for _ in range(draws if 0 < k < count else 1)
        ]
        found.append(sum(norms) / len(norms) * comb(count, k))
    told(1.0)
    return as_shares(found)


def _forward(net: nn.Module, images: Tensor) -> tuple[ProbedNet, list[Tensor], Tensor]:
    """A folded copy, the input of each block, and what the last one made."""
    copied = cast(ProbedNet, folded(net))
    inputs = []
    with torch.no_grad():
        x = copied.stem(images)
        for block in copied.block_list():
            inputs.append(x)
            x = block(x)
    return copied, inputs, x


def _loss_gradient(net: ProbedNet, last: Tensor, labels: Tensor) -> Tensor:
    """Of each image's own loss, at the output of the last block."""
    at = last.detach().requires_grad_(True)
    return torch.autograd.grad(functional.cross_entropy(net.head(at), labels, reduction="sum"), at)[0]


def _ways(block: Block, x: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
    """F(x), the shortcut, and where the ReLU behind their sum lets through; None where there is none."""
    assert block.shortcut is not None
    branch, around = block.branch(x), block.shortcut(x)
    mask = (branch + around > 0) if isinstance(block, PostActBlock) else None
    return branch, around, mask


def _through_block(block: Block, x: Tensor, parts: Tensor) -> Tensor:
    """All coefficients carried back through a block: (K, N, ...) behind it, (K + 1, N, ...) before it."""
    many, images = parts.shape[:2]
    rows = x.repeat(many, 1, 1, 1).requires_grad_(True)
    branch, around, mask = _ways(block, rows)
    back = parts.flatten(0, 1)
    back = back if mask is None else back * mask
    by_branch = torch.autograd.grad(branch, rows, back)[0].view(many, images, *x.shape[1:])
    by_shortcut = back if around is rows else torch.autograd.grad(around, rows, back)[0]
    found = parts.new_zeros(many + 1, images, *x.shape[1:])
    found[:-1] += by_shortcut.view(many, images, *x.shape[1:])
    found[1:] += by_branch
    return found


def _along(blocks: Sequence[Block], inputs: Sequence[Tensor], start: Tensor, through: set[int]) -> float:
    """Norm of the gradient along one path, through the branches of some blocks alone."""
    back = start
    for number in reversed(range(len(blocks))):
        x = inputs[number].detach().requires_grad_(True)
        branch, around, mask = _ways(blocks[number], x)
        back = back if mask is None else back * mask
        way = branch if number in through else around
        if way is not x:
            back = torch.autograd.grad(way, x, back)[0]
    return float(back.norm())
