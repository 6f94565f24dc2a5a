"""The cost of a whole net in closed form, without torch, for forms that answer at once.

`cost_measured.layer_costs` counts the same by running the net; the tests hold both to the same numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from explorer.nets.layout import Layout
from explorer.nets.spec import NetSpec

_BYTES = {"fp32": 4, "bf16": 2}
_MIB = 2**20
# of a convolution's, a BN's and a ReLU's outputs, the BN's is not kept for the backward pass
_KEPT = 2 / 3
# T(x), 1 - T(x) and the sum of both products are kept, the gate's convolution is not
_GATE_MAPS = 3
# fitted to what training took: gradients, workspaces, and gaps between them
_PASSING_MAPS = 15


@dataclass(frozen=True)
class Totals:
    """Sums over all layers, of one image where they depend on images.

    Attributes:
        parameters: weights and biases.
        macs: multiply-adds of convolutions and the read-out.
        layers: modules that compute something.
        values: numbers in the outputs of all layers.
        gate_values: numbers in the outputs of all highway gates.
    """

    parameters: int
    macs: int
    layers: int
    values: int
    gate_values: int = 0

    def __add__(self, other: Totals) -> Totals:
        """Both together."""
        return Totals(*(mine + yours for mine, yours in zip(_fields(self), _fields(other), strict=True)))


@lru_cache(maxsize=1024)
def totals(spec: NetSpec, image_size: int = 32) -> Totals:
    """Cost of the net on one image; `layers`, `parameters` and `macs` as in `cost_measured.layer_costs`."""
    found = Totals(0, 0, 0, 0)
    for part in _parts(spec, image_size):
        found += part
    return found


def training_memory_mib(spec: NetSpec, image_size: int, batch_size: int, precision: str = "fp32") -> float:
    """Estimate of the memory that training takes beside that of an idle process, in MiB.

    Kept for the backward pass are the outputs of convolutions and of ReLUs, two of the three maps
    that a layer writes; weights, gradients and momentum count three times the parameters, and what
    is alive for a moment as `_PASSING_MAPS` of the largest map. Measured on a CPU, it is within 20 %
    from 20 to 1202 layers (docs/decisions/0029-very-deep.md).
    """
    cost = totals(spec, image_size)
    ungated = cost.values - cost.gate_values
    passing = _PASSING_MAPS * _largest(spec, image_size)
    kept = _KEPT * ungated + _GATE_MAPS * cost.gate_values + passing
    return _mib(kept * batch_size, cost.parameters, precision)


def checkpointed_memory_mib(
    spec: NetSpec, image_size: int, batch_size: int, precision: str = "fp32"
) -> float:
    """Estimate as `training_memory_mib`, with each block's inside computed again for the gradient, in MiB.

    Kept are the stem, the head, every block's input, and the inside of the largest block alone. Gaps
    between them are small, since freed maps go back to the system.
    """
    blocks = [
        (channels[0] * sizes[0] ** 2, sum(_block(spec, channels, sizes), Totals(0, 0, 0, 0)).values)
        for channels, sizes in _places(spec, image_size)
    ]
    cost = totals(spec, image_size)
    outside = cost.values - sum(inside for _, inside in blocks)
    kept = _KEPT * (outside + max(inside for _, inside in blocks)) + sum(given for given, _ in blocks)
    return _mib((kept + _largest(spec, image_size)) * batch_size, cost.parameters, precision)


def _largest(spec: NetSpec, image_size: int) -> int:
    """Numbers in the largest map of one image: the first stage's output, or the stem's."""
    layout = spec.design
    convolved, pooled = _after_stem(layout, image_size)
    return max(layout.stem * convolved**2, layout.outputs[0] * pooled**2)


def _mib(values: float, parameters: int, precision: str) -> float:
    return (values * _BYTES.get(precision, 4) + 3 * parameters * _BYTES["fp32"]) / _MIB


def _places(spec: NetSpec, size: int) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """Of each block: channels of its input and its width, map sizes before and after it."""
    layout = spec.design
    channels = layout.stem
    size = _after_stem(layout, size)[-1]
    for stage, (count, width) in enumerate(zip(spec.block_counts, layout.channels, strict=True)):
        for index in range(count):
            before, size = size, _halved(size) if stage and index == 0 else size
            yield (channels, width), (before, size)
            channels = width * layout.expansion


def _after_stem(layout: Layout, size: int) -> tuple[int, int]:
    """Side of the map behind the first convolution, and behind the pooling if there is one."""
    convolved = -(-size // layout.stride)
    return convolved, _halved(convolved) if layout.pool else convolved


def _parts(spec: NetSpec, size: int) -> Iterator[Totals]:
    layout = spec.design
    convolved, pooled = _after_stem(layout, size)
    yield _conv(spec.in_channels, layout.stem, convolved, layout.kernel, bias=layout.conv_bias)
    if layout.stem_norm:
        yield _norm(layout.stem, convolved)
    if layout.pool:
        yield Totals(0, 0, 1, layout.stem * pooled**2)
    channels, first = layout.stem, True
    for place, sizes in _places(spec, size):
        yield from _block(spec, place, sizes, first=first)
        channels, pooled, first = place[1] * layout.expansion, sizes[1], False
    if spec.traits.pre_activation and layout.last_norm:
        yield _norm(channels, pooled)
    yield Totals(0, 0, 1, channels)  # average pool
    yield Totals((channels + 1) * spec.classes, channels * spec.classes, 1, spec.classes)


def _block(
    spec: NetSpec, channels: tuple[int, int], sizes: tuple[int, int], *, first: bool = False
) -> Iterator[Totals]:
    inside, width = channels
    before, after = sizes
    layout = spec.design
    outside = width * layout.expansion
    convs = _convs(spec, (inside, width, outside), sizes)
    at = before
    for number, (source, target, size, kernel) in enumerate(convs):
        yield _conv(source, target, size, kernel, bias=layout.conv_bias)
        if spec.traits.pre_activation:
            yield _norm(source, at)
        else:
            # the last ReLU of a block stands behind the addition, on maps of the same size
            yield _norm(target, size)
        at = size if number < len(convs) - 1 else at
    if spec.traits.shortcut:
        yield _shortcut(spec, (inside, outside), sizes, first=first)
    if spec.traits.own_cost is not None:
        yield Totals(*spec.traits.own_cost(inside, outside, before, after))


def _convs(
    spec: NetSpec, channels: tuple[int, int, int], sizes: tuple[int, int]
) -> list[tuple[int, int, int, int]]:
    """A branch's convolutions: channels of input and output, map side behind it, kernel."""
    (inside, width, outside), (before, after) = channels, sizes
    if spec.block == "bottleneck":
        return [(inside, width, before, 1), (width, width, after, 3), (width, outside, after, 1)]
    later = (spec.traits.layers_per_block or 2) - 1
    return [(inside, outside, after, 3), *[(outside, outside, after, 3)] * later]


