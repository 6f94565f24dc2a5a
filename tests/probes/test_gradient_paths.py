"""Paths: the parts add up to the true gradient, and single paths add up to the parts."""

from itertools import combinations

import pytest
import torch

from explorer.nets.build import build
from explorer.nets.identity import settle
from explorer.nets.spec import NetSpec
from explorer.probes.lengths import binomial, mean_length, middle
from explorer.probes.paths import check_paths, paths, sampled, true_gradient

NETS = ["residual-14-w4", "residual-14-B-w4", "residual-8-C-w4", "preact-14-w4", "residual-11-bottleneck-w4"]


def net_of(text):
    net = build(NetSpec.parse(text), 4)
    settle(net, torch.rand(16, 3, 16, 16, generator=torch.Generator().manual_seed(1)))
    return net


IMAGES = torch.rand(3, 3, 16, 16, generator=torch.Generator().manual_seed(2))
LABELS = torch.tensor([1, 5, 9])


@pytest.mark.parametrize("text", NETS)
def test_the_parts_add_up_to_the_gradient(text):
    net = net_of(text)
    found, true = paths(net, IMAGES, LABELS), true_gradient(net, IMAGES, LABELS)
    assert len(found.parts) == len(net.block_list()) + 1
    assert float((found.parts.sum(0) - true).abs().max() / true.abs().max()) < 1e-6
    assert sum(found.signed) == pytest.approx(1, abs=1e-5)
    assert sum(found.shares) == pytest.approx(1)


def test_a_part_is_the_sum_of_its_paths():
    """Each of the 2^3 paths of ResNet-8 by itself, masks held as the images set them."""
    net = net_of("residual-8-w4")
    found = paths(net, IMAGES, LABELS)
    blocks, inputs = net.block_list(), []
    with torch.no_grad():
        x = net.stem(IMAGES)
        for block in blocks:
            inputs.append(x)
            x = block(x)
    last = x.requires_grad_(True)
    start = torch.autograd.grad(
        torch.nn.functional.cross_entropy(net.head(last), LABELS, reduction="sum"), last
    )[0]
    for k in range(4):
        total = torch.zeros_like(inputs[0])
        for through in combinations(range(3), k):
            back = start
            for number in (2, 1, 0):
                x = inputs[number].detach().requires_grad_(True)
                branch, around = blocks[number].branch(x), blocks[number].shortcut(x)
                way = branch if number in through else around * 1
                back = torch.autograd.grad(way, x, back * (branch + around > 0))[0]
            total += back
        torch.testing.assert_close(found.parts[k], total, atol=1e-6, rtol=1e-4)


def test_where_only_one_path_has_that_length_the_sample_is_exact():
    net = net_of("residual-8-w4")
    shares, exact = sampled(net, IMAGES, LABELS, draws=2), paths(net, IMAGES, LABELS).norms
    assert shares[0] / shares[3] == pytest.approx(exact[0] / exact[3], rel=1e-4)
    assert sum(shares) == pytest.approx(1)


@pytest.mark.parametrize("text", ["plain-8-w4", "highway-8-w4"])
def test_nets_without_shortcuts_are_refused(text):
    with pytest.raises(ValueError, match="Choose a residual net"):
        check_paths(build(NetSpec.parse(text)))


def test_lengths_in_numbers():
    assert binomial(2) == [0.25, 0.5, 0.25]
    assert mean_length([0.25, 0.5, 0.25]) == 1
    assert middle(binomial(54)) == (20, 34)
    assert middle([0.0, 0.96, 0.04]) == (1, 2)
    assert middle([1.0]) == (0, 0)
