"""The folded copy computes what the net computes, is nobody else's, and answers to probes as the net does."""

import pytest
import torch
from torch import nn

from explorer.nets.imagenet import build_imagenet
from explorer.nets.published_imagenet import published
from explorer.probes.folded import folded
from explorer.probes.responses import ResponseProbe

FAMILIES = [
    "plain-14-w4", "residual-14-w4", "residual-14-B-w4", "preact-14-w4", "highway-14-w4",
    "residual-11-bottleneck-w4", "preact-11-bottleneck-w4",
]  # fmt: skip


def images(count=6, size=16):
    return torch.randn(count, 3, size, size, generator=torch.Generator().manual_seed(2))


@torch.no_grad()
@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("text", FAMILIES)
def test_its_logits_are_the_nets(open_small, text, overwrite):
    net = open_small(text).net
    torch.testing.assert_close(
        folded(net, overwrite=overwrite)(images()), net(images()), rtol=1e-4, atol=1e-4
    )


@pytest.mark.parametrize("text", FAMILIES)
def test_a_probe_reads_the_same_from_it(open_small, text):
    net = open_small(text).net
    direct = ResponseProbe(net, cosine=True).measure(images().split(4))
    through = ResponseProbe(folded(net, overwrite=True), cosine=True).measure(images().split(4))

    for one, other in ((direct.blocks, through.blocks), (direct.layers, through.layers)):
        assert other.to_numpy(float) == pytest.approx(one.to_numpy(float), rel=1e-4, abs=1e-5, nan_ok=True)


@torch.no_grad()
@pytest.mark.parametrize("name", ["resnet18", "plain18"])
def test_nets_for_photographs_fold_too(name):
    net = build_imagenet(published(name)).eval()
    expected = net(images(1, 64))
    found = folded(net, overwrite=True)(images(1, 64))

    assert not any(isinstance(module, nn.BatchNorm2d) for module in folded(net).modules())
    assert float((found - expected).abs().max()) < 1e-4 * float(expected.abs().max())


def test_no_bn_is_left_behind_a_convolution_and_nothing_is_shared_but_the_read_out(open_small):
    net = open_small("residual-8-B-w4").net
    made = folded(net)

    assert not any(isinstance(module, nn.BatchNorm2d) for module in made.modules())
    assert not any(parameter.requires_grad for parameter in made.parameters())
    theirs = {parameter.data_ptr() for parameter in net.parameters()}
    shared = {name for name, parameter in made.named_parameters() if parameter.data_ptr() in theirs}
    assert shared == {"head.2.weight", "head.2.bias"}


def test_the_net_is_left_as_it_was(open_small):
    net = open_small("residual-8-w4").net.train()
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    net.blocks[0].branch[0].register_forward_hook(lambda *_: pytest.fail("another session's hook ran"))

    made = folded(net, overwrite=True)
    made(images())

    assert all(module.training for module in net.modules())
    assert not any(module.training for module in made.modules())
    assert not any(module.inplace for module in net.modules() if isinstance(module, nn.ReLU))
    assert all(torch.equal(before[name], tensor) for name, tensor in net.state_dict().items())


def test_gradients_pass_to_the_picture(open_small):
    net = open_small("residual-8-w4").net
    one, other = images().requires_grad_(), images().requires_grad_()
    net(one)[:, 1].sum().backward()
    folded(net)(other)[:, 1].sum().backward()

    torch.testing.assert_close(other.grad, one.grad, rtol=1e-3, atol=1e-5)
