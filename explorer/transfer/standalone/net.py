"""The net and its first weights."""

import math
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from explorer.nets.blocks import BlockPlace
from explorer.transfer.standalone.blocks import FamilyBlock
from explorer.transfer.standalone.settings import NET, SEED

LAYOUT: Any = SimpleNamespace(**NET["layout"])


class Net(nn.Module):
    """Stem, stages of blocks, global average pool, linear read-out (He et al. 2015)."""

    def __init__(self) -> None:
        super().__init__()
        wide, kernel, bias = LAYOUT.stem, LAYOUT.kernel, LAYOUT.conv_bias
        stem = [nn.Conv2d(NET["in_channels"], wide, kernel, LAYOUT.stride, kernel // 2, bias=bias)]
        stem += [nn.BatchNorm2d(wide), nn.ReLU()] if LAYOUT.stem_norm else []
        self.stem = nn.Sequential(*stem, *([nn.MaxPool2d(3, 2, 1)] if LAYOUT.pool else []))
        self.blocks = nn.ModuleList(FamilyBlock.at(place) for place in places())
        features = LAYOUT.channels[-1] * LAYOUT.expansion
        head = [nn.BatchNorm2d(features), nn.ReLU()] if NET["head_norm"] else []
        read_out = nn.Linear(features, NET["classes"])
        self.head = nn.Sequential(*head, nn.AdaptiveAvgPool2d(1), nn.Flatten(), read_out)

    def forward(self, x: Tensor, alive: np.ndarray | None = None) -> Tensor:
        x = self.stem(x)
        blocks: list[Any] = list(self.blocks)
        for number, block in enumerate(blocks):
            # a branch that is left out of a step (stochastic depth) leaves the shortcut alone
            x = block(x) if alive is None or alive[number] else block.bypass(x)
        return self.head(x)


def places() -> Iterator[BlockPlace]:
    """Each block's shape and place, in order."""
    channels = LAYOUT.stem
    for stage, (count, width) in enumerate(zip(NET["block_counts"], LAYOUT.channels, strict=True), start=1):
        for index in range(count):
            first, stride = stage == 1 and not index, 2 if stage > 1 and not index else 1
            shape = (channels, width, width * LAYOUT.expansion)
            option = "C" if first and LAYOUT.project_first and NET["shortcut"] == "B" else NET["shortcut"]
            shortcut: Any = option if NET["has_shortcut"] else None
            yield BlockPlace(NET["block"], shape, stride, stage, shortcut, LAYOUT, NET["options"])
            channels = shape[-1]


def initialise(net: Net) -> None:
    """He initialisation by fan-out; projections and gates last, so that twins start from the same weights."""
    generator = torch.Generator().manual_seed(SEED)
    blocks: list[Any] = list(net.blocks)
    parts: list[nn.Module] = [net.stem, *(block.branch for block in blocks), net.head]
    parts += [part for block in blocks for part in block.beside()]
    for module in (module for part in parts for module in part.modules()):
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu", generator=generator)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.Linear):
            bound = 1 / math.sqrt(module.in_features)
            nn.init.uniform_(module.weight, -bound, bound, generator=generator)
            nn.init.zeros_(module.bias)
    for block in blocks:
        block.start()
