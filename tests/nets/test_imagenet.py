"""ImageNet nets: torchvision's logits from our blocks, the paper's costs, and nothing lost on the way."""

import pytest
import torch
from torch import nn

from explorer.nets.conversion import from_torchvision
from explorer.nets.cost_measured import block_costs, describe, layer_costs
from explorer.nets.imagenet import build_imagenet
from explorer.nets.loaded_net import ProbedNet
from explorer.nets.published_imagenet import PUBLISHED, published
from explorer.probes.responses import ResponseProbe, response_layers

THEIRS = [name for name, net in PUBLISHED.items() if net.file]


def lively(net, seed=0):
    """BN statistics and affine values away from 1 and 0, so that no mapping can hide in them."""
    generator = torch.Generator().manual_seed(seed)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            for tensor in (module.weight, module.running_var):
                tensor.data.uniform_(0.5, 1.5, generator=generator)
            for tensor in (module.bias, module.running_mean):
                tensor.data.normal_(0, 0.1, generator=generator)
    return net.eval()


@pytest.mark.parametrize("name", THEIRS)
def test_logits_are_those_of_torchvisions_net(name):
    from torchvision import models

    with torch.random.fork_rng():
        torch.manual_seed(1)
        theirs = lively(models.get_model(name, weights=None))
    images = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(2))

    ours = from_torchvision(published(name), theirs.state_dict())

    with torch.no_grad():
        expected, found = theirs(images), ours(images)
    scale = float(expected.abs().max())
    assert float((found - expected).abs().max()) <= 1e-5 * max(scale, 1)
    assert not ours.training
    assert set(map(id, ours.parameters())).isdisjoint(map(id, theirs.parameters()))


def test_another_nets_tensors_are_refused():
    state = build_imagenet(published("plain18")).state_dict()
    with pytest.raises(ValueError, match="not those of ResNet-34"):
        from_torchvision(published("resnet34"), state)


@pytest.mark.parametrize("name", THEIRS)
def test_parameters_and_multiply_adds_are_those_torchvision_publishes(name):
    from torchvision.models import get_model_weights

    meta = get_model_weights(name)["IMAGENET1K_V1"].meta
    costs = layer_costs(published(name), 224)
    assert costs["parameters"].sum() == meta["num_params"]
    assert costs["macs"].sum() / 1e9 == pytest.approx(meta["_ops"], abs=6e-4)


@pytest.mark.parametrize(
    ("name", "giga_macs"),
    [("resnet18", 1.8), ("plain18", 1.8), ("resnet34", 3.6), ("plain34", 3.6), ("vgg19", 19.6)],
)
def test_multiply_adds_are_those_of_table_1(name, giga_macs):
    assert describe(published(name), 224)["macs"] / 1e9 == pytest.approx(giga_macs, abs=0.07)


def test_plain_34_costs_18_per_cent_of_vgg_19():
    share = describe(published("plain34"), 224)["macs"] / describe(published("vgg19"), 224)["macs"]
    assert 0.18 <= share < 0.19


@pytest.mark.parametrize(("name", "paper"), [("resnet50", 3.8), ("resnet101", 7.6), ("resnet152", 11.3)])
def test_bottlenecks_are_the_variant_that_costs_more_than_the_papers_and_say_so(name, paper):
    net = published(name)
    macs = describe(net, 224)["macs"] / 1e9
    assert paper < macs < paper + 0.3
    assert "1.5" in net.variant
    assert published("resnet34").variant == ""


@pytest.mark.parametrize("name", PUBLISHED)
def test_depth_is_the_number_of_weighted_layers(name):
    assert block_costs(published(name), 64)["layer"].iloc[-1] == published(name).depth


@pytest.mark.parametrize("name", ["resnet18", "plain18", "resnet50", "vgg19_bn"])
def test_the_nets_can_be_probed_like_the_small_ones(name):
    net = build_imagenet(published(name), seed=1).eval()
    assert isinstance(net, ProbedNet)
    found = ResponseProbe(net, cosine=True).measure([torch.randn(1, 3, 64, 64)])
    assert len(found.blocks) == len(net.block_list())
    assert found.layers["layer"].tolist() == response_layers(net)
    assert found.blocks[["residual_norm", "input_norm"]].gt(0).all().all()


def test_the_same_seed_gives_the_same_weights_and_twins_share_their_branches():
    plain, residual = (build_imagenet(published(name), seed=3) for name in ("plain18", "resnet18"))
    again = build_imagenet(published("plain18"), seed=3)
    assert all(
        torch.equal(one, other) for one, other in zip(plain.parameters(), again.parameters(), strict=True)
    )
    for one, other in zip(plain.block_list(), residual.block_list(), strict=True):
        assert torch.equal(one.branch[0].weight, other.branch[0].weight)


def test_an_unknown_name_is_refused_with_the_ones_there_are():
    with pytest.raises(ValueError, match="resnet18"):
        published("resnet19")
