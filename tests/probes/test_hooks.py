"""Looking never changes the net: hooks, modes, gradients, BN statistics and logits, also on error."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from explorer.nets.build import build
from explorer.nets.spec import NetSpec
from explorer.probes.hooks import mode, reading
from explorer.probes.responses import ResponseProbe

FAMILIES = ["plain-14", "residual-14-B", "preact-14", "highway-14", "residual-11-bottleneck"]


def images(count=6):
    return torch.randn(count, 3, 8, 8, generator=torch.Generator().manual_seed(1))


def used_net(text):
    """A net in mixed modes, with gradients and BN statistics of its own."""
    net = build(NetSpec.parse(text), seed=0).train()
    functional.cross_entropy(net(images()), torch.arange(6)).backward()
    net.blocks[1].eval()
    return net


def everything(net):
    """All that a probe might change, copied."""
    return {
        "state": {name: tensor.clone() for name, tensor in net.state_dict().items()},
        "grads": {name: parameter.grad.clone() for name, parameter in net.named_parameters()},
        "modes": [module.training for module in net.modules()],
        "requires": [parameter.requires_grad for parameter in net.parameters()],
        "hooks": [
            len(module._forward_hooks) + len(module._forward_pre_hooks) + len(module._backward_hooks)
            for module in net.modules()
        ],
    }


def assert_same(before, after):
    for name in ("modes", "requires", "hooks"):
        assert before[name] == after[name]
    for name in ("state", "grads"):
        assert all(torch.equal(before[name][key], after[name][key]) for key in before[name])


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("text", FAMILIES)
def test_a_probe_leaves_nothing_behind(text, training):
    net = used_net(text)
    before = everything(net)

    ResponseProbe(net).read(images(), training=training)

    assert_same(before, everything(net))
    assert torch.is_grad_enabled()


@pytest.mark.parametrize("training", [False, True])
def test_a_probe_leaves_nothing_behind_when_the_net_raises(training):
    net = used_net("residual-14")
    before = everything(net)

    with pytest.raises(RuntimeError, match="channels"):
        ResponseProbe(net).read(torch.randn(2, 5, 8, 8), training=training)

    assert_same(before, everything(net))
    assert torch.is_grad_enabled()


def test_a_probe_leaves_nothing_behind_when_a_late_layer_raises(monkeypatch):
    net = used_net("residual-14")
    before = everything(net)

    def fail(_x):
        raise ValueError("too late")

    with monkeypatch.context() as patch:
        patch.setattr(net.head[-1], "forward", fail)
        with pytest.raises(ValueError, match="too late"):
            ResponseProbe(net).read(images(), training=True)

    assert_same(before, everything(net))


@pytest.mark.parametrize("text", FAMILIES)
def test_logits_are_the_same_with_before_and_after_probing(text):
    net = used_net(text).eval()
    seen = []
    with torch.no_grad():
        before = net(images())
        with reading([(net, lambda _x, logits: seen.append(logits.clone()))]):
            ResponseProbe(net).read(images())
        after = net(images())

    assert torch.equal(before, after)
    assert torch.equal(before, seen[0])


def test_a_probe_can_be_read_again_after_an_error():
    net = used_net("residual-14")
    probe = ResponseProbe(net)
    first, _ = probe.read(images())
    with pytest.raises(RuntimeError):
        probe.read(torch.randn(2, 5, 8, 8))

    again, _ = probe.read(images())

    assert first.equals(again)


def test_hooks_already_set_are_gone_when_a_later_tap_is_bad():
    module = nn.Identity()

    with pytest.raises(AttributeError), reading([(module, print), (None, print)]):
        pass

    assert not module._forward_hooks


def test_mode_restores_each_modules_own_mode_and_gradients_stay_off_inside():
    net = used_net("plain-14")
    modes = [module.training for module in net.modules()]

    with mode(net, training=False):
        assert not any(module.training for module in net.modules())
        assert not net(images()).requires_grad

    assert [module.training for module in net.modules()] == modes
