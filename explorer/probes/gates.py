"""The openness of a highway net's gates: T(x) of each layer, Srivastava et al. 2015."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import cast

import pandas as pd
import torch
from torch import Tensor, nn

from explorer.nets.blocks import HighwayBlock
from explorer.nets.loaded_net import ProbedNet

_BATCH = 250
_LOW, _HIGH = 0.05, 0.95


def check_gates(net: nn.Module) -> None:
    """Raise ValueError where a net has no gate."""
    blocks = cast(ProbedNet, net).block_list()
    if not any(isinstance(block, HighwayBlock) and block.gate is not None for block in blocks):
        raise ValueError("This net has no gates. Choose a highway net.")


def openness(net: nn.Module, images: Tensor) -> dict[int, Tensor]:
    """T(x) = sigmoid(W x + b) of each layer that has a gate, by its number from 0: (N, C, H, W), 0 to 1.

    Args:
        net: highway, in eval mode; left as it is.
        images: normalised, (N, C, H, W).

    Raises:
        ValueError: the net has no gate.
    """
    check_gates(net)
    with torch.no_grad():
        return dict(_gates(cast(ProbedNet, net), images))


def by_layer(net: nn.Module, images: Tensor) -> pd.DataFrame:
    """How far the gates of each layer are open, over all images, channels and pixels.

    Returns:
        Per gate: block, stage, mean, low and high (5th and 95th percentile), 0 to 1, and bias, its mean.

    Raises:
        ValueError: the net has no gate.
    """
    parts: dict[int, list[Tensor]] = {}
    blocks = cast(ProbedNet, net).block_list()
    for batch in torch.split(images, _BATCH):
        for number, opened in openness(net, batch).items():
            parts.setdefault(number, []).append(opened.flatten())
    rows = []
    for number, found in parts.items():
        block, values = blocks[number], torch.cat(found)
        assert isinstance(block, HighwayBlock)
        assert block.gate is not None
        assert block.gate.bias is not None
        ordered = values.sort().values
        low, high = (float(ordered[int(part * (len(ordered) - 1))]) for part in (_LOW, _HIGH))
        rows.append(
            {
                "block": number + 1, "stage": block.stage, "mean": float(values.double().mean()),
                "low": low, "high": high, "bias": float(block.gate.bias.detach().mean()),
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def carried(table: pd.DataFrame) -> float:
    """What all carry gates together let pass of x where each is open as far as its layer's mean."""
    share: float = math.prod(1 - mean for mean in table["mean"].tolist())
    return share


def _gates(net: ProbedNet, images: Tensor) -> Iterator[tuple[int, Tensor]]:
    x = net.stem(images)
    for number, block in enumerate(net.block_list()):
        if isinstance(block, HighwayBlock) and block.gate is not None:
            yield number, torch.sigmoid(block.gate(x))
        x = block(x)
