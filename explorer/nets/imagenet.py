"""The ImageNet nets of Table 1: constants of the one builder, and VGG, which is built here.

torchvision's own modules add in place and use one ReLU twice, which breaks hooks and DeepLift; its weights
fit ours without loss. He et al. 2015, Table 1.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from explorer.nets.blocks import Block, ConvBlock
from explorer.nets.build import StagedNet, draw_weights
from explorer.nets.published_imagenet import CLASSES, PublishedNet

_VGG_WIDTHS = (64, 128, 256, 512, 512)
_FEATURES = 4096
_POOLED = 7


class VggNet(nn.Module):
    """VGG-19, the plain net that Table 1 is compared with, for photographs of 224x224 pixels.

    Attributes:
        about: what was built.
        stem: the first convolution.
        blocks: all other convolutions in order.
        head: what stands between the last block and the logits.
    """

    def __init__(self, about: PublishedNet) -> None:
        """Build the modules; `build_imagenet` also draws the weights."""
        super().__init__()
        self.about = about
        self.stem = _vgg_stem(about)
        self.blocks = nn.ModuleList(_vgg_blocks(about))
        self.head = _vgg_head()

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) -> logits (N, 1000)."""
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        return self.head(x)  # type: ignore[no-any-return]

    def block_list(self) -> list[Block]:
        """The blocks, typed."""
        return [block for block in self.blocks if isinstance(block, Block)]

    def responses(self) -> list[nn.Module]:
        """Every convolution's output, after BN where there is one."""
        first = self.stem[1] if self.about.norm else self.stem[0]
        return [first, *(module for block in self.block_list() for module in block.responses)]


ImageNet = StagedNet | VggNet


def _vgg_stem(about: PublishedNet) -> nn.Sequential:
    conv = nn.Conv2d(3, _VGG_WIDTHS[0], 3, padding=1)
    return nn.Sequential(conv, *([nn.BatchNorm2d(_VGG_WIDTHS[0])] if about.norm else []), nn.ReLU())


def _vgg_blocks(about: PublishedNet) -> list[Block]:
    made: list[Block] = []
    channels = _VGG_WIDTHS[0]
    for stage, (count, width) in enumerate(zip(about.blocks, _VGG_WIDTHS, strict=True), start=1):
        for index in range(1 if stage == 1 else 0, count):
            pooled = stage > 1 and index == 0
            made.append(ConvBlock(channels, width, stage, pooled=pooled, norm=about.norm))
            channels = width
    return made


def _vgg_head() -> nn.Sequential:
    sizes = (_VGG_WIDTHS[-1] * _POOLED**2, _FEATURES, _FEATURES)
    steps: list[nn.Module] = [nn.MaxPool2d(2), nn.AdaptiveAvgPool2d(_POOLED), nn.Flatten()]
    for features in sizes[:-1]:
        steps += [nn.Linear(features, _FEATURES), nn.ReLU(), nn.Dropout()]
    return nn.Sequential(*steps, nn.Linear(sizes[-1], CLASSES))


def imagenet_skeleton(about: PublishedNet) -> ImageNet:
    """The net without memory for its weights: for counting and checking."""
    spec = about.spec
    with torch.device("meta"):
        return VggNet(about) if spec is None else StagedNet(spec)


def build_imagenet(about: PublishedNet, seed: int = 0) -> ImageNet:
    """A net with fresh weights: He initialisation by fan-out, drawn from `seed` alone."""
    net = imagenet_skeleton(about).to_empty(device="cpu")
    draw_weights(net.stem, net.block_list(), net.head, torch.Generator().manual_seed(seed))
    return net
