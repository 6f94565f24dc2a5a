"""torchvision's nets: recognised by their tensors, and converted to ours."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeVar

import torch
from torch import Tensor, nn

from explorer.nets.imagenet import ImageNet, imagenet_skeleton
from explorer.nets.published_imagenet import PUBLISHED, PublishedNet

_PREFIXES = ("module.", "model.", "net.", "_orig_mod.")
_COUNTER = "num_batches_tracked"
_LAYER = re.compile(r"layer(\d)\.(\d+)\.(conv|bn|downsample\.)(\d)\.(\w+)")
_ENDS = {"conv1": "stem.0", "bn1": "stem.1", "fc": "head.2"}
Value = TypeVar("Value")


def recognise_vgg(shapes: Mapping[str, tuple[int, ...]]) -> PublishedNet | None:
    """The VGG of torchvision that has tensors of exactly these names and shapes; batch counters may lack.

    Args:
        shapes: by torchvision's names.
    """
    if "features.0.weight" not in shapes or "classifier.6.weight" not in shapes:
        return None
    for about in PUBLISHED.values():
        if about.layout == "vgg" and _shapes(imagenet_skeleton(about).state_dict()) == {
            name: shape for name, shape in renamed(about, shapes).items() if not name.endswith(_COUNTER)
        }:
            return about
    return None


def stripped_name(name: str) -> str:
    """The name without what wrappers put before it."""
    while name.startswith(_PREFIXES):
        name = name.partition(".")[2]
    return name


def renamed(about: PublishedNet, values: Mapping[str, Value]) -> dict[str, Value]:
    """The same values by the names of `ImageNet`; a name that torchvision does not give stays."""
    names = _vgg_names(about) if about.layout == "vgg" else {name: _renamed(name, about) for name in values}
    return {names.get(name, name): value for name, value in values.items()}


def from_torchvision(about: PublishedNet, state: Mapping[str, Tensor]) -> ImageNet:
    """Our net with the weights of torchvision's, in eval mode; its logits are the same.

    Raises:
        ValueError: the tensors are not those of this net.
    """
    net = imagenet_skeleton(about)
    moved = {
        name: tensor.float() if tensor.is_floating_point() else tensor
        for name, tensor in renamed(about, state).items()
    }
    moved |= counters(net)
    if _shapes(moved) != _shapes(net.state_dict()):
        raise ValueError(f"The tensors are not those of {about.title}; fetch the file again.")
    net.load_state_dict(moved, strict=True, assign=True)
    return net.eval().requires_grad_(True)


def counters(net: nn.Module) -> dict[str, Tensor]:
    """Batch counters, which files from before PyTorch 0.4.1 lack; nothing depends on their values."""
    names = [name for name in net.state_dict() if name.endswith(_COUNTER)]
    return {name: torch.zeros((), dtype=torch.int64) for name in names}


def _shapes(state: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(value.shape) for name, value in state.items() if not name.endswith(_COUNTER)}


def _renamed(name: str, about: PublishedNet) -> str:
    first, _, rest = name.partition(".")
    if first in _ENDS:
        return f"{_ENDS[first]}.{rest}"
    match = _LAYER.fullmatch(name)
    if match is None:
        return name
    stage, index, kind, number, value = match.groups()
    block = f"blocks.{sum(about.blocks[: int(stage) - 1]) + int(index)}"
    if kind == "downsample.":
        return f"{block}.shortcut.{number}.{value}"
    return f"{block}.branch.{3 * (int(number) - 1) + (kind == 'bn')}.{value}"


def _vgg_names(about: PublishedNet) -> dict[str, str]:
    """Both number the layers in one order: torchvision by feature and classifier, we by block."""
    ours = [name.rpartition(".")[0] for name in imagenet_skeleton(about).state_dict()]
    modules = list(dict.fromkeys(ours))
    theirs: list[str] = []
    place = 0
    for count in about.blocks:
        for _ in range(count):
            theirs += [f"features.{place}"] + ([f"features.{place + 1}"] if about.norm else [])
            place += 3 if about.norm else 2
        place += 1  # the pooling after each stage
    theirs += ["classifier.0", "classifier.3", "classifier.6"]
    values = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
    pairs = zip(theirs, modules, strict=True)
    return {f"{old}.{value}": f"{new}.{value}" for old, new in pairs for value in values}
