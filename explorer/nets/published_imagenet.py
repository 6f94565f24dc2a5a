"""The ImageNet nets of Table 1, and the files that hold their published weights. Free of torch.

The weights are torchvision's IMAGENET1K_V1, which by its own words reproduce the paper's results closely.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from explorer.nets.layout import Layout
from explorer.nets.spec import BlockKind, NetSpec

Kind = Literal["residual", "plain", "vgg"]
IMAGE_SIZE = 224
WIDTHS = (64, 128, 256, 512)
CLASSES = 1000
VARIANT = (
    "torchvision's bottleneck has its stride on the 3x3 convolution, the paper's on the first 1x1: "
    "the “1.5” variant, with slightly more multiply-adds"
)


@dataclass(frozen=True, slots=True)
class PublishedNet:
    """One of Table 1's nets, its plain counterpart, or VGG-19.

    Attributes:
        id: torchvision's name, where torchvision has it.
        title: the name shown to people.
        layout: residual, plain, or vgg.
        depth: weighted layers.
        blocks: per stage; in VGG convolutions per stage.
        block: kind of block.
        norm: whether a BN follows each convolution.
        file: name of the published weights; it ends in the first 8 digits of their sha256. Empty: there
            are none.
        mib: size of that file.
    """

    id: str
    title: str
    layout: Kind
    depth: int
    blocks: tuple[int, ...]
    block: BlockKind = "basic"
    norm: bool = True
    file: str = ""
    mib: float = 0.0

    @property
    def family(self) -> str:
        """Plain or residual."""
        return "residual" if self.layout == "residual" else "plain"

    @property
    def spec(self) -> NetSpec | None:
        """The net as `build` makes it; None for VGG, which has neither stages of blocks nor one read-out."""
        if self.layout == "vgg":
            return None
        layout = Layout(
            self.blocks, WIDTHS, stem=WIDTHS[0], kernel=7, stride=2, pool=True,
            expansion=4 if self.block == "bottleneck" else 1,
        )  # fmt: skip
        residual = self.layout == "residual"
        return NetSpec(
            "residual" if residual else "plain", block=self.block, shortcut="B" if residual else "A",
            classes=CLASSES, layout=layout,
        )  # fmt: skip

    @property
    def sha256_start(self) -> str:
        """The first digits of the hash of the published file."""
        return self.file.removesuffix(".pth").rpartition("-")[2]

    @property
    def variant(self) -> str:
        """How the net departs from the paper's, or nothing."""
        return VARIANT if self.block == "bottleneck" else ""


_VGG = (2, 2, 4, 4, 4)
_ALL = (
    PublishedNet("resnet18", "ResNet-18", "residual", 18, (2, 2, 2, 2), "basic", True,
                 "resnet18-f37072fd.pth", 44.7),
    PublishedNet("resnet34", "ResNet-34", "residual", 34, (3, 4, 6, 3), "basic", True,
                 "resnet34-b627a593.pth", 83.3),
    PublishedNet("resnet50", "ResNet-50", "residual", 50, (3, 4, 6, 3), "bottleneck", True,
                 "resnet50-0676ba61.pth", 97.8),
    PublishedNet("resnet101", "ResNet-101", "residual", 101, (3, 4, 23, 3), "bottleneck", True,
                 "resnet101-63fe2227.pth", 170.5),
    PublishedNet("resnet152", "ResNet-152", "residual", 152, (3, 8, 36, 3), "bottleneck", True,
                 "resnet152-394f9c45.pth", 230.4),
    PublishedNet("vgg19", "VGG-19", "vgg", 19, _VGG, "basic", False, "vgg19-dcbb9e9d.pth", 548.1),
    PublishedNet("vgg19_bn", "VGG-19 with BN", "vgg", 19, _VGG, "basic", True,
                 "vgg19_bn-c79401a0.pth", 548.1),
    PublishedNet("plain18", "plain-18", "plain", 18, (2, 2, 2, 2)),
    PublishedNet("plain34", "plain-34", "plain", 34, (3, 4, 6, 3)),
)  # fmt: skip
PUBLISHED: dict[str, PublishedNet] = {net.id: net for net in _ALL}


def published(name: str) -> PublishedNet:
    """The net of that name.

    Raises:
        ValueError: there is none.
    """
    if name not in PUBLISHED:
        raise ValueError(
            f"'{name[:60]}' is not an ImageNet net of this explorer. Choose one of {', '.join(PUBLISHED)}."
        )
    return PUBLISHED[name]


def published_like(spec: NetSpec) -> PublishedNet | None:
    """The ImageNet net of that design, whatever its classes and channels; None if it is another's."""
    design = replace(spec, classes=CLASSES, in_channels=3)
    return next((net for net in PUBLISHED.values() if net.spec == design), None)
