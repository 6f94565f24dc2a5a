"""Stochastic depth, dropout, checkpointing: as in the papers, seeded, resumable, off by default."""

import io
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from explorer.jobs.sweep import finished_run, save_trained
from explorer.nets.build import build
from explorer.nets.checkpoints import load_checkpoint
from explorer.nets.spec import NetSpec
from explorer.training.evaluation import evaluate_split
from explorer.training.history import epoch_table
from explorer.training.recipe import Recipe
from explorer.training.regularise import TrainingPass, at_test_time, survival_rates, training_pass
from explorer.training.trainer import Trainer

SPEC = NetSpec("residual", 14, width=4, in_channels=1)
RECIPE = Recipe(epochs=2, batch_size=32, seed=5, device="cpu")
SETTINGS = [{"survival": 0.5}, {"dropout": 0.3}, {"survival": 0.4, "dropout": 0.3, "checkpointing": True}]


def call(block, x):
    return block(x)


def trained(dataset, spec=SPEC, **settings):
    trainer = Trainer(spec, replace(RECIPE, **settings), dataset)
    return trainer, list(trainer.records())


def assert_same(first, second):
    """Two runs with the same losses, records and weights, bit by bit."""
    for ours, theirs in zip(first[1], second[1], strict=True):
        np.testing.assert_array_equal(ours.step_losses, theirs.step_losses)
        pd.testing.assert_frame_equal(ours.blocks, theirs.blocks, check_exact=True)
    tables = (epoch_table(run[1]).drop(columns=["seconds", "images_per_s"]) for run in (first, second))
    pd.testing.assert_frame_equal(*tables, check_exact=True)
    for ours, theirs in zip(
        first[0].net.state_dict().values(), second[0].net.state_dict().values(), strict=True
    ):
        assert torch.equal(ours, theirs)


def test_survival_falls_linearly_from_one_to_the_last():
    assert survival_rates(4, 0.5) == [0.875, 0.75, 0.625, 0.5]
    assert survival_rates(3, 1.0) == [1, 1, 1]


def test_off_by_default_and_then_every_block_is_simply_called():
    net = build(SPEC)

    assert training_pass(net, Recipe(), call) is None
    assert all(not module._forward_pre_hooks for module in net.modules())


@pytest.mark.parametrize("settings", SETTINGS)
def test_same_seed_same_history(few_digits, settings):
    assert_same(trained(few_digits, **settings), trained(few_digits, **settings))


@pytest.mark.parametrize("settings", SETTINGS)
def test_resumed_equals_uninterrupted_and_the_global_generator_does_not_matter(few_digits, settings):
    whole = trained(few_digits, **settings)
    interrupted = Trainer(SPEC, replace(RECIPE, **settings), few_digits)
    for _ in range(4):
        interrupted.step()
    file = io.BytesIO()
    torch.save(interrupted.state(), file)
    file.seek(0)
    torch.manual_seed(12345)
    np.random.seed(1)

    resumed = Trainer(SPEC, replace(RECIPE, **settings), few_digits)
    resumed.load_state(torch.load(file, weights_only=True))
    records = list(resumed.records())

    assert_same((whole[0], whole[1][-len(records) :]), (resumed, records))


@pytest.mark.parametrize("family", ["plain", "residual", "preact", "highway"])
def test_checkpointing_changes_no_bit_of_the_history_nor_of_the_statistics(few_digits, family):
    spec = replace(SPEC, family=family)

    assert_same(trained(few_digits, spec), trained(few_digits, spec, checkpointing=True))


def test_checkpointing_in_bf16_counts_each_batch_once(few_digits):
    trainer, _ = trained(few_digits, checkpointing=True, precision="bf16")
    counted = {int(m.num_batches_tracked) for m in trainer.net.modules() if isinstance(m, nn.BatchNorm2d)}

    assert counted == {trainer.total_iterations}


def kept_bytes(checkpointing):
    """Bytes that autograd keeps of one pass."""
    net = build(NetSpec("residual", 56, width=4, in_channels=1)).train()
    way = training_pass(net, Recipe(checkpointing=checkpointing), call)
    kept = {}

    def note(tensor):
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        net(torch.zeros(8, 1, 8, 8), way).sum()
    return sum(kept.values())


def test_checkpointing_keeps_less_than_half():
    assert kept_bytes(True) < 0.5 * kept_bytes(False)


