"""What does a net cost? Parameters, multiply-adds, shapes and memory, layer by layer.

The net is run once on torch's meta device: shapes are propagated, nothing is computed or stored.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
import torch
from torch import Tensor, nn

from explorer.nets.build import skeleton
from explorer.nets.spec import NetSpec

_BYTES_FP32 = 4
_MIB = 2**20
_FREE = (nn.Identity, nn.Flatten)


def layer_costs(spec: NetSpec, image_size: int = 32) -> pd.DataFrame:
    """One row per layer, in the order of the forward pass, for one image.

    Returns:
        Columns: name, kind, block (-1 outside blocks), stage (0 outside), out_channels, out_height,
        out_width, parameters, macs (multiply-adds of convolutions and the read-out; the paper calls
        them FLOPs), activation_mib (the layer's output in fp32).

    Raises:
        ValueError: `image_size` is too small for two halvings, or too large to be meant.
    """
    if not 4 <= image_size <= 1024:
        raise ValueError(f"image_size must lie between 4 and 1024 pixels, not {image_size}.")
    net = skeleton(spec).eval()
    stages = [block.stage for block in net.block_list()]
    rows: list[dict[str, Any]] = []
    handles = []
    for name, module in net.named_modules():
        if not any(module.children()) and not isinstance(module, _FREE):
            handles.append(module.register_forward_hook(_row_writer(rows, name, _place(name, stages))))
    image = torch.empty(1, spec.in_channels, image_size, image_size, device="meta")
    with torch.no_grad():
        net(image)
    for handle in handles:
        handle.remove()
    return pd.DataFrame(rows)


def describe(spec: NetSpec, image_size: int = 32) -> dict[str, Any]:
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
