"""The published CIFAR-10 nets of Table 6, and the files that hold their weights. Free of torch.

They are those of akamaster/pytorch_resnet_cifar10 (Yerlan Idelbayev, BSD 2-clause licence): option A with the
new channels on both sides of the old, inputs on ImageNet's scale, trained on all 50,000 training images.
"""

from __future__ import annotations

from dataclasses import dataclass

from explorer.nets.cost_formula import totals
from explorer.nets.normalisation import Normalisation
from explorer.nets.spec import NetSpec

PUBLISHER = "akamaster/pytorch_resnet_cifar10"
LICENCE = "BSD 2-clause, © 2018 Yerlan Idelbayev"
SCALE = Normalisation((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
IMAGE_SIZE = 32
_RAW = f"https://raw.githubusercontent.com/{PUBLISHER}/master/pretrained_models/"
_BYTES_PER_LAYER = 1_000  # names, shapes and BN statistics beside the parameters
_MIB = 2**20


@dataclass(frozen=True, slots=True)
class PublishedCifarNet:
    """One of Table 6's nets as somebody else trained it.

    Attributes:
        id: the publisher's name, such as resnet20.
        depth: weighted layers.
        digits: the first 8 digits of the sha256 of its file, which the file's name ends in.
        error_pct: test error in per cent, as its publisher states it.
    """

    id: str
    depth: int
    digits: str
    error_pct: float

    @property
    def title(self) -> str:
        """The name shown to people."""
        return f"ResNet-{self.depth}"

    @property
    def spec_id(self) -> str:
        """Id of the same net here."""
        return f"residual-{self.depth}"

    @property
    def file(self) -> str:
        """Name of the file."""
        return f"{self.id}-{self.digits}.th"

    @property
    def sha256_start(self) -> str:
        """The first digits of the file's hash."""
        return self.digits

    @property
    def mib(self) -> float:
        """Size of the file, about."""
        return (4 * totals(NetSpec.parse(self.spec_id)).parameters + _BYTES_PER_LAYER * self.depth) / _MIB

    @property
    def address(self) -> str:
        """Where its publisher keeps the file."""
        return _RAW + self.file


_ALL = (
    PublishedCifarNet("resnet20", 20, "12fca82f", 8.27),
    PublishedCifarNet("resnet32", 32, "d509ac18", 7.37),
    PublishedCifarNet("resnet44", 44, "014dd654", 6.90),
    PublishedCifarNet("resnet56", 56, "4bfd9763", 6.61),
    PublishedCifarNet("resnet110", 110, "1d1ed7c2", 6.32),
    PublishedCifarNet("resnet1202", 1202, "f3b1deed", 6.18),
)
PUBLISHED_CIFAR: dict[str, PublishedCifarNet] = {net.id: net for net in _ALL}


def published_cifar(name: str) -> PublishedCifarNet:
    """The net of that name.

    Raises:
        ValueError: there is none.
    """
    if name not in PUBLISHED_CIFAR:
        raise ValueError(
            f"'{name[:60]}' is not one of the published CIFAR-10 nets: {', '.join(PUBLISHED_CIFAR)}."
        )
    return PUBLISHED_CIFAR[name]
