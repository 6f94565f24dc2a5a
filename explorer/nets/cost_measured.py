"""The cost of a net layer by layer: parameters, multiply-adds, shapes and memory.

The net is run once on torch's meta device: shapes are propagated, nothing is computed or stored.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import torch
from torch import Tensor, nn

from explorer.nets.blocks import Block, PadShortcut
from explorer.nets.build import StagedNet, skeleton
from explorer.nets.imagenet import ImageNet, VggNet, imagenet_skeleton
from explorer.nets.published_imagenet import PublishedNet
from explorer.nets.spec import NetSpec

Design = NetSpec | PublishedNet

_BYTES_FP32 = 4
_MIB = 2**20
_FREE = (nn.Identity, nn.Flatten)


def layer_costs(spec: Design, image_size: int = 32) -> pd.DataFrame:
    """One row per layer, in the order of the forward pass, for one image.

    Args:
        spec: a net of stages, or one of the ImageNet nets.
        image_size: side of the input in pixels.

    Returns:
        Columns: name, kind, block (-1 outside blocks), stage (0 outside), out_channels, out_height,
        out_width, parameters, macs (multiply-adds of convolutions and the read-out; the paper calls
        them FLOPs), activation_mib (the layer's output in fp32).

    Raises:
        ValueError: `image_size` is too small for two halvings, or too large to be meant.
    """
    _check_size(image_size)
    return _layers(_bare(spec), spec, image_size)


def _layers(net: ImageNet, spec: Design, image_size: int) -> pd.DataFrame:
    stages = [block.stage for block in net.block_list()]
    rows: list[dict[str, Any]] = []
    handles = []
    for name, module in net.named_modules():
        if not any(module.children()) and not isinstance(module, _FREE):
            handles.append(module.register_forward_hook(_row_writer(rows, name, _place(name, stages))))
    channels = spec.in_channels if isinstance(spec, NetSpec) else 3
    image = torch.empty(1, channels, image_size, image_size, device="meta")
    with torch.no_grad():
        net(image)
    for handle in handles:
        handle.remove()
    return pd.DataFrame(rows)


def describe(spec: Design, image_size: int = 32) -> dict[str, Any]:
    """Totals: id, depth, family, parameters, macs, blocks and activation_mib for one image."""
    layers = layer_costs(spec, image_size)
    return {
        "id": spec.id,
        "depth": spec.depth,
        "family": spec.family,
        "parameters": int(layers["parameters"].sum()),
        "macs": int(layers["macs"].sum()),
        "blocks": int(layers["block"].max()) + 1,
        "activation_mib": round(float(layers["activation_mib"].sum()), 3),
    }


def block_costs(spec: Design, image_size: int = 32) -> pd.DataFrame:
    """One row for the stem, each block and the head, in order, for one image.

    Returns:
        Columns: part (stem, block 1, …, head), stage (0 outside stages), layer (the weighted layer at its
        end), convolutions (such as 3x3, 3x3), stride, shortcut (none, identity, padding, projection, gate),
        out_channels, out_height, out_width, parameters, macs, receptive_field (side of the square of input
        pixels that one output pixel can depend on; the whole image behind the pooling).
    """
    _check_size(image_size)
    net = _bare(spec)
    layers, blocks = _layers(net, spec, image_size), net.block_list()
    layers["part"] = [_part(name) for name in layers["name"]]
    costs = layers.groupby("part", sort=False)[["parameters", "macs"]].sum()
    # the last module to run in a part gave its output; a gate's or a projection's has the same shape
    shapes = layers.groupby("part", sort=False)[["out_channels", "out_height", "out_width"]].last()
    table = costs.join(shapes).reset_index(drop=True)
    parts = [net.stem, *(block.branch for block in blocks)]
    described = [_describe(part) for part in parts]
    head = [module for module in net.head.modules() if isinstance(module, nn.Linear)]
    ends = [1, *(1 + pd.Series([block.layers for block in blocks]).cumsum())]
    about = {
        "part": ["stem", *(f"block {number}" for number in range(1, len(blocks) + 1)), "head"],
        "stage": [0, *(block.stage for block in blocks), 0],
        "layer": [*ends, ends[-1] + len(head)],
        "convolutions": [*(text for text, _ in described), ""],
        "stride": [*(stride for _, stride in described), 1],
        "shortcut": ["none", *(_shortcut(block) for block in blocks), "none"],
    }
    fields = [*receptive_fields(parts), image_size]
    return pd.DataFrame(about).join(table).assign(receptive_field=fields)


def design_of(net: nn.Module) -> Design:
    """The spec of a net built here, or what is known of VGG."""
    if isinstance(net, VggNet):
        return net.about
    assert isinstance(net, StagedNet)
    return net.spec


def receptive_fields(parts: Sequence[nn.Module]) -> list[int]:
    """Side of the receptive field behind each of some parts that stand one after the other, in pixels.

    A window of k pixels, in steps of s, widens the field by k - 1 of the steps taken before it. Shortcuts
    widen nothing: the branch beside them sees at least as much.
    """
    side, step = 1, 1
    sides = []
    for part in parts:
        for module in part.modules():
            if isinstance(module, nn.Conv2d | nn.MaxPool2d):
                side += (_one(module.kernel_size) - 1) * step
                step *= _one(module.stride)
        sides.append(side)
    return sides


def _one(size: int | tuple[int, ...] | None) -> int:
    return size[0] if isinstance(size, tuple) else int(size or 1)


def _describe(part: nn.Module) -> tuple[str, int]:
    """The convolutions of a part in words, and its stride."""
    said, stride = [], 1
    for module in part.modules():
        if isinstance(module, nn.Conv2d | nn.MaxPool2d):
            side = _one(module.kernel_size)
            said.append(f"{side}x{side}" + (" max pooling" if isinstance(module, nn.MaxPool2d) else ""))
            stride *= _one(module.stride)
    return ", ".join(said), stride


def _shortcut(block: Block) -> str:
    if getattr(block, "gate", None) is not None:
        return "gate"
    if block.shortcut is None:
        return "none"
    if isinstance(block.shortcut, nn.Identity):
        return "identity"
    parts = list(block.shortcut.modules())
    return "padding" if any(isinstance(part, PadShortcut) for part in parts) else "projection"


def _part(name: str) -> str:
    parts = name.split(".")
    return parts[1] if parts[0] == "blocks" else parts[0]


def _bare(spec: Design) -> ImageNet:
    return (skeleton(spec) if isinstance(spec, NetSpec) else imagenet_skeleton(spec)).eval()


def _check_size(image_size: int) -> None:
    if not 4 <= image_size <= 1024:
        raise ValueError(f"image_size must lie between 4 and 1024 pixels, not {image_size}.")


def _place(name: str, stages: list[int]) -> tuple[int, int]:
    parts = name.split(".")
    if parts[0] != "blocks":
        return -1, 0
    return int(parts[1]), stages[int(parts[1])]


def _row_writer(rows: list[dict[str, Any]], name: str, place: tuple[int, int]) -> Any:
    def write(module: nn.Module, _inputs: tuple[Tensor, ...], output: Tensor) -> None:
        shape = tuple(output.shape[1:]) + (1,) * (4 - output.dim())
        rows.append(
            {
                "name": name,
                "kind": type(module).__name__,
                "block": place[0],
                "stage": place[1],
                "out_channels": shape[0],
                "out_height": shape[1],
                "out_width": shape[2],
                "parameters": sum(parameter.numel() for parameter in module.parameters()),
                "macs": _macs(module, output),
                "activation_mib": output.numel() * _BYTES_FP32 / _MIB,
            }
        )

    return write


def _macs(module: nn.Module, output: Tensor) -> int:
    if isinstance(module, nn.Conv2d):
        height, width = module.kernel_size
        return output.numel() * height * width * module.in_channels // module.groups
    if isinstance(module, nn.Linear):
        return output.numel() * module.in_features
    return 0
