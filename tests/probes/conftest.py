"""Small nets to look at: width 4, eight layers, untrained but with BN statistics of their own."""

import pytest
import torch

from explorer.nets.build import build
from explorer.nets.loaded import LoadedNet
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
