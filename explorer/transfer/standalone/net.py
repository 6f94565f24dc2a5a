"""The net and its first weights."""

import math

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from explorer.transfer.standalone.settings import NET, SEED


class Pad(nn.Module):
    """Shortcut A: every second pixel, new channels zero."""

    def __init__(self, more: int, stride: int) -> None:
        super().__init__()
        self.more, self.stride = more, stride

    def forward(self, x: Tensor) -> Tensor:
        x = x[:, :, :: self.stride, :: self.stride] if self.stride > 1 else x
        return functional.pad(x, (0, 0, 0, 0, 0, self.more))


class Block(nn.Module):
    """ReLU(F(x) + shortcut(x)); in a plain net ReLU(F(x)); with pre-activation F(x) + shortcut(x)."""

    def __init__(self, channels: tuple[int, int, int], stride: int) -> None:
        super().__init__()
        inside, width, outside = channels
        convs = [conv(inside, width, 3, stride), conv(width, outside, 3)]
        if NET["block"] == "bottleneck":
            convs = [conv(inside, width, 1), conv(width, width, 3, stride), conv(width, outside, 1)]
        preact = NET["family"] == "preact"
        steps: list[nn.Module] = []
        for layer in convs:
            steps += [nn.BatchNorm2d(layer.in_channels), nn.ReLU(), layer] if preact else []
            steps += [] if preact else [layer, nn.BatchNorm2d(layer.out_channels), nn.ReLU()]
        self.branch = nn.Sequential(*(steps if preact else steps[:-1]))
        self.shortcut = (
            None if NET["family"] == "plain" else shortcut(inside, outside, stride, norm=not preact)
        )
        self.relu = nn.Identity() if preact else nn.ReLU()

    def forward(self, x: Tensor, alive: bool = True) -> Tensor:
        if self.shortcut is None:
            return self.relu(self.branch(x))
        # a branch that is left out of a step (stochastic depth) leaves the shortcut alone
        return self.relu(self.branch(x) + self.shortcut(x) if alive else self.shortcut(x))


class HighwayBlock(nn.Module):
    """H(x) T(x) + x (1 - T(x)); plain where the shape changes."""

    def __init__(self, inside: int, width: int, stride: int) -> None:
        super().__init__()
        self.branch = nn.Sequential(conv(inside, width, 3, stride), nn.BatchNorm2d(width), nn.ReLU())
        self.shortcut = None
        same = inside == width and stride == 1
        self.gate = nn.Conv2d(inside, width, 3, padding=1) if same else None

    def forward(self, x: Tensor, alive: bool = True) -> Tensor:
        transformed = self.branch(x)
        if self.gate is None:
            return transformed
        openness = torch.sigmoid(self.gate(x))
        return transformed * openness + x * (1 - openness)


class Net(nn.Module):
    """3x3 stem, three stages of blocks, global average pool, linear read-out (He et al. 2015)."""

    def __init__(self) -> None:
        super().__init__()
        width, expansion = NET["width"], 4 if NET["block"] == "bottleneck" else 1
        per_stage = (NET["depth"] - 2) // (9 if expansion == 4 else 6)
        bare = [conv(NET["in_channels"], width, 3)]
        full = [*bare, nn.BatchNorm2d(width), nn.ReLU()]
        self.stem = nn.Sequential(*(bare if NET["family"] == "preact" else full))
        blocks, channels = [], width
        for stage in range(3):
            inner = width * 2**stage
            for index in range(per_stage * (2 if NET["family"] == "highway" else 1)):
                stride = 2 if stage and not index else 1
                outside = inner * expansion
                block = Block((channels, inner, outside), stride) if NET["family"] != "highway" else None
                blocks.append(block or HighwayBlock(channels, inner, stride))
                channels = outside
        self.blocks = nn.ModuleList(blocks)
        head = [nn.BatchNorm2d(channels), nn.ReLU()] if NET["family"] == "preact" else []
        read_out = nn.Linear(channels, NET["classes"])
        self.head = nn.Sequential(*head, nn.AdaptiveAvgPool2d(1), nn.Flatten(), read_out)

    def forward(self, x: Tensor, alive: np.ndarray | None = None) -> Tensor:
        x = self.stem(x)
        for number, block in enumerate(self.blocks):
            x = block(x, alive is None or bool(alive[number]))
        return self.head(x)


def conv(inside: int, outside: int, size: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inside, outside, size, stride=stride, padding=size // 2, bias=False)


def shortcut(inside: int, outside: int, stride: int, *, norm: bool) -> nn.Module:
    same = inside == outside and stride == 1
    if NET["shortcut"] == "C" or (NET["shortcut"] == "B" and not same):
        projection = conv(inside, outside, 1, stride)
        return nn.Sequential(projection, nn.BatchNorm2d(outside)) if norm else projection
    return nn.Identity() if same else Pad(outside - inside, stride)


def initialise(net: Net) -> None:
    """He initialisation by fan-out; projections and gates last, so that twins start from the same weights."""
    generator = torch.Generator().manual_seed(SEED)
    parts: list[nn.Module | None] = [net.stem, *(block.branch for block in net.blocks), net.head]
    for block in net.blocks:
        parts += [block.shortcut, getattr(block, "gate", None)]
    for module in (module for part in parts if part is not None for module in part.modules()):
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu", generator=generator)
            if module.bias is not None:  # a gate's
                nn.init.constant_(module.bias, NET["gate_bias"])
        elif isinstance(module, nn.Linear):
            bound = 1 / math.sqrt(module.in_features)
            nn.init.uniform_(module.weight, -bound, bound, generator=generator)
            nn.init.zeros_(module.bias)