def test_a_block_without_luck_is_its_shortcut_and_is_not_updated(few_digits):
    trainer = Trainer(SPEC, replace(RECIPE, survival=0.01), few_digits)
    before = [[p.clone() for p in block.parameters()] for block in trainer.net.block_list()]
    trainer.step()
    alive = trainer._pass._alive

    assert not alive.all()
    for block, old, lives in zip(trainer.net.block_list(), before, alive, strict=True):
        changed = any(not torch.equal(a, b) for a, b in zip(old, block.parameters(), strict=True))
        assert changed == lives
        assert int(block.branch[1].num_batches_tracked) == int(lives)


@pytest.mark.parametrize("family", ["residual", "preact"])
def test_bypass_is_the_block_with_a_branch_of_zeros(family):
    net = build(replace(SPEC, family=family, shortcut="B")).eval()
    for block in net.block_list():
        x = torch.rand(2, block.branch[0].weight.shape[0 if family == "preact" else 1], 8, 8)
        bypassed = block.bypass(x)
        for parameter in block.branch[-1].parameters():
            parameter.data.zero_()

        torch.testing.assert_close(bypassed, block(x))


def test_plain_blocks_have_no_way_around():
    with pytest.raises(ValueError, match="no way around"):
        build(SPEC.twin).block_list()[0].bypass(torch.zeros(1, 4, 8, 8))


def test_draws_have_the_rates_of_the_rule():
    way = TrainingPass(build(SPEC), replace(RECIPE, survival=0.2), call)
    drawn = []
    for iteration in range(2000):
        way.begin(iteration)
        drawn.append(way._alive.copy())

    np.testing.assert_allclose(np.mean(drawn, axis=0), survival_rates(6, 0.2), atol=0.04)


def test_dropout_drops_that_share_and_keeps_the_mean():
    way = TrainingPass(build(SPEC), replace(RECIPE, dropout=0.3), call)
    way.begin(7)
    ones = torch.ones(64, 4, 8, 8)
    dropped = way._dropped(2, ones)

    assert float((dropped == 0).float().mean()) == pytest.approx(0.3, abs=0.01)
    assert float(dropped.mean()) == pytest.approx(1, abs=0.02)
    assert torch.equal(dropped, way._dropped(2, ones))
    assert not torch.equal(dropped, way._dropped(3, ones))


def test_dropout_is_for_training_only(few_digits):
    trainer = Trainer(SPEC, replace(RECIPE, dropout=0.5), few_digits)
    clean = build(SPEC, RECIPE.seed).eval()
    images = trainer.test_images.normalised(slice(0, 8))

    torch.testing.assert_close(trainer.net.eval()(images), clean(images))


@pytest.mark.parametrize("family", ["residual", "preact"])
def test_at_test_time_each_branch_is_worth_its_survival(family):
    net = build(replace(SPEC, family=family), seed=3).eval()
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    x = torch.rand(2, 4, 8, 8)
    block, rate = net.block_list()[1], survival_rates(6, 0.4)[1]
    inside = block.branch(x) * rate + block.shortcut(x)
    expected = inside.relu() if family == "residual" else inside

    with at_test_time(net, 0.4):
        torch.testing.assert_close(block(x), expected)
    assert all(torch.equal(before[name], tensor) for name, tensor in net.state_dict().items())


def test_an_error_while_testing_leaves_the_weights_as_they_were():
    net = build(SPEC)
    before = [parameter.clone() for parameter in net.parameters()]
    with pytest.raises(RuntimeError, match="stop"), at_test_time(net, 0.4):
        raise RuntimeError("stop")

    assert all(torch.equal(a, b) for a, b in zip(before, net.parameters(), strict=True))


def test_a_saved_net_is_an_ordinary_one_with_the_recorded_error(few_digits, tmp_path):
    trainer, records = trained(few_digits, survival=0.5)
    save_trained(tmp_path / "net.safetensors", trainer, finished_run("x", trainer, records))

    kept = load_checkpoint(tmp_path / "net.safetensors")
    found = evaluate_split(kept.net, few_digits, "test", kept.normalisation)

    assert found.error_pct == pytest.approx(records[-1].test_error_pct)
    assert found.loss == pytest.approx(records[-1].test_loss, rel=1e-5)


@pytest.mark.parametrize(
    ("family", "settings", "wanted"),
    [
        ("plain", {"survival": 0.5}, "plain-14-w4 has none. Set survival to 1"),
        ("highway", {"survival": 0.5}, "has none"),
        ("highway", {"dropout": 0.5}, "a highway block has only one"),
    ],
)
def test_what_a_family_cannot_do_is_refused(few_digits, family, settings, wanted):
    with pytest.raises(ValueError, match=wanted):
        Trainer(replace(SPEC, family=family), replace(RECIPE, **settings), few_digits)
