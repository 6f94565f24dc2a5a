"""Blocks removed, weakened, strengthened or moved, and the net's answers then.

After Veit et al. 2016, whose residual nets lose little of their accuracy when any one block is deleted.
All of it happens in a private copy with folded BN, so nothing that others see changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from explorer.nets.blocks import Block, PostActBlock
from explorer.nets.loaded_net import LoadedNet, ProbedNet
from explorer.probes.folded import folded
from explorer.probes.replica import replica

MOST_SCALE = 2.0
_ROWS_BYTES = 64 * 2**20
_BATCH = 128


@dataclass(frozen=True)
class Lesion:
    """What is done to a net; blocks are numbered from 0.

    Attributes:
        removed: blocks that are passed by.
        scales: by block, what its branch is multiplied by, 0 to 2.
        order: which block stands at each place; empty: each at its own. Only blocks of one stage that keep
            the shape may change places.
    """

    removed: frozenset[int] = frozenset()
    scales: Mapping[int, float] = field(default_factory=dict)
    order: tuple[int, ...] = ()


INTACT = Lesion()


@dataclass(frozen=True, eq=False)
class Answers:
    """What a net said to N images.

    Attributes:
        logits: (N, classes).
        labels: (N,).
    """

    logits: Tensor
    labels: Tensor

    @property
    def error_pct(self) -> float:
        """Wrong images in per cent."""
        return 100 * float((self.logits.argmax(1) != self.labels).float().mean())

    def confusion(self) -> Tensor:
        """Images by true class (rows) and answer (columns), (classes, classes)."""
        classes = self.logits.shape[1]
        return torch.bincount(self.labels * classes + self.logits.argmax(1), minlength=classes**2).view(
            classes, classes
        )


def folded_net(net: nn.Module) -> ProbedNet:
    """A private copy for `answers` and `single_deletions`, its BN folded into convolutions."""
    return cast(ProbedNet, folded(net))


def answers(net: ProbedNet, images: Tensor, labels: Tensor, lesion: Lesion = INTACT) -> Answers:
    """Logits of all images with the lesion, in eval mode.

    Args:
        net: from `folded_net` or `with_new_statistics`.
        images: normalised, (N, C, H, W).
        labels: (N,).
        lesion: what is done to the net.

    Raises:
        ValueError: the lesion names blocks that are not there, or a move that no shape allows.
    """
    check(net.block_list(), lesion)
    with torch.inference_mode():
        return Answers(_through(net, images, lesion), labels)


def single_deletions(
    net: ProbedNet, images: Tensor, told: Callable[[float], None] = lambda _: None
) -> Tensor:
    """Logits with each block removed in turn, (L + 1, N, classes); row 0 is the intact net.

    One triangular pass: behind block k the rows that skipped it join those that go on, so that each block
    sees all rows that differ before it. Half the multiply-adds of a pass per block.

    Args:
        net: from `folded_net`.
        images: normalised, (N, C, H, W).
        told: given the share that is done, 0 to 1; what it raises stops.
    """
    parts = []
    with torch.inference_mode():
        for number, batch in enumerate(chunks := torch.split(images, _rows_at_once(net, images))):
            told(number / len(chunks))
            parts.append(_triangle(net, batch))
    told(1.0)
    return torch.cat(parts, 1)


def errors_pct(logits: Tensor, labels: Tensor) -> list[float]:
    """Error in per cent of each row of (rows, N, classes)."""
    return [100 * float(wrong) for wrong in (logits.argmax(2) != labels).double().mean(1)]


def around(block: Block, x: Tensor) -> Tensor:
    """What is left of a block that is removed: its shortcut, or x itself where it has none.

    Where a block without a shortcut changes the shape, x is treated as by option A: every second pixel, new
    channels zero. (N, C, H, W) to the shape of the block's output.
    """
    if block.shortcut is not None:
        return block.bypass(x)
    stride, channels = _shape_of(block)
    if stride > 1:
        x = x[:, :, ::stride, ::stride]
    return functional.pad(x, (0, 0, 0, 0, 0, channels - x.shape[1])) if channels > x.shape[1] else x


def scaled(block: Block, x: Tensor, scale: float) -> Tensor:
    """A block whose branch counts `scale` times.

    He et al. 2015: ReLU(s F(x) + shortcut(x)), in a plain block ReLU(s H(x)); pre-activation: s F(x) +
    shortcut(x); highway: x + s T(x) (H(x) - x), where the layer has a gate.
    """
    if isinstance(block, PostActBlock):
        branch = scale * block.branch(x)
        return torch.relu(branch if block.shortcut is None else branch + block.shortcut(x))
    if block.shortcut is None and not keeps_shape(block):
        return scale * cast(Tensor, block(x))
    left = around(block, x)
    return left + scale * (cast(Tensor, block(x)) - left)


def keeps_shape(block: Block) -> bool:
    """Whether channels and map size of its output are those of its input."""
    convs = [module for module in block.branch.modules() if isinstance(module, nn.Conv2d)]
    pooled = any(isinstance(module, nn.MaxPool2d) for module in block.branch.modules())
    stride, channels = _shape_of(block)
    return not pooled and stride == 1 and convs[0].in_channels == channels


def movable(blocks: Sequence[Block]) -> dict[int, list[int]]:
    """Numbers of the blocks that keep the shape, by stage."""
    found: dict[int, list[int]] = {}
    for number, block in enumerate(blocks):
        if keeps_shape(block):
            found.setdefault(block.stage, []).append(number)
    return found


def removed_at_random(
    blocks: Sequence[Block], count: int, stages: Sequence[int], seed: int = 0
) -> frozenset[int]:
    """`count` blocks that keep the shape, of the given stages; all of them where there are fewer.

    A smaller count with the same seed is a part of a larger one.
    """
    there = [number for stage, numbers in movable(blocks).items() if stage in stages for number in numbers]
    order = torch.randperm(len(there), generator=torch.Generator().manual_seed(seed)).tolist()
    return frozenset(there[place] for place in order[:count])


def swapped_at_random(blocks: Sequence[Block], pairs: int, seed: int = 0) -> tuple[int, ...]:
    """An order after `pairs` swaps of two blocks of one stage that keep the shape; 0: each at its place."""
    generator = torch.Generator().manual_seed(seed)
    order = list(range(len(blocks)))
    stages = [numbers for numbers in movable(blocks).values() if len(numbers) > 1]
    weights = torch.tensor([float(len(numbers)) for numbers in stages])
    for _ in range(pairs if stages else 0):
        places = stages[int(torch.multinomial(weights, 1, generator=generator))]
        first, second = torch.randperm(len(places), generator=generator)[:2].tolist()
        a, b = places[first], places[second]
        order[a], order[b] = order[b], order[a]
    return tuple(order)


def shuffled(blocks: Sequence[Block], stages: Sequence[int], seed: int = 0) -> tuple[int, ...]:
    """An order with the blocks that keep the shape shuffled within each of the given stages."""
    generator = torch.Generator().manual_seed(seed)
    order = list(range(len(blocks)))
    for stage, places in movable(blocks).items():
        if stage in stages:
            mixed = torch.randperm(len(places), generator=generator).tolist()
            for place, source in zip(places, mixed, strict=True):
                order[place] = places[source]
    return tuple(order)


def kendall_tau(order: Sequence[int]) -> float:
    """Kendall's rank correlation of an order with the original one: 1 untouched, -1 reversed."""
    pairs = list(combinations(order, 2))
    return sum(1 if a < b else -1 for a, b in pairs) / len(pairs) if pairs else 1.0


