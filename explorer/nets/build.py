"""From a spec to a net: one builder for CIFAR's nets (section 4.2), ImageNet's (Table 1) and all between."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from explorer.nets import blocks as block_classes
from explorer.nets.blocks import Block, BlockPlace
from explorer.nets.layout import Layout
from explorer.nets.spec import NetSpec, Shortcut

Through = Callable[[int, Block, Tensor], Tensor]


class StagedNet(nn.Module):
    """Stem, stages of blocks, global average pool, linear read-out.

    Attributes:
        spec: what was built.
        stem: first convolution with its BN and ReLU (bare in a pre-activation net), and a pooling if any.
        blocks: all blocks in order; see `explorer.nets.blocks.Block`.
        head: what stands between the last block and the logits.
    """

    def __init__(self, spec: NetSpec) -> None:
        """Build the modules; `build` also draws the weights."""
        super().__init__()
        self.spec = spec
        layout = spec.design
        self.stem = nn.Sequential(*_stem(spec.in_channels, layout))
        self.blocks = nn.ModuleList(_blocks(spec, layout))
        features = layout.outputs[-1]
        activated = spec.traits.pre_activation and layout.last_norm
        head: list[nn.Module] = [nn.BatchNorm2d(features), nn.ReLU()] if activated else []
        self.head = nn.Sequential(
            *head, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(features, spec.classes)
        )

    def forward(self, x: Tensor, through: Through | None = None) -> Tensor:
        """(N, in_channels, H, W) -> logits (N, classes).

        Args:
            x: images.
            through: takes the place of calling a block, given its number from 0, itself and its input.
        """
        x = self.stem(x)
        for index, block in enumerate(self.block_list()):
            x = block(x) if through is None else through(index, block, x)
        return self.head(x)  # type: ignore[no-any-return]

    def block_list(self) -> list[Block]:
        """The blocks, typed."""
        return [block for block in self.blocks if isinstance(block, Block)]

    def responses(self) -> list[nn.Module]:
        """The modules whose outputs are Figure 7's layer responses, in layer order."""
        first = self.stem[1] if self.spec.design.stem_norm else self.stem[0]
        return [first, *(module for block in self.block_list() for module in block.responses)]


CifarNet = StagedNet
"""The name by which training knows the class: it trains the nets of section 4.2."""


def _stem(in_channels: int, layout: Layout) -> list[nn.Module]:
    conv = nn.Conv2d(
        in_channels, layout.stem, layout.kernel, layout.stride, layout.kernel // 2, bias=layout.conv_bias
    )
    steps: list[nn.Module] = [conv]
    if layout.stem_norm:
        steps += [nn.BatchNorm2d(layout.stem), nn.ReLU()]
    return [*steps, nn.MaxPool2d(3, 2, 1)] if layout.pool else steps


def _blocks(spec: NetSpec, layout: Layout) -> list[Block]:
    made: list[Block] = []
    channels = layout.stem
    stages = zip(spec.block_counts, layout.channels, layout.outputs, strict=True)
    for stage, (count, width, output) in enumerate(stages, start=1):
        for index in range(count):
            stride = 2 if stage > 1 and index == 0 else 1
            made.append(_block(spec, layout, (channels, width, output), stride, stage, first=not made))
            channels = output
    return made


def _block(
    spec: NetSpec, layout: Layout, channels: tuple[int, int, int], stride: int, stage: int, *, first: bool
) -> Block:
    option: Shortcut = "C" if first and layout.project_first and spec.shortcut == "B" else spec.shortcut
    shortcut = option if spec.traits.shortcut else None
    options = {name: getattr(spec, name) for name in spec.traits.options}
    made: type[Block] = getattr(block_classes, spec.traits.block_class)
    return made.at(BlockPlace(spec.block, channels, stride, stage, shortcut, layout, options))


def skeleton(spec: NetSpec) -> StagedNet:
    """The net without memory for its weights (torch's meta device): for counting and checking."""
    with torch.device("meta"):
        return StagedNet(spec)


def build(spec: NetSpec, seed: int = 0) -> StagedNet:
    """A net with fresh weights: He initialisation by fan-out, drawn from `seed` alone.

    The stem, the branches and the read-out are drawn before projections and gates, so that nets
    of one depth and width start from the same weights whatever their shortcuts.
    """
    net = skeleton(spec).to_empty(device="cpu")
    draw_weights(net.stem, net.block_list(), net.head, torch.Generator().manual_seed(seed))
    return net


def draw_weights(
    stem: nn.Module, blocks: Sequence[Block], head: nn.Module, generator: torch.Generator
) -> None:
    """He initialisation of a whole net: stem, branches and read-out, then projections and gates."""
    first: list[nn.Module] = [stem, *(block.branch for block in blocks), head]
    second = [module for block in blocks for module in block.beside()]
    for part in first + second:
        for module in part.modules():
            _draw(module, generator)
    for block in blocks:
        block.start()


def _draw(module: nn.Module, generator: torch.Generator) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu", generator=generator)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, nn.Linear):
        bound = 1 / math.sqrt(module.in_features)
        nn.init.uniform_(module.weight, -bound, bound, generator=generator)
        nn.init.zeros_(module.bias)
    elif isinstance(module, nn.BatchNorm2d):
        module.reset_parameters()


def draw(part: nn.Module, generator: torch.Generator) -> None:
    """Draw new weights for all modules in a part of a net; BN starts as at initialisation."""
    for module in part.modules():
        _draw(module, generator)