def _shortcut(spec: NetSpec, channels: tuple[int, int], sizes: tuple[int, int], *, first: bool) -> Totals:
    (inside, outside), (before, after), layout = channels, sizes, spec.design
    same = inside == outside and before == after
    projects = spec.shortcut == "C" or (
        spec.shortcut == "B" and (not same or (first and layout.project_first))
    )
    nothing = Totals(0, 0, 0, 0)
    pooling = Totals(0, 0, 1, inside * after * after) if layout.averaged and before != after else nothing
    if not projects:
        return nothing if same else pooling + Totals(0, 0, 1, outside * after * after)
    made = pooling + _conv(inside, outside, after, 1, bias=layout.conv_bias)
    if layout.projection_norm:
        made += _norm(outside, after, relu=False)
    if spec.traits.pre_activation and layout.projection == "activated":
        made += Totals(0, 0, 1, inside * before * before)
    return made


def _conv(inside: int, outside: int, size: int, kernel: int = 3, *, bias: bool = False) -> Totals:
    weights, values = inside * outside * kernel**2, outside * size * size
    return Totals(weights + outside * bias, weights * size * size, 1, values)


def _norm(channels: int, size: int, *, relu: bool = True) -> Totals:
    """Batch normalisation, and the ReLU that follows it or the addition."""
    count = 2 if relu else 1
    return Totals(2 * channels, 0, count, count * channels * size * size)


def _halved(size: int) -> int:
    return -(-size // 2)


def _fields(cost: Totals) -> tuple[int, ...]:
    return cost.parameters, cost.macs, cost.layers, cost.values, cost.gate_values
