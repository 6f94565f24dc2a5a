"""Blocks: each computes its own equation, and shortcuts are what section 3.3 says."""

import pytest
import torch

from explorer.nets.blocks import HighwayBlock, PadShortcut, make_shortcut
from explorer.nets.build import build
from explorer.nets.spec import NetSpec
from explorer.probes.hooks import reading

POST_ACTIVATION = ["residual-14", "residual-8-B", "residual-8-C"]
POST_ACTIVATION += ["residual-11-bottleneck", "residual-11-bottleneck-B", "residual-11-bottleneck-C"]
PRE_ACTIVATION = ["preact-14", "preact-8-B", "preact-8-C", "preact-11-bottleneck", "preact-11-bottleneck-C"]


def settled_net(text):
    """A net whose BN statistics and weights are no longer neutral, in eval mode."""
    net = build(NetSpec.parse(text), seed=1)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for _ in range(3):
            net(torch.randn(16, 3, 8, 8, generator=generator))
        for parameter in net.parameters():
            if parameter.dim() == 1:
                parameter += 0.1 * torch.randn(parameter.shape, generator=generator)
    return net.eval()


def read_blocks(net):
    """(block, x, F(x), output) of each block in one forward pass, as a probe reads them."""
    blocks = net.block_list()
    branches, passes = {}, []

    def tap(index):
        def branch(_x, output):
            branches[index] = output.clone()

        def block(x, output):
            passes.append((blocks[index], x.clone(), branches[index], output.clone()))

        return [(blocks[index].branch, branch), (blocks[index], block)]

    taps = [pair for index in range(len(blocks)) for pair in tap(index)]
    with torch.no_grad(), reading(taps):
        net(torch.randn(4, 3, 8, 8, generator=torch.Generator().manual_seed(2)))
    return passes


@pytest.mark.parametrize("text", POST_ACTIVATION)
@torch.no_grad()
def test_a_residual_block_is_relu_of_branch_plus_shortcut(text):
    for block, x, branch, output in read_blocks(settled_net(text)):
        torch.testing.assert_close(torch.relu(block.shortcut(x) + branch), output, rtol=0, atol=0)
        assert float(branch.norm()) > 0


@pytest.mark.parametrize("text", PRE_ACTIVATION)
@torch.no_grad()
def test_a_preactivation_block_adds_and_does_nothing_after(text):
    for block, x, branch, output in read_blocks(settled_net(text)):
        torch.testing.assert_close(block.shortcut(x) + branch, output, rtol=0, atol=0)
        assert float(output.min()) < 0


@pytest.mark.parametrize("text", ["plain-14", "plain-11-bottleneck"])
@torch.no_grad()
def test_a_plain_block_is_relu_of_its_branch(text):
    for block, x, branch, output in read_blocks(settled_net(text)):
        torch.testing.assert_close(torch.relu(branch), output, rtol=0, atol=0)
        assert block.shortcut is None
        assert torch.equal(block.added(x, branch, output), branch)


@torch.no_grad()
def test_a_highway_block_mixes_by_its_gate():
    for block, x, branch, output in read_blocks(settled_net("highway-14")):
        if block.gate is None:
            assert torch.equal(output, branch)
            assert torch.equal(block.added(x, branch, output), branch)
            continue
        gate = torch.sigmoid(block.gate(x))
        torch.testing.assert_close(output, branch * gate + x * (1 - gate))
        torch.testing.assert_close(block.added(x, branch, output), gate * (branch - x), rtol=1e-4, atol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize(("bias", "passes"), [(-100.0, "input"), (100.0, "transform")])
def test_gate_extremes_carry_or_transform(bias, passes):
    block = HighwayBlock(8, 8, 1, stage=1, gate_bias=bias).eval()
    block.gate.bias.fill_(bias)
    x = torch.randn(2, 8, 6, 6)

    expected = x if passes == "input" else block.branch(x)

    torch.testing.assert_close(block(x), expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize(("channels", "stride"), [((8, 16), 2), ((8, 16), 1), ((8, 8), 2)])
def test_highway_layers_that_change_the_shape_are_plain(channels, stride):
    assert HighwayBlock(*channels, stride, stage=2, gate_bias=-2).gate is None


def test_gate_and_transform_have_the_same_receptive_field():
    block = HighwayBlock(8, 8, 1, stage=1, gate_bias=-2)

    assert block.gate.weight.shape == block.branch[0].weight.shape


@pytest.mark.parametrize("size", [8, 7])
def test_option_a_subsamples_and_pads_zeros(size):
    x = torch.randn(2, 4, size, size)
    shortcut = PadShortcut(4, 10, stride=2)

    padded = shortcut(x)

    assert padded.shape == (2, 10, (size + 1) // 2, (size + 1) // 2)
    assert torch.equal(padded[:, :4], x[:, :, ::2, ::2])
    assert bool((padded[:, 4:] == 0).all())
    assert not list(shortcut.parameters())


@pytest.mark.parametrize(
    ("option", "channels", "stride", "weights"),
    [
        ("A", (4, 4), 1, 0),
        ("A", (4, 8), 2, 0),
        ("B", (4, 4), 1, 0),
        ("B", (4, 8), 2, 4 * 8),
        ("B", (4, 8), 1, 4 * 8),
        ("C", (4, 4), 1, 4 * 4),
        ("C", (4, 8), 2, 4 * 8),
    ],
)
def test_projections_stand_where_the_options_say(option, channels, stride, weights):
    shortcut = make_shortcut(option, *channels, stride, norm=False)

    assert sum(parameter.numel() for parameter in shortcut.parameters()) == weights


def test_identity_shortcuts_hand_on_the_very_tensor():
    x = torch.randn(1, 4, 2, 2)

    assert make_shortcut("A", 4, 4, 1, norm=True)(x) is x


def test_a_projection_of_the_activated_input_leaves_statistics_to_the_branch():
    """Its BN is the branch's first: one pass in training mode counts once, and both see the same values."""
    block = build(NetSpec.parse("preact-8-B-w8-stem4-act")).block_list()[0].train()
    x = torch.randn(16, 4, 6, 6, generator=torch.Generator().manual_seed(0))
    norm, relu = block.branch[0], block.branch[1]
    with torch.no_grad():
        block(x)
    assert int(norm.num_batches_tracked) == 1
    torch.testing.assert_close(norm.running_mean, 0.1 * x.mean((0, 2, 3)))
    with torch.no_grad():
        torch.testing.assert_close(
            block.shortcut(x), block.shortcut.projection(relu(norm(x))), rtol=1e-5, atol=1e-6
        )
