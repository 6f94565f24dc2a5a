"""Signal and gradient through all blocks: equal to autograd by hand, and the net is left as it was."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from explorer.nets.build import build
from explorer.nets.spec import NetSpec
from explorer.probes.signal_propagation import read_signal

FAMILIES = ["plain", "residual", "preact", "highway"]


def batch():
    generator = torch.Generator().manual_seed(3)
    return torch.rand(6, 1, 8, 8, generator=generator, dtype=torch.float64), torch.arange(6)


def small(family, depth=14):
    return build(NetSpec(family, depth, width=4, in_channels=1), 1).double()


@pytest.mark.parametrize("family", FAMILIES)
def test_stds_and_gradients_equal_autograd_by_hand(family):
    net, (images, labels) = small(family), batch()
    table = read_signal(net, images, labels)

    x, outputs = net.train().stem(images), []
    for block in net.block_list():
        x = block(x)
        outputs.append(x)
    loss = functional.cross_entropy(net.head(x), labels)
    gradients = torch.autograd.grad(loss, outputs, retain_graph=True)
    loss.backward()

    for row, output, gradient, block in zip(
        table.to_dict("records"), outputs, gradients, net.block_list(), strict=True
    ):
        assert row["output_std"] == pytest.approx(float(output.detach().std()))
        assert row["output_gradient_norm"] == pytest.approx(float(gradient.norm()))
        squares = sum(float(p.grad.square().sum()) for p in block.parameters())
        assert row["gradient_norm"] == pytest.approx(squares**0.5)


@pytest.mark.parametrize("fails", [False, True])
def test_modes_statistics_gradients_and_hooks_are_as_before(fails):
    net, (images, labels) = small("residual").eval(), batch()
    functional.cross_entropy(net(images), labels).backward()
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    gradients = [parameter.grad for parameter in net.parameters()]

    if fails:
        with pytest.raises((RuntimeError, IndexError)):
            read_signal(net, images, labels + 100)
    else:
        read_signal(net, images, labels)

    assert not any(module.training for module in net.modules())
    assert all(a is b.grad for a, b in zip(gradients, net.parameters(), strict=True))
    assert all(torch.equal(before[name], tensor) for name, tensor in net.state_dict().items())
    assert not any(module._forward_hooks for module in net.modules())


def test_in_double_precision_no_norm_of_a_very_deep_plain_net_overflows():
    net, (images, labels) = small("plain", 302), batch()
    table = read_signal(net, images, labels)

    assert len(table) == 150
    assert table.notna().all().all()
    assert table["output_gradient_norm"].iloc[0] > 1e6 * table["output_gradient_norm"].iloc[-1]


@pytest.mark.parametrize("depth", [1001, 1202])
def test_a_thousand_layers_can_be_built_and_hold_their_blocks(depth):
    spec = NetSpec("preact", depth, width=1, in_channels=1, block="bottleneck" if depth == 1001 else "basic")
    net = build(spec)

    assert len(net.block_list()) == (333 if depth == 1001 else 600)
    assert sum(isinstance(module, nn.Conv2d) for module in net.modules()) >= depth - 1