def with_new_statistics(loaded: LoadedNet, lesion: Lesion, training: Tensor) -> ProbedNet:
    """A private copy whose BN statistics were measured again with the lesion in place.

    Weights stay. Each batch of 128 passes in train mode and all count alike, as far as they are full.

    Args:
        loaded: left as it is.
        lesion: give `answers` the same one.
        training: normalised training images, (N, C, H, W).
    """
    copied = replica(loaded.net)
    net = cast(ProbedNet, copied)
    check(net.block_list(), lesion)
    for module in copied.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.reset_running_stats()
            module.momentum = None  # the plain mean over all batches
    copied.train()
    with torch.no_grad():
        for batch in _full_batches(training):
            _through(net, batch, lesion)
    return folded_net(copied.eval())


def check(blocks: Sequence[Block], lesion: Lesion) -> None:
    """Raise ValueError, in words that say what may be given, where a lesion does not fit these blocks."""
    last = len(blocks)
    for number in (*lesion.removed, *lesion.scales):
        if not 0 <= number < last:
            raise ValueError(f"There is no block {number + 1}: the net has blocks 1 to {last}.")
    for number, scale in lesion.scales.items():
        if not 0 <= scale <= MOST_SCALE:
            raise ValueError(f"Block {number + 1}: scale {scale:g} must lie between 0 and {MOST_SCALE:g}.")
    if lesion.order and sorted(lesion.order) != list(range(last)):
        raise ValueError(f"The order must name each of the blocks 1 to {last} once.")
    for place, number in enumerate(lesion.order):
        if place != number:
            _check_move(blocks, number, place)


def _check_move(blocks: Sequence[Block], number: int, place: int) -> None:
    here, there = blocks[number], blocks[place]
    if here.stage != there.stage or not (keeps_shape(here) and keeps_shape(there)):
        raise ValueError(
            f"Block {number + 1} cannot stand at place {place + 1}: only blocks of one stage that keep the "
            "shape can change places."
        )


def _through(net: ProbedNet, x: Tensor, lesion: Lesion) -> Tensor:
    blocks = net.block_list()
    x = net.stem(x)
    for number in lesion.order or range(len(blocks)):
        if number in lesion.removed:
            x = around(blocks[number], x)
        elif number in lesion.scales:
            x = scaled(blocks[number], x, lesion.scales[number])
        else:
            x = blocks[number](x)
    return cast(Tensor, net.head(x))


def _triangle(net: ProbedNet, images: Tensor) -> Tensor:
    rows: Tensor = net.stem(images)
    intact = len(rows)
    for block in net.block_list():
        rows = torch.cat([block(rows), around(block, rows[:intact])])
    logits: Tensor = net.head(rows)
    return logits.view(-1, intact, logits.shape[1])


def _rows_at_once(net: ProbedNet, images: Tensor) -> int:
    """Images a triangle, so that one map of all its rows keeps to a bound."""
    one: Tensor = net.stem(images[:1])
    each = (len(net.block_list()) + 1) * one.numel() * one.element_size()
    return max(1, _ROWS_BYTES // each)


def _full_batches(images: Tensor) -> Iterator[Tensor]:
    for batch in torch.split(images, _BATCH):
        if len(batch) == _BATCH or len(images) < _BATCH:
            yield batch


def _shape_of(block: Block) -> tuple[int, int]:
    """Stride and output channels of a block, read off its branch's convolutions."""
    convs = [module for module in block.branch.modules() if isinstance(module, nn.Conv2d)]
    stride = 1
    for module in block.branch.modules():
        if isinstance(module, nn.Conv2d | nn.MaxPool2d):
            step = module.stride
            stride *= step if isinstance(step, int) else step[0]
    return stride, convs[-1].out_channels
