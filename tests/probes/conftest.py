"""Small nets to look at: ResNets of width 4, untrained, with BN statistics of their own; a linear one."""

import pytest
import torch
from torch import nn

from explorer.nets.build import build
from explorer.nets.loaded_net import LoadedNet
from explorer.nets.normalisation import Normalisation
from explorer.nets.spec import NetSpec

NORMALISATION = Normalisation((0.4, 0.5, 0.6), (0.25, 0.25, 0.25))


def loaded(text):
    net = build(NetSpec.parse(text), seed=3)
    generator = torch.Generator().manual_seed(4)
    with torch.no_grad():
        for name, buffer in net.named_buffers():
            if name.endswith("running_mean"):
                buffer.normal_(0, 0.1, generator=generator)
            elif name.endswith("running_var"):
                buffer.uniform_(0.5, 2, generator=generator)
    classes = tuple(f"class {number}" for number in range(10))
    return LoadedNet(text, text, net.eval(), NORMALISATION, classes, 16, False, "drawn in a test")


@pytest.fixture(scope="session")
def small():
    """ResNet-8 of width 4; tests must leave it as it was."""
    return loaded("residual-8-w4")


@pytest.fixture
def open_small():
    """Makes another small net."""
    return loaded


@pytest.fixture(scope="session")
def picture(small):
    """One normalised picture, (1, 3, 16, 16)."""
    return small.normalised(torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(5)))


class LinearNet(nn.Module):
    """A net that is linear in its picture, with the parts that a probe counts on."""

    def __init__(self, seed=123):
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.stem = nn.Identity()
        self.head = nn.Sequential(nn.Flatten(), nn.Linear(2 * 4 * 4, 3))
        with torch.no_grad():
            self.head[1].weight.copy_(torch.randn(3, 32, generator=generator))

    def block_list(self):
        return []

    def responses(self):
        return []

    def forward(self, x):
        return self.head(self.stem(x))


@pytest.fixture(scope="module")
def linear():
    plain = Normalisation((0.5, 0.5), (0.25, 0.25))
    return LoadedNet("linear", "linear", LinearNet(), plain, ("a", "b", "c"), 4, False, "drawn in a test")


@pytest.fixture(scope="module")
def spot():
    return torch.randn(1, 2, 4, 4, generator=torch.Generator().manual_seed(1))
