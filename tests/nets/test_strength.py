"""Strength of shortcuts: 0 is the plain twin, 1 the net itself, between them the equation."""

import pytest
import torch

from explorer.nets.build import build
from explorer.nets.spec import NetSpec
from explorer.nets.strength import weaken

IMAGES = torch.rand(3, 3, 16, 16, generator=torch.Generator().manual_seed(7))


@pytest.mark.parametrize(("strength", "twin"), [(0.0, "plain-14-w4"), (1.0, "residual-14-w4")])
def test_the_ends_are_the_twins(strength, twin):
    net, other = build(NetSpec.parse("residual-14-w4"), 5), build(NetSpec.parse(twin), 5)
    weaken(net, strength)
    torch.testing.assert_close(net(IMAGES), other(IMAGES))
    assert list(net.state_dict()) == list(other.state_dict())


def test_half_a_shortcut_is_added():
    net = build(NetSpec.parse("residual-8-w4"), 5).eval()
    weaken(net, 0.5)
    block, x = net.block_list()[0], torch.rand(2, 4, 8, 8)
    torch.testing.assert_close(block(x), torch.relu(block.branch(x) + 0.5 * x))


def test_what_cannot_be_weakened_is_refused():
    with pytest.raises(ValueError, match="no shortcuts to weaken"):
        weaken(build(NetSpec.parse("plain-8-w4")), 0.5)
    with pytest.raises(ValueError, match="give 0"):
        weaken(build(NetSpec.parse("residual-8-w4")), 1.5)
