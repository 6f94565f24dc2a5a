"""Gates: equal to the sigmoid of each block, and to what its own equation leaves."""

import pytest
import torch

from explorer.nets.build import build
from explorer.nets.spec import NetSpec
from explorer.probes.gates import by_layer, carried, openness

IMAGES = torch.rand(4, 3, 16, 16, generator=torch.Generator().manual_seed(7))


def test_a_gate_is_the_blocks_own_sigmoid_and_solves_its_equation():
    net = build(NetSpec.parse("highway-14-w4"), 3).eval()
    seen, made = {}, {}
    for number, block in enumerate(net.block_list()):
        block.register_forward_hook(
            lambda _m, inputs, output, number=number: made.update({number: (inputs[0], output)})
        )
        if block.gate is not None:
            block.gate.register_forward_hook(
                lambda _m, _i, output, number=number: seen.update({number: torch.sigmoid(output)})
            )
    found = openness(net, IMAGES)
    assert set(found) == set(seen) == {number for number, b in enumerate(net.block_list()) if b.gate}
    for number, opened in found.items():
        torch.testing.assert_close(opened, seen[number])
        x, output = made[number]
        branch = net.block_list()[number].branch(x)
        torch.testing.assert_close(branch * opened + x * (1 - opened), output)


def test_at_the_start_gates_are_open_as_far_as_their_bias_says():
    table = by_layer(build(NetSpec.parse("highway-14-w4-bias-6"), 3).eval(), IMAGES)
    assert table["mean"].between(0.0005, 0.02).all()  # sigmoid(-6) = 0.0025
    assert (table["low"] <= table["mean"]).all()
    assert (table["mean"] <= table["high"]).all()
    assert carried(table) == pytest.approx(float((1 - table["mean"]).prod()))


def test_a_net_without_gates_is_refused():
    with pytest.raises(ValueError, match="Choose a highway net"):
        by_layer(build(NetSpec.parse("plain-8-w4")).eval(), IMAGES)
