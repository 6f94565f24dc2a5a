"""Activations against the block computed by hand: F(x), the sum, the output, and the read-outs."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from explorer.nets.build import build
from explorer.nets.loaded_net import LoadedNet
from explorer.nets.normalisation import Normalisation
from explorer.nets.spec import NetSpec
from explorer.probes.activations import read_activations
from explorer.probes.readout import ReadoutError, fit_readout, pooled, skipping_readout

FAMILIES = ["plain-14", "residual-14", "residual-14-B", "residual-8-C", "preact-14", "highway-14",
            "residual-11-bottleneck"]  # fmt: skip


def loaded_net(text, channels=3, size=12, classes=("a", "b", "c")):
    spec = NetSpec.parse(text, in_channels=channels, classes=len(classes))
    net = build(spec, 1).eval()
    scale = Normalisation((0.4,) * channels, (0.3,) * channels)
    with torch.no_grad():  # statistics of its own, as after training
        net.train()
        net(torch.randn(8, channels, size, size, generator=torch.Generator().manual_seed(3)))
        net.eval()
    return LoadedNet(text, text, net, scale, tuple(classes), size, False, "random")


def pixels(channels=3, size=12):
    return np.random.default_rng(5).random((channels, size, size)).astype(np.float32)


def by_hand(loaded):
    """Every block's input and output, computed block by block."""
    with torch.no_grad():
        x = loaded.net.stem(loaded.normalised(torch.from_numpy(pixels())[None]))
        steps = [x]
        for block in loaded.blocks():
            steps.append(block(steps[-1]))
        return steps, loaded.net.head(steps[-1])[0]


@pytest.mark.parametrize("text", FAMILIES)
def test_maps_equal_the_blocks_computed_by_hand(text):
    loaded = loaded_net(text)
    steps, logits = by_hand(loaded)

    read = read_activations(loaded, pixels())

    assert np.array_equal(read.logits, logits.numpy())
    assert np.array_equal(read.stem, steps[0][0].numpy())
    for maps, block, x, output in zip(read.blocks, loaded.blocks(), steps, steps[1:], strict=False):
        with torch.no_grad():
            branch = block.branch(x)
            added = block.added(x, branch, output)
        assert np.array_equal(maps.x, x[0].numpy())
        assert np.array_equal(maps.output, output[0].numpy())
        assert np.array_equal(maps.branch, added[0].numpy())


@pytest.mark.parametrize(
    "text", ["residual-14", "residual-14-B", "residual-8-C", "residual-11-bottleneck", "plain-14"]
)
def test_relu_of_the_sum_is_the_output(text):
    loaded = loaded_net(text)
    for maps, block in zip(read_activations(loaded, pixels()).blocks, loaded.blocks(), strict=True):
        assert np.array_equal(np.maximum(maps.total, 0), maps.output)
        with torch.no_grad():
            passed = None if block.shortcut is None else block.shortcut(torch.from_numpy(maps.x)[None])[0]
        assert (maps.shortcut is None) == (passed is None)
        assert passed is None or np.array_equal(maps.shortcut, passed.numpy())


@pytest.mark.parametrize("text", ["preact-14", "highway-14"])
def test_without_a_last_relu_the_sum_is_the_output(text):
    for maps in read_activations(loaded_net(text), pixels()).blocks:
        assert np.allclose(maps.total, maps.output, atol=1e-6)


@pytest.mark.parametrize("text", FAMILIES)
def test_looking_changes_nothing(text):
    loaded = loaded_net(text)
    loaded.net.train()
    before = {name: value.clone() for name, value in loaded.net.state_dict().items()}
    read_activations(loaded, pixels())

    assert all(torch.equal(before[name], value) for name, value in loaded.net.state_dict().items())
    assert loaded.net.training
    assert not any(module._forward_hooks for module in loaded.net.modules())


def test_hooks_are_gone_after_an_error(monkeypatch):
    loaded = loaded_net("residual-14")

    def fail(_x):
        raise RuntimeError("too late")

    with monkeypatch.context() as patch:
        patch.setattr(loaded.net.head[-1], "forward", fail)
        with pytest.raises(RuntimeError, match="too late"):
            read_activations(loaded, pixels())

    assert not any(module._forward_hooks for module in loaded.net.modules())
    assert np.isfinite(read_activations(loaded, pixels()).logits).all()


def test_maps_are_the_readers_own():
    loaded = loaded_net("residual-14")
    first = read_activations(loaded, pixels())
    kept = first.blocks[2].output.copy()
    read_activations(loaded, 1 - pixels())

    assert np.array_equal(first.blocks[2].output, kept)


