"""Whole nets: the paper's sizes, twins' equal weights, He initialisation."""

import math

import pytest
import torch
from torch import nn

from explorer.nets.build import build, skeleton
from explorer.nets.spec import NetSpec

PAPER_PARAMETERS = {
    8: 75_290,
    14: 172_506,
    20: 269_722,
    32: 464_154,
    44: 658_586,
    56: 853_018,
    110: 1_727_962,
    1202: 19_421_274,
}


def parameters(net):
    return sum(parameter.numel() for parameter in net.parameters())


def drawn_weights(net, part):
    """The convolution and read-out weights of stem, branches and head, in order."""
    parts = {"stem": [net.stem], "branch": [block.branch for block in net.block_list()], "head": [net.head]}
    return [
        module.weight
        for root in parts[part]
        for module in root.modules()
        if isinstance(module, nn.Conv2d | nn.Linear)
    ]


@pytest.mark.parametrize("family", ["plain", "residual"])
@pytest.mark.parametrize(("depth", "count"), PAPER_PARAMETERS.items())
def test_parameters_are_exactly_those_of_table_6(family, depth, count):
    assert parameters(skeleton(NetSpec(family, depth))) == count


@pytest.mark.parametrize(
    "text",
    [
        "plain-56",
        "residual-56",
        "preact-56",
        "highway-56",
        "plain-56-bottleneck",
        "residual-56-bottleneck",
        "preact-56-bottleneck",
    ],
)
def test_depth_counts_the_weighted_layers_of_the_longest_path(text):
    net = skeleton(NetSpec.parse(text))

    layers = sum(len(drawn_weights(net, part)) for part in ("stem", "branch", "head"))

    assert layers == 56
    assert 2 + sum(block.layers for block in net.block_list()) == 56


@pytest.mark.parametrize("other", ["plain-20", "residual-20-B", "residual-20-C", "preact-20", "highway-20"])
def test_nets_of_one_depth_start_from_the_same_weights(other):
    net, twin = build(NetSpec.parse("residual-20"), seed=7), build(NetSpec.parse(other), seed=7)

    for part in ("stem", "branch", "head"):
        ours, theirs = drawn_weights(net, part), drawn_weights(twin, part)
        assert all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))


def test_plain_and_residual_share_their_whole_state():
    plain, residual = (
        build(NetSpec("plain", 32), 3).state_dict(),
        build(NetSpec("residual", 32), 3).state_dict(),
    )

    assert list(plain) == list(residual)
    assert all(torch.equal(plain[name], residual[name]) for name in plain)


def test_weights_follow_from_the_seed_alone():
    spec = NetSpec("highway", 20)
    torch.manual_seed(1)
    first = build(spec, seed=5).state_dict()
    torch.manual_seed(2)
    before = torch.get_rng_state()
    second, other = build(spec, seed=5).state_dict(), build(spec, seed=6).state_dict()

    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not torch.equal(first["stem.0.weight"], other["stem.0.weight"])


@pytest.mark.parametrize("text", ["residual-20-C", "preact-20", "highway-20", "residual-29-bottleneck-B"])
def test_convolutions_have_the_spread_of_he_initialisation(text):
    net = build(NetSpec.parse(text), seed=1)
    convs = [module for module in net.modules() if isinstance(module, nn.Conv2d)]

    for conv in convs:
        fan_out = conv.out_channels * math.prod(conv.kernel_size)
        expected = math.sqrt(2 / fan_out)
        uncertainty = expected / math.sqrt(2 * conv.weight.numel())
        assert abs(float(conv.weight.detach().std()) - expected) < 5 * uncertainty
        assert abs(float(conv.weight.detach().mean())) < 5 * expected / math.sqrt(conv.weight.numel())


def test_norms_start_neutral_and_every_value_is_finite():
    net = build(NetSpec("highway", 20), seed=0)

    assert all(bool(tensor.isfinite().all()) for tensor in net.state_dict().values())
    for norm in (module for module in net.modules() if isinstance(module, nn.BatchNorm2d)):
        assert bool((norm.weight == 1).all() and (norm.bias == 0).all())
        assert bool((norm.running_mean == 0).all() and (norm.running_var == 1).all())
        assert int(norm.num_batches_tracked) == 0


def test_gates_start_at_the_bias_of_the_spec():
    net = build(NetSpec("highway", 20, gate_bias=-3))
    gates = [block.gate for block in net.block_list() if block.gate is not None]

    assert len(gates) == 18 - 2
    assert all(bool((gate.bias == -3).all()) for gate in gates)


@pytest.mark.parametrize("text", ["plain-8", "residual-8-B", "preact-8", "highway-8", "preact-11-bottleneck"])
@pytest.mark.parametrize(("channels", "size"), [(1, 8), (3, 32), (4, 13)])
def test_any_image_size_and_channel_count_gives_logits(text, channels, size):
    net = build(NetSpec.parse(text, in_channels=channels, classes=7)).eval()

    assert net(torch.randn(2, channels, size, size)).shape == (2, 7)


def test_maps_shrink_between_stages_as_in_the_paper():
    net = build(NetSpec("residual", 20)).eval()
    x = net.stem(torch.randn(1, 3, 32, 32))
    shapes = []
    for block in net.block_list():
        x = block(x)
        shapes.append((block.stage, *x.shape[1:]))

    assert shapes == [(1, 16, 32, 32)] * 3 + [(2, 32, 16, 16)] * 3 + [(3, 64, 8, 8)] * 3


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("plain-20", 19),
        ("residual-20", 19),
        ("preact-20", 19),
        ("highway-20", 19),
        ("residual-29-bottleneck", 10),
    ],
)
def test_responses_are_one_per_3x3_layer(text, count):
    responses = build(NetSpec.parse(text)).responses()

    assert len(responses) == len(set(responses)) == count


@pytest.mark.parametrize("text", ["plain-20", "residual-20-C", "preact-20-B", "highway-20"])
def test_no_relu_is_used_twice_or_in_place(text):
    net = build(NetSpec.parse(text)).eval()
    uses = []
    for module in net.modules():
        if isinstance(module, nn.ReLU):
            assert not module.inplace
            module.register_forward_hook(lambda module, _inputs, _output: uses.append(module))
    net(torch.randn(1, 3, 8, 8))

    assert len(uses) == len(set(uses)) > 0
