"""All blocks in one walk equal Captum's LayerConductance one by one; branches and shortcuts add up."""

import pytest
import torch
from captum.attr import LayerConductance

from explorer.probes.attributions import AttributionRequest, Explainer
from explorer.probes.conductance import Path, layer_conductances, spread
from explorer.probes.replica import replica


@pytest.mark.parametrize("text", ["residual-14-w4", "plain-14-w4", "preact-14-w4", "highway-14-w4"])
@pytest.mark.parametrize("rows", [64, 5, 1])
def test_every_block_equals_captums_layer_conductance(open_small, picture, text, rows):
    net = replica(open_small(text).net)
    black = torch.zeros_like(picture)
    layers = [module for block in net.blocks for module in (block.branch, block)]
    found = layer_conductances(net, layers, Path(picture, black, 2, n_steps=12, rows=rows))
    for layer, mine in zip(layers, found, strict=True):
        theirs = LayerConductance(net, layer).attribute(picture.clone(), black, target=2, n_steps=12)
        torch.testing.assert_close(mine, theirs.detach(), rtol=1e-3, atol=1e-5)


def test_what_flows_through_any_block_is_the_scores_rise(small, picture):
    subject = Explainer(small)
    table = subject.conductance(picture, AttributionRequest("layer_conductance", 2, {"n_steps": 300}))
    black = small.normalised(torch.zeros(1, 3, 16, 16))
    scores = small.net(torch.cat([picture, black]))[:, 2]
    rise = float((scores[0] - scores[1]).detach())
    assert list(table["block"]) == [1, 2, 3]
    assert table["conductance"].to_list() == pytest.approx([rise] * 3, abs=0.02 * abs(rise) + 1e-3)
    assert (table["branch"] + table["shortcut"]).to_list() == pytest.approx(table["conductance"].to_list())
    assert (table["branch_abs"] >= table["branch"].abs()).all()


def test_trapezoids_come_closer_to_the_rise_than_captums_sum(open_small, picture):
    loaded = open_small("plain-14-w4")
    net = replica(loaded.net)
    black = loaded.normalised(torch.zeros(1, 3, 16, 16))
    scores = net(torch.cat([picture, black]))[:, 2]
    rise = float(scores[0] - scores[1])
    plain, trapezoid = (
        layer_conductances(net, list(net.blocks), Path(picture, black, 2, 24, rows=7, trapezoid=mean))
        for mean in (False, True)
    )
    missed = [max(abs(float(part.sum()) - rise) for part in found) for found in (plain, trapezoid)]
    assert missed[1] < missed[0]


def test_in_a_plain_net_nothing_goes_around_the_branch(open_small, picture):
    plain = Explainer(open_small("plain-8-w4"))
    table = plain.conductance(picture, AttributionRequest("layer_conductance", 2, {"n_steps": 300}))
    assert (table["shortcut"].abs() <= 0.05 * table["conductance"].abs() + 1e-3).all()


def test_the_map_of_a_block_keeps_its_sum(small, picture):
    found = Explainer(small).attribute(picture, AttributionRequest("layer_conductance", 2, {"block": 2}))
    net = replica(small.net)
    black = small.normalised(torch.zeros(1, 3, 16, 16))
    theirs = LayerConductance(net, net.blocks[1]).attribute(picture.clone(), black, target=2)
    assert float(found.attributions.sum()) == pytest.approx(float(theirs.sum().detach()), rel=1e-3)
    uneven = spread(torch.arange(4.0).view(1, 1, 2, 2), torch.zeros(1, 3, 5, 5))
    assert float(uneven.sum()) == pytest.approx(6)


def test_the_walk_leaves_no_hook_behind_even_after_an_error(small, picture):
    net = replica(small.net)
    with pytest.raises(IndexError):
        layer_conductances(net, list(net.blocks), Path(picture, torch.zeros_like(picture), 99))
    assert not any(module._forward_hooks for module in net.modules())
