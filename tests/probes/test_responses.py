"""Responses: norms, stds and gradients against direct computation, and where each one stands."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from explorer.nets.build import build
from explorer.nets.spec import NetSpec
from explorer.probes.responses import ResponseProbe, gradient_norms, response_layers

FAMILIES = ["plain-14", "residual-14", "residual-14-C", "preact-14-B", "highway-14", "preact-20-bottleneck"]


def trained_a_little(text):
    net = build(NetSpec.parse(text), seed=4)
    with torch.no_grad():
        for seed in range(3):
            net(torch.randn(8, 3, 8, 8, generator=torch.Generator().manual_seed(seed)))
    return net.eval()


def images():
    return torch.randn(5, 3, 8, 8, generator=torch.Generator().manual_seed(9))


def change(block, x):
    """What a block adds to its input, computed without the probe."""
    if getattr(block, "gate", None) is not None:
        return torch.sigmoid(block.gate(x)) * (block.branch(x) - x)
    return block.branch(x)


def norm(maps):
    return torch.stack([image.flatten().square().sum().sqrt() for image in maps])


@torch.no_grad()
@pytest.mark.parametrize("text", FAMILIES)
def test_norms_and_ratio_equal_a_direct_computation(text):
    net = trained_a_little(text)
    table, _ = ResponseProbe(net).read(images())

    x = net.stem(images())
    for (_, row), block in zip(table.iterrows(), net.block_list(), strict=True):
        residual, incoming = norm(change(block, x)), norm(x)
        assert row["residual_norm"] == pytest.approx(float(residual.mean()), rel=1e-4)
        assert row["input_norm"] == pytest.approx(float(incoming.mean()), rel=1e-4)
        assert row["residual_ratio"] == pytest.approx(float((residual / incoming).mean()), rel=1e-4)
        x = block(x)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("text", ["plain-14", "residual-14", "highway-14", "residual-11-bottleneck"])
def test_response_std_is_that_of_bn_outputs_behind_3x3_convolutions(text, training):
    net = trained_a_little(text)
    _, table = ResponseProbe(net).read(images(), training=training)

    outputs, previous = [], None
    for module in net.modules():
        gate = any(module is getattr(block, "gate", None) for block in net.block_list())
        if isinstance(module, nn.Conv2d) and not gate:
            previous = module
        if isinstance(module, nn.BatchNorm2d) and previous.kernel_size == (3, 3):
            module.register_forward_hook(lambda _module, _x, out: outputs.append(out.clone()))
    with torch.no_grad():
        net.train(training)(images())

    assert len(outputs) == len(table)
    for expected, value in zip(outputs, table["response_std"], strict=True):
        flat = expected.double().flatten()
        by_hand = ((flat - flat.mean()).square().sum() / (len(flat) - 1)).sqrt()
        assert value == pytest.approx(float(by_hand), rel=1e-4)


def test_train_and_eval_mode_read_different_responses():
    probe = ResponseProbe(trained_a_little("plain-14"))

    running, batch = (probe.read(images(), training=training)[1] for training in (False, True))

    assert not running["response_std"].equals(batch["response_std"])


def test_batch_statistics_of_a_fresh_net_have_std_one():
    _, table = ResponseProbe(build(NetSpec("residual", 8))).read(images(), training=True)

    assert table["response_std"].tolist() == pytest.approx([1.0] * 7, abs=0.01)


@pytest.mark.parametrize(
    "text",
    ["plain-20", "residual-20", "preact-20-C", "highway-20", "plain-20-bottleneck", "preact-56-bottleneck"],
)
def test_layers_and_blocks_are_numbered_up_to_the_read_out(text):
    net = build(NetSpec.parse(text)).eval()
    blocks, layers = ResponseProbe(net).read(images()[:1])
    depth = net.spec.depth

    assert blocks["block"].tolist() == list(range(1, len(net.blocks) + 1))
    assert blocks["layer"].iloc[-1] + 1 == depth  # the read-out is the last layer
    assert blocks["stage"].is_monotonic_increasing
    assert layers["layer"].iloc[0] == 1
    assert layers["layer"].is_monotonic_increasing
    assert layers["layer"].is_unique
    last = depth - 2 if "bottleneck" in text else depth - 1
    assert layers["layer"].iloc[-1] == last


def test_a_bottlenecks_3x3_is_its_second_layer():
    assert response_layers(build(NetSpec("residual", 11, block="bottleneck"))) == [1, 3, 6, 9]


def test_gradient_norms_equal_a_loop():
    net = build(NetSpec("residual", 14, shortcut="B"), seed=2)
    functional.cross_entropy(net(images()), torch.arange(5)).backward()

    norms = gradient_norms(net.block_list())

    for value, block in zip(norms.tolist(), net.block_list(), strict=True):
        squares = sum(float(p.grad.double().square().sum()) for p in block.parameters())
        assert value == pytest.approx(squares**0.5, rel=1e-5)


def test_gradient_norms_without_gradients_are_not_numbers():
    norms = gradient_norms(build(NetSpec("residual", 8)).block_list())

    assert norms.shape == (3,)
    assert bool(norms.isnan().all())


def test_a_block_that_was_skipped_has_no_gradient_which_is_not_zero():
    net = build(NetSpec("residual", 14), seed=2)
    functional.cross_entropy(net(images()), torch.arange(5)).backward()
    measured = gradient_norms(net.block_list())
    for parameter in net.block_list()[2].parameters():
        parameter.grad = None

    norms = gradient_norms(net.block_list())

    assert norms.isnan().tolist() == [False, False, True, False, False, False]
    assert torch.equal(norms[~norms.isnan()], measured[[0, 1, 3, 4, 5]])


def test_gradient_norms_leave_the_gradients_alone():
    net = build(NetSpec("plain", 8))
    functional.cross_entropy(net(images()), torch.arange(5)).backward()
    before = [parameter.grad.clone() for parameter in net.parameters()]
    gradient_norms(net.block_list())

    assert all(torch.equal(old, p.grad) for old, p in zip(before, net.parameters(), strict=True))


@pytest.mark.parametrize("text", ["plain-14", "residual-14", "preact-14-B", "highway-14"])
def test_a_split_in_batches_is_exactly_one_batch_of_everything(text):
    net = trained_a_little(text)
    everything = torch.randn(23, 3, 8, 8, generator=torch.Generator().manual_seed(3)) + 2
    probe = ResponseProbe(net, cosine=True)

    whole = probe.measure([everything])
    parts = probe.measure(everything.split(5))

    assert (whole.images, parts.images) == (23, 23)
    for one, other in ((whole.blocks, parts.blocks), (whole.layers, parts.layers)):
        assert one.to_numpy(float) == pytest.approx(other.to_numpy(float), rel=1e-5, nan_ok=True)


def test_the_std_of_a_split_is_not_the_mean_of_its_batches():
    net = trained_a_little("plain-8")
    dark, bright = torch.zeros(4, 3, 8, 8), 5 * torch.ones(4, 3, 8, 8)
    probe = ResponseProbe(net)
    with torch.no_grad():
        kept = [net.stem[1](net.stem[0](images)) for images in (dark, bright)]

    found = probe.measure([dark, bright]).layers["response_std"][0]

    assert found == pytest.approx(float(torch.cat(kept).std()), rel=1e-5)
    assert abs(found - float(torch.stack([part.std() for part in kept]).mean())) > 0.01 * found


@torch.no_grad()
def test_rms_and_cosine_equal_a_direct_computation():
    net = trained_a_little("residual-14")
    found = ResponseProbe(net, cosine=True).measure(images().split(2)).blocks

    x = net.stem(images())
    for (_, row), block in zip(found.iterrows(), net.block_list(), strict=True):
        residual = block.branch(x)
        assert row["residual_rms"] == pytest.approx(float(residual.square().mean().sqrt()), rel=1e-5)
        assert row["input_rms"] == pytest.approx(float(x.square().mean().sqrt()), rel=1e-5)
        if residual.shape == x.shape:
            cosine = functional.cosine_similarity(x.flatten(1), residual.flatten(1)).mean()
            assert row["cosine"] == pytest.approx(float(cosine), abs=1e-6)
        else:
            assert row["cosine"] != row["cosine"]
        x = block(x)


def test_no_images_are_refused():
    with pytest.raises(ValueError, match="no image"):
        ResponseProbe(build(NetSpec("plain", 8))).measure([])
