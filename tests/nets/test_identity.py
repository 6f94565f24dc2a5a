"""Identity blocks: the deeper net gives the same logits, wherever they stand, and keeps every weight."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from explorer.nets.build import build
from explorer.nets.checkpoints import load_checkpoint
from explorer.nets.identity import PLACES, construct, settle
from explorer.nets.spec import NetSpec
from explorer.runs.zoo import PRETRAINED


def small(text):
    """A small net whose BN has statistics of its own, and images for it."""
    net = build(NetSpec.parse(text, in_channels=1), 1)
    images = torch.rand(60, 1, 8, 8, generator=torch.Generator().manual_seed(2))
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for module in net.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.weight.uniform_(0.5, 1.5, generator=generator)
                module.bias.normal_(0, 0.3, generator=generator)
    settle(net, images)
    return net, images


def answers(net, images):
    with torch.no_grad():
        return net.eval()(images)


@pytest.fixture(scope="module")
def digit_images():
    from explorer.data.sources import digits

    data = digits()
    mean, std = data.channel_stats()
    return {
        name: (torch.from_numpy(data.split(name).images) / data.pixel_max - mean[0]) / std[0]
        for name in ("train", "test")
    }


@pytest.mark.parametrize("family", ["plain", "residual"])
@pytest.mark.parametrize("depth", [56, 302])
def test_a_trained_net_of_20_layers_keeps_its_answers(digit_images, family, depth):
    net = load_checkpoint(PRETRAINED / "digits" / f"{family}-20.safetensors").net
    built = construct(net.eval(), depth, digit_images["train"])
    before, after = (answers(one, digit_images["test"]) for one in (net, built.net))

    assert (before - after).abs().max() <= 2e-4
    assert torch.equal(before.argmax(1), after.argmax(1))
    assert len(built.inserted) == (depth - 20) // 2


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    "text", ["plain-14-w4", "residual-14-w4", "preact-14-w4", "residual-20-bottleneck-w4", "residual-14-B-w4"]
)
def test_every_place_and_family_keeps_logits_and_weights(text, place):
    net, images = small(text)
    depth = net.spec.depth + (18 if net.spec.block == "bottleneck" else 12)
    built = construct(net, depth, images, place)
    kept = [block for number, block in enumerate(built.net.block_list()) if number not in built.inserted]

    torch.testing.assert_close(answers(built.net, images), answers(net, images), atol=2e-5, rtol=0)
    assert built.net.spec == replace(net.spec, depth=depth)
    for old, new in zip(net.block_list(), kept, strict=True):
        assert old.stage == new.stage
        assert all(torch.equal(a, b) for a, b in zip(old.parameters(), new.parameters(), strict=True))


def test_places_are_where_they_say():
    net, images = small("plain-14-w4")  # two blocks a stage
    found = {place: construct(net, 26, images, place).inserted for place in PLACES}
    assert found["end"] == (2, 3, 6, 7, 10, 11)
    assert found["front"] == (1, 2, 5, 6, 9, 10)
    assert found["spread"] == (1, 3, 5, 7, 9, 11)


def test_an_inserted_plain_block_alone_gives_back_what_enters():
    net, images = small("plain-14-w4")
    built = construct(net, 20, images)
    with torch.no_grad():
        x = net.stem(images)
        for block in net.block_list()[:2]:
            x = block(x)
        torch.testing.assert_close(built.net.block_list()[2](x), x, atol=1e-6, rtol=1e-5)


def test_the_shallow_net_is_left_as_it_was():
    net, images = small("plain-8-w4")
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    construct(net, 26, images)
    assert all(torch.equal(before[name], tensor) for name, tensor in net.state_dict().items())


def test_settling_gives_the_statistics_of_the_images():
    net, images = small("plain-8-w4")
    with torch.no_grad():
        made = net.stem[0](images)
    torch.testing.assert_close(net.stem[1].running_mean, made.mean((0, 2, 3)), atol=1e-5, rtol=1e-4)
    assert not net.training
    assert net.stem[1].momentum == 0.1


@pytest.mark.parametrize(
    ("text", "depth", "said"),
    [
        ("highway-8", 14, "gate is shut"),
        ("plain-11-bottleneck", 20, "loses channels"),
        ("residual-8-C", 14, "option A or B"),
        ("residual-18-B-w64-s2.2.2.2-7x7s2pool", 56, "laid out in another way"),
        ("plain-20", 21, "nearest are 20 and 26"),
        ("plain-20", 20, "give a larger depth"),
        ("plain-20", 1208, "cannot be built"),
    ],
)
def test_what_has_no_identity_is_refused(text, depth, said):
    net = build(NetSpec.parse(text, in_channels=1))
    with pytest.raises(ValueError, match=said):
        construct(net, depth, torch.zeros(2, 1, 8, 8))
