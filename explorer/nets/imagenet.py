"""How are the ImageNet nets built? Of the same blocks as the small ones, so that every probe can read them.

torchvision's own modules add in place and use one ReLU twice, which breaks hooks and DeepLift; its weights
fit ours without loss. He et al. 2015, Table 1.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from explorer.nets.blocks import Block, ConvBlock, PostActBlock
from explorer.nets.build import draw_weights
from explorer.nets.published import CLASSES, PublishedNet
from explorer.nets.spec import Shortcut

_WIDTHS = (64, 128, 256, 512)
_VGG_WIDTHS = (64, 128, 256, 512, 512)
_FEATURES = 4096
_POOLED = 7


class ImageNet(nn.Module):
    """A net for photographs of 224x224 pixels and 1,000 classes.

    Attributes:
        about: what was built.
        stem: what stands before the first block; VGG's first convolution.
        blocks: all blocks in order; VGG's other convolutions.
        head: what stands between the last block and the logits.
    """

    def __init__(self, about: PublishedNet) -> None:
        """Build the modules; `build_imagenet` also draws the weights."""
        super().__init__()
        self.about = about
        vgg = about.layout == "vgg"
        self.stem = _vgg_stem(about) if vgg else _stem()
        self.blocks = nn.ModuleList(_vgg_blocks(about) if vgg else _blocks(about))
        self.head = _vgg_head() if vgg else _head(about)

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
        """The stem's and every 3x3 convolution's output, after BN where there is one."""
        first = self.stem[1] if self.about.norm else self.stem[0]
        return [first, *(module for block in self.block_list() for module in block.responses)]


def _stem() -> nn.Sequential:
    conv = nn.Conv2d(3, _WIDTHS[0], 7, stride=2, padding=3, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(_WIDTHS[0]), nn.ReLU(), nn.MaxPool2d(3, stride=2, padding=1))


def _blocks(about: PublishedNet) -> list[Block]:
    made: list[Block] = []
    channels = _WIDTHS[0]
    expansion = 4 if about.block == "bottleneck" else 1
    for stage, (count, width) in enumerate(zip(about.blocks, _WIDTHS, strict=True), start=1):
        for index in range(count):
            stride = 2 if stage > 1 and index == 0 else 1
            inside = (channels, width, width * expansion)
            shortcut: Shortcut | None = "B" if about.layout == "residual" else None
            made.append(PostActBlock(about.block, inside, stride, stage, shortcut))
            channels = width * expansion
    return made


def _head(about: PublishedNet) -> nn.Sequential:
    features = _WIDTHS[-1] * (4 if about.block == "bottleneck" else 1)
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(features, CLASSES))


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
    with torch.device("meta"):
        return ImageNet(about)


def build_imagenet(about: PublishedNet, seed: int = 0) -> ImageNet:
    """A net with fresh weights: He initialisation by fan-out, drawn from `seed` alone."""
    net = imagenet_skeleton(about).to_empty(device="cpu")
    draw_weights(net.stem, net.block_list(), net.head, torch.Generator().manual_seed(seed))
    return net
