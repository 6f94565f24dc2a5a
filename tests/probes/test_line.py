"""Gradients along a line: against a direct computation, beside noise of known kinds."""

import numpy as np
import pytest
import torch

from explorer.nets.build import build
from explorer.nets.identity import settle
from explorer.nets.spec import NetSpec
from explorer.probes.line import READ_OUT_SEED, gradients_along
from explorer.probes.strip import brown_noise, strip_of, white_noise


def ends():
    pictures = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(5))
    return pictures[0], pictures[1]


def test_each_step_is_the_gradient_of_the_read_out_at_that_point():
    net, statistics = build(NetSpec.parse("plain-8-w4"), 2).eval(), torch.rand(9, 3, 8, 8)
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    strip = gradients_along(net, ends(), statistics, steps=5)
    assert all(torch.equal(before[name], tensor) for name, tensor in net.state_dict().items())

    direct = build(NetSpec.parse("plain-8-w4"), 2).double()
    settle(direct, statistics.double())
    read = torch.randn(10, generator=torch.Generator().manual_seed(READ_OUT_SEED), dtype=torch.float64)
    first, last = (end.double() for end in ends())
    for step in range(5):
        point = ((1 - step / 4) * first + step / 4 * last)[None].requires_grad_(True)
        (direct(point) @ read).sum().backward()
        gradient = point.grad.flatten()
        assert strip.norms[step] == pytest.approx(float(gradient.norm()), rel=1e-9)
        assert strip.units[step] == pytest.approx((gradient / gradient.norm()).numpy(), abs=1e-9)


def test_a_trained_net_keeps_its_statistics():
    net = build(NetSpec.parse("plain-8-w4"), 2)
    settle(net, torch.rand(9, 3, 8, 8))
    found, other = (
        gradients_along(net, ends(), None, 4),
        gradients_along(net, ends(), torch.rand(9, 3, 8, 8), 4),
    )
    assert not np.allclose(found.norms, other.norms)


def test_white_noise_forgets_at_once_and_brown_noise_slowly():
    assert abs(white_noise(64).cosines()[1]) < 0.05
    brown = brown_noise(64).cosines()
    assert brown[1] > 0.95
    assert brown[1] > brown[4] > brown[16] > brown[64]


def test_a_gradient_of_zero_has_no_direction():
    strip = strip_of(np.array([[3.0, 4.0], [0.0, 0.0]]))
    assert strip.units.tolist() == [[0.6, 0.8], [0.0, 0.0]]
