"""A deeper net that computes what a shallow one does: identity blocks put between its blocks.

This is the solution "by construction" of He et al. 2015, section 1. A residual block is the identity where
its branch ends in zero. A plain block is, where both its kernels pass each channel on (Dirac) and each BN
undoes itself: its scale and shift are the deviation and the mean of what enters. In eval mode that holds up
to rounding, in training up to what one batch differs from all images. ReLU leaves what it has made.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from explorer.nets.blocks import Block
from explorer.nets.build import CifarNet, build
from explorer.nets.families import FAMILIES
from explorer.nets.spec import MAX_DEPTH, STAGES, NetSpec

Place = Literal["end", "spread", "front"]
PLACES: tuple[Place, ...] = get_args(Place)
IDENTITY_FAMILIES = tuple(family for family, one in FAMILIES.items() if not one.no_identity)
_CHUNK = 256


@dataclass(frozen=True, eq=False)
class Constructed:
    """A net made deeper.

    Attributes:
        net: the deeper net, in eval mode.
        shallow: the net that it was built from.
        inserted: numbers of its identity blocks, from 0, in order.
    """

    net: CifarNet
    shallow: CifarNet
    inserted: tuple[int, ...]


def construct(net: CifarNet, depth: int, images: Tensor, place: Place = "end") -> Constructed:
    """The net with identity blocks up to `depth` weighted layers; it keeps its answers and every weight.

    Args:
        net: plain, residual (option A or B) or pre-activation, in eval mode; left as it is.
        depth: of the deeper net, 6n+2, or 9n+2 with bottlenecks.
        images: normalised training images, (N, C, H, W): the BN of a plain block takes its mean and deviation
            from what they make of the block's input.
        place: at the end of each stage, spread over it, or right behind its first block.

    Raises:
        ValueError: the family has no exact identity, or the depth is not above the net's.
    """
    spec, _ = inserted_blocks(net.spec, depth, place)
    deeper = build(spec).to(next(net.parameters()).dtype).eval()
    order = _order(net.spec.blocks_per_stage, deeper.spec.blocks_per_stage, place)
    for part in ("stem", "head"):
        getattr(deeper, part).load_state_dict(getattr(net, part).state_dict())
    old, inserted = net.block_list(), []
    entering = _entering(net, images) if not net.spec.traits.shortcut else [None] * len(old)
    last = 0
    for number, (block, source) in enumerate(zip(deeper.block_list(), order, strict=True)):
        if source is None:
            inserted.append(number)
            make_identity(block, entering[last])
        else:
            block.load_state_dict(old[source].state_dict())
            last = source
    return Constructed(deeper, net, tuple(inserted))


def inserted_blocks(spec: NetSpec, depth: int, place: Place = "end") -> tuple[NetSpec, tuple[int, ...]]:
    """The deeper net and the numbers of its identity blocks, from 0; raises as `check_deepening`."""
    check_deepening(spec, depth)
    deeper = replace(spec, depth=depth)
    order = _order(spec.blocks_per_stage, deeper.blocks_per_stage, place)
    return deeper, tuple(number for number, source in enumerate(order) if source is None)


def check_deepening(spec: NetSpec, depth: int) -> None:
    """Raise ValueError, in words that say what can be built, where the net cannot be made that deep."""
    if spec.traits.no_identity:
        raise ValueError(
            f"{spec.traits.no_identity} Choose a net of one of the families {', '.join(IDENTITY_FAMILIES)}."
        )
    if spec.layout is not None:
        raise ValueError(
            f"{spec.title} is laid out in another way: its depth follows from its stages. Take a "
            "net of the CIFAR design, such as plain-20."
        )
    if not spec.traits.shortcut and spec.block == "bottleneck":
        raise ValueError(
            "A plain bottleneck loses channels inside: it cannot be the identity. Take basic blocks."
        )
    if spec.shortcut == "C":
        raise ValueError(
            "With option C every shortcut is a projection, not the identity. Take option A or B."
        )
    deeper = replace(spec, depth=depth)  # refuses a depth that no net has
    if deeper.depth <= spec.depth:
        raise ValueError(f"{spec.title} has {spec.depth} layers: give a larger depth, up to {MAX_DEPTH}.")


def make_identity(block: Block, entering: tuple[Tensor, Tensor] | None) -> None:
    """Turn a block that keeps the shape into the identity on what it is given, in place.

    Args:
        block: of one of `IDENTITY_FAMILIES`.
        entering: mean and variance per channel of its input, each (C,); needed where it has no shortcut.
    """
    with torch.no_grad():
        if block.shortcut is not None:
            last = block.branch[-1]
            for tensor in last.parameters():
                tensor.zero_()  # F(x) = 0
            return
        assert entering is not None
        mean, variance = entering
        for module in block.branch:
            if isinstance(module, nn.Conv2d):
                nn.init.dirac_(module.weight)
            elif isinstance(module, nn.BatchNorm2d):
                _undo(module, mean, variance)


def settle(net: nn.Module, images: Tensor) -> None:
    """Give a net that was never trained the BN statistics of these images, (N, C, H, W), in place."""
    norms = [module for module in net.modules() if isinstance(module, nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # this batch alone counts
    net.train()
    with torch.no_grad():
        net(images)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    net.eval()


def _undo(norm: nn.BatchNorm2d, mean: Tensor, variance: Tensor) -> None:
    assert norm.running_mean is not None
    assert norm.running_var is not None
    norm.running_mean.copy_(mean)
    norm.running_var.copy_(variance)
    norm.weight.copy_((variance + norm.eps).sqrt())
    norm.bias.copy_(mean)


def _entering(net: CifarNet, images: Tensor) -> list[tuple[Tensor, Tensor] | None]:
    """Mean and variance per channel of each block's output, over all images and pixels."""
    sums: list[Tensor] = [torch.zeros(0)] * len(net.block_list())
    count = [0] * len(sums)
    with torch.no_grad():
        for batch in torch.split(images, _CHUNK):
            x = net.stem(batch)
            for number, block in enumerate(net.block_list()):
                x = block(x)
                wide = x.double()
                both = torch.stack([wide.sum((0, 2, 3)), wide.square().sum((0, 2, 3))])
                sums[number] = both if not count[number] else sums[number] + both
                count[number] += x[:, 0].numel()
    means = [both / many for both, many in zip(sums, count, strict=True)]
    return [(first, (second - first.square()).clamp(min=0)) for first, second in means]


def _order(old: int, new: int, place: Place) -> list[int | None]:
    """For each block of the deeper net the number of the block that it copies; None: the identity."""
    return [
        None if source is None else source + stage * old
        for stage in range(STAGES)
        for source in _within(old, new, place)
    ]


def _within(old: int, new: int, place: Place) -> Iterator[int | None]:
    """One stage: its blocks in order, the first always first, and identities between them."""
    extra = new - old
    behind = {"end": [0] * (old - 1) + [extra], "front": [extra] + [0] * (old - 1)}.get(place)
    if behind is None:
        behind = [extra * (number + 1) // old - extra * number // old for number in range(old)]
    for number, many in enumerate(behind):
        yield number
        yield from [None] * many