def test_the_table_counts_what_the_maps_hold():
    read = read_activations(loaded_net("residual-14"), pixels())
    row, maps = read.table.iloc[3], read.blocks[3]

    assert row["residual_norm"] == pytest.approx(np.linalg.norm(maps.branch), rel=1e-5)
    assert row["input_norm"] == pytest.approx(np.linalg.norm(maps.x), rel=1e-5)
    assert row["zeros_pct"] == pytest.approx(100 * (maps.output == 0).mean())
    assert (row["channels"], row["side"], row["stage"]) == (32, 6, 2)
    assert maps.strongest == np.abs(maps.output).mean((1, 2)).argmax()


def test_large_nets_are_kept_in_half_precision(monkeypatch):
    from explorer.probes import activations

    loaded = loaded_net("residual-14")
    fine = read_activations(loaded, pixels())
    monkeypatch.setattr(activations, "_FINE", 1000)
    coarse = read_activations(loaded, pixels())

    assert coarse.blocks[0].output.dtype == np.float16
    assert np.allclose(fine.blocks[4].total, coarse.blocks[4].total, rtol=2e-3, atol=2e-3)
    assert np.array_equal(fine.logits, coarse.logits)
    assert fine.table.equals(coarse.table)


class TestSkipping:
    def test_the_last_answer_is_the_nets_own(self):
        read = read_activations(loaded_net("residual-14"), pixels())

        assert read.readout.shape == (7, 3)
        assert np.allclose(read.readout[-1], read.probabilities, atol=1e-6)
        assert np.allclose(read.readout.sum(1), 1, atol=1e-5)

    @pytest.mark.parametrize("text", ["residual-14", "plain-14", "highway-14", "residual-11-bottleneck"])
    def test_every_answer_is_that_of_the_net_without_those_blocks(self, text):
        loaded = loaded_net(text)
        steps, _ = by_hand(loaded)
        blocks = loaded.blocks()
        changes = [a.shape != b.shape for a, b in pairwise(steps)]

        with torch.no_grad():
            found = skipping_readout(loaded.net, steps)
            for place, x in enumerate(steps):
                for block, change in list(zip(blocks, changes, strict=True))[place:]:
                    x = block(x) if change else x
                assert torch.allclose(found[place], torch.softmax(loaded.net.head(x), 1)[0], atol=1e-5)

    def test_it_waits_until_it_is_asked_for_and_is_made_once(self):
        loaded = loaded_net("residual-14")
        asked = []
        loaded.net.head.register_forward_hook(lambda *_: asked.append(1))

        read = read_activations(loaded, pixels())
        assert len(asked) == 1
        assert read.readout is read.readout
        assert len(asked) == 2
        assert not loaded.net.training

    def test_blocks_that_add_nothing_make_no_difference(self):
        loaded = loaded_net("residual-14")
        for block in loaded.blocks():
            nn.init.zeros_(block.branch[-1].weight)
            nn.init.zeros_(block.branch[-1].bias)

        readout = read_activations(loaded, pixels()).readout

        assert np.allclose(readout, readout[-1], atol=1e-6)


class TestFitted:
    @pytest.fixture(scope="class")
    @staticmethod
    def digit_net():
        return loaded_net("residual-8", 1, 8, tuple("0123456789"))

    def test_means_are_those_of_the_maps(self, digit_net, few_digits):
        images = torch.from_numpy(few_digits.split("test").images[:3]).float() / 16

        features = pooled(digit_net, images)

        read = read_activations(digit_net, images[1].numpy())
        places = [read.stem, *(maps.output for maps in read.blocks)]
        for feature, maps in zip(features, places, strict=True):
            assert feature[1] == pytest.approx(maps.mean((1, 2)), rel=1e-4, abs=1e-5)

    def test_a_fitted_line_answers_with_probabilities(self, digit_net, few_digits):
        line = fit_readout(digit_net, few_digits)
        image = few_digits.split("train").images[0].astype(np.float32) / 16
        read = read_activations(digit_net, image)

        found = line.read([read.stem, *(maps.output for maps in read.blocks)])

        assert found.shape == (4, 10)
        assert np.allclose(found.sum(1), 1, atol=1e-5)
        assert line.images == 200
        assert line.seconds > 0
        # untrained features of 200 digits tell far more apart than guessing does
        assert max(line.error_pct) < 60
        again = fit_readout(digit_net, few_digits)
        assert np.array_equal(found, again.read([read.stem, *(maps.output for maps in read.blocks)]))

    def test_a_net_of_other_classes_is_refused(self, few_digits):
        with pytest.raises(ReadoutError, match="was not trained on"):
            fit_readout(loaded_net("residual-8", 1, 8), few_digits)
