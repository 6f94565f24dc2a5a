"""Which CIFAR ResNet is a state dict that others saved, and how do its tensors become ours?"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from explorer.nets.normalisation import Normalisation
from explorer.nets.refusal import CheckpointError
from explorer.nets.spec import STAGES, Family, NetSpec

_PREFIXES = ("module.", "model.", "net.", "_orig_mod.")
_IMAGENET = Normalisation((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
_STEM = {"conv1": "stem.0", "bn1": "stem.1", "linear": "head.2", "fc": "head.2"}
_LAYER = re.compile(r"layer(\d{1,4})\.(\d{1,4})\.(conv|bn|shortcut\.|downsample\.)(\d)\.(\w+)")
_BLOCK = re.compile(r"blocks\.(\d{1,5})\.([a-z]+)\.")
_NORM = ("weight", "bias", "running_mean", "running_var")
_UNKNOWN = "it holds no CIFAR ResNet that is known here; choose a state dict of one with three stages"


@dataclass(frozen=True)
class Recognised:
    """Which net a state dict holds.

    Attributes:
        spec: the net.
        names: from the file's names to those of `CifarNet`.
        padded_both_sides: the new channels of option A lie on both sides of the old ones.
        normalisation: the one the net was trained with, where its origin tells.
    """

    spec: NetSpec
    names: dict[str, str]
    padded_both_sides: bool
    normalisation: Normalisation | None


def recognise(shapes: Mapping[str, tuple[int, ...]], family: Family | None = None) -> Recognised:
    """The net that tensors of these names and shapes make up.

    Reads the names of `CifarNet`, those of akamaster/pytorch_resnet_cifar10 (conv1, layer1.0.conv1,
    linear) and torchvision's (fc, downsample). The first repository trains with the mean and std of
    ImageNet, so a net of its names and three input channels gets that normalisation.

    Args:
        shapes: by name, in any order.
        family: plain or residual where names and shapes fit both; residual if None.

    Raises:
        CheckpointError: no net that can be built here; the text says what is different.
    """
    stripped = {name: stripped_name(name) for name in shapes}
    published = "conv1.weight" in stripped.values()
    count = _blocks_per_stage(stripped.values()) if published else 0
    names = {theirs: _our_name(name, count) if published else name for theirs, name in stripped.items()}
    ours = {names[theirs]: shape for theirs, shape in shapes.items()}
    if len(ours) < len(names):
        raise CheckpointError("two of its tensors have one name; save its state dict again")
    spec = _spec(ours, family)
    akamaster = published and "linear.weight" in stripped.values() and spec.block == "basic"
    padded = akamaster and spec.family == "residual" and spec.shortcut == "A" and spec.width % 2 == 0
    return Recognised(spec, names, padded, _IMAGENET if akamaster and spec.in_channels == 3 else None)


def stripped_name(name: str) -> str:
    """The name without what wrappers put before it."""
    while name.startswith(_PREFIXES):
        name = name.partition(".")[2]
    return name


def _blocks_per_stage(names: Collection[str]) -> int:
    places = {match.groups()[:2] for match in map(_LAYER.fullmatch, names) if match}
    counts = [sum(int(stage) == number for stage, _ in places) for number in range(1, STAGES + 2)]
    if counts[STAGES]:
        raise CheckpointError(
            "it has four stages, but is none of torchvision's ResNet-18, 34, 50, 101 or 152 with 1,000 "
            "classes; other nets with four stages are not read here"
        )
    if not counts[0] or len(set(counts[:STAGES])) > 1:
        raise CheckpointError(
            f"its stages have {counts[0]}, {counts[1]} and {counts[2]} blocks; only nets with three stages "
            "of equally many are read here"
        )
    return counts[0]


def _our_name(name: str, blocks_per_stage: int) -> str:
    match = _LAYER.fullmatch(name)
    if match is None:
        module, _, value = name.partition(".")
        return f"{_STEM.get(module, module)}.{value}"
    stage, index, kind, number, value = match.groups()
    block = (int(stage) - 1) * blocks_per_stage + int(index)
    if kind in ("conv", "bn"):
        return f"blocks.{block}.branch.{3 * (int(number) - 1) + (kind == 'bn')}.{value}"
    return f"blocks.{block}.shortcut.{number}.{value}"


def _spec(shapes: Mapping[str, tuple[int, ...]], family: Family | None) -> NetSpec:
    """Read the spec off our own names; exact keys and shapes are for the caller to compare."""
    found = [match for match in map(_BLOCK.match, shapes) if match]
    blocks = {int(match[1]) for match in found}
    projected = {int(match[1]) for match in found if match[2] == "shortcut"}
    preact, highway = "stem.1.weight" not in shapes, "blocks.0.branch.3.weight" not in shapes
    stem, head = shapes.get("stem.0.weight", ()), shapes.get(f"head.{4 if preact else 2}.weight", ())
    per_stage, rest = divmod(len(blocks), STAGES * (2 if highway else 1))
    if rest or not per_stage or len(stem) != 4 or len(head) != 2:
        raise CheckpointError(_UNKNOWN)
    seen: Family = "preact" if preact else "highway" if highway else "residual"
    if family is not None and family != seen and {family, seen} != {"plain", "residual"}:
        raise CheckpointError(f"it holds a {seen} net, not a {family} one; leave the family out")
    bottleneck = "blocks.0.branch.6.weight" in shapes
    at_changes = {per_stage, 2 * per_stage} | ({0} if bottleneck else set())
    try:
        return NetSpec(
            family=family or seen,
            depth=(9 if bottleneck else 6) * per_stage + 2,
            width=stem[0],
            block="bottleneck" if bottleneck else "basic",
            shortcut="A" if not projected else "B" if projected == at_changes else "C",
            in_channels=stem[1],
            classes=head[0],
        )
    except ValueError as error:
        raise CheckpointError(str(error)) from None


def reorder_channels(state: Mapping[str, Tensor], spec: NetSpec) -> dict[str, Tensor]:
    """The same function with new channels after the old ones, as `PadShortcut` pads them.

    akamaster's option A puts half of the new, empty channels before the old ones and half after.
    Renumbering the channels of stages 2 and 3 leaves every logit as it was, up to rounding.

    Args:
        state: by the names of `CifarNet`, channels in akamaster's order.
        spec: a residual net of basic blocks, option A and even width.
    """
    moved = dict(state)
    inside = order = torch.arange(spec.width)
    for index in range(STAGES * spec.blocks_per_stage):
        if index and index % spec.blocks_per_stage == 0:
            order = _padded_order(inside)
        branch = f"blocks.{index}.branch"
        moved[f"{branch}.0.weight"] = moved[f"{branch}.0.weight"][:, inside]
        for name in (f"{branch}.3.weight", *(f"{branch}.4.{value}" for value in _NORM)):
            moved[name] = moved[name][order]
        inside = order
    moved["head.2.weight"] = moved["head.2.weight"][:, order]
    return moved


def _padded_order(old: Tensor) -> Tensor:
    half = len(old) // 2
    new = torch.arange(2 * len(old))
    return torch.cat([old + half, new[:half], new[half + len(old) :]])
