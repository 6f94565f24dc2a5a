"""The trainer: same seed, same history; resumed equals uninterrupted; every step is SGD as written."""

import hashlib
import io
import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from torch.nn import functional

from explorer.data.sources import digits
from explorer.nets.build import build
from explorer.nets.identity import construct, settle
from explorer.nets.spec import NetSpec
from explorer.training.history import EPOCH_COLUMNS, epoch_table
from explorer.training.recipe import Recipe
from explorer.training.trainer import Trainer, find_device, train_together

SPEC = NetSpec("residual", 8, width=4, in_channels=1)
RECIPE = Recipe(epochs=3, batch_size=32, augment=True, seed=5, device="cpu")
STEPS_PER_EPOCH = 200 // 32
TIMES = ["seconds", "images_per_s"]


def history(trainer):
    return list(trainer.records())


def weights(trainer):
    return {name: tensor.clone() for name, tensor in trainer.net.state_dict().items()}


def assert_same_weights(ours, theirs):
    assert list(ours) == list(theirs)
    for name, tensor in ours.items():
        assert tensor.dtype == theirs[name].dtype
        assert torch.equal(tensor, theirs[name]), name


def assert_same_history(ours, theirs):
    """Bit by bit, but for the clock."""
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        assert a.step_losses.dtype == b.step_losses.dtype == np.float32
        np.testing.assert_array_equal(a.step_losses, b.step_losses)
        pd.testing.assert_frame_equal(a.blocks, b.blocks, check_exact=True)
        pd.testing.assert_frame_equal(a.layers, b.layers, check_exact=True)
    tables = (epoch_table(records).drop(columns=TIMES) for records in (ours, theirs))
    pd.testing.assert_frame_equal(*tables, check_exact=True)


def saved_and_loaded(state):
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


def fingerprint(spec, recipe):
    """Hash of all losses and weights of a run on digits."""
    trainer = Trainer(spec, recipe, digits())
    losses = [record.step_losses.tobytes() for record in trainer.records()]
    tensors = [tensor.numpy().tobytes() for tensor in trainer.net.state_dict().values()]
    return hashlib.sha256(b"".join(losses + tensors)).hexdigest()


@pytest.mark.parametrize("family", ["plain", "residual", "preact", "highway"])
def test_same_seed_same_history(few_digits, family):
    spec = replace(SPEC, family=family)
    first, second = (Trainer(spec, RECIPE, few_digits) for _ in range(2))

    assert_same_history(history(first), history(second))
    assert_same_weights(weights(first), weights(second))


def identity_start(dataset):
    """Weights of a plain net of 20 layers built from one of 8 that nothing has trained."""
    net = build(NetSpec("plain", 8, width=4, in_channels=1), 7)
    images = torch.from_numpy(dataset.split("train").images) / dataset.pixel_max
    settle(net, images)
    return construct(net, 20, images).net.state_dict()


def test_a_start_is_what_the_first_step_begins_with(few_digits):
    start = identity_start(few_digits)
    before = {name: tensor.clone() for name, tensor in start.items()}
    trainer = Trainer(replace(SPEC, family="plain", depth=20), RECIPE, few_digits, start)
    assert_same_weights(weights(trainer), before)
    trainer.step()
    assert not torch.equal(weights(trainer)["stem.0.weight"], before["stem.0.weight"])
    assert_same_weights(start, before)


def test_a_run_from_a_start_resumed_equals_uninterrupted(few_digits):
    spec, start = replace(SPEC, family="plain", depth=20), identity_start(few_digits)
    whole = Trainer(spec, RECIPE, few_digits, start)
    expected = history(whole)
    first = Trainer(spec, RECIPE, few_digits, start)
    ours = [first.record(), first.run_epoch()]
    for _ in range(2):  # into an epoch, so that its order counts too
        first.step()
    second = Trainer(spec, RECIPE, few_digits)
    second.load_state(saved_and_loaded(first.state()))
    while not second.finished:
        ours.append(second.run_epoch())
    assert_same_history(ours, expected)
    assert_same_weights(weights(second), weights(whole))


def test_a_start_of_another_net_is_refused(few_digits):
    with pytest.raises(ValueError, match="build them for its spec"):
        Trainer(SPEC, RECIPE, few_digits, identity_start(few_digits))


def test_another_seed_is_another_history(few_digits):
    first, second = (Trainer(SPEC, replace(RECIPE, seed=seed), few_digits) for seed in (1, 2))

    assert not np.array_equal(history(first)[1].step_losses, history(second)[1].step_losses)


def test_same_seed_same_history_in_another_process():
    recipe = replace(RECIPE, iterations=4)
    code = (
        "import json, sys; sys.path.insert(0, sys.argv[1])\n"
        "from test_trainer import fingerprint, NetSpec, Recipe\n"
        "spec, recipe = json.loads(sys.argv[2])\n"
        "print(fingerprint(NetSpec.from_dict(spec), Recipe.from_dict(recipe)))"
    )
    arguments = [__file__.rpartition("test_trainer.py")[0], json.dumps([SPEC.to_dict(), recipe.to_dict()])]

    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True)

    assert done.stdout.strip() == fingerprint(SPEC, recipe), done.stderr


@pytest.mark.parametrize("steps", [STEPS_PER_EPOCH, 2 * STEPS_PER_EPOCH, STEPS_PER_EPOCH + 2, 1])
def test_resumed_equals_uninterrupted(few_digits, steps):
    whole = Trainer(SPEC, RECIPE, few_digits)
    expected = history(whole)
    interrupted = Trainer(SPEC, RECIPE, few_digits)
    for _ in range(steps):
        interrupted.step()
    state = saved_and_loaded(interrupted.state())

    resumed = Trainer(SPEC, RECIPE, few_digits)
    resumed.load_state(state)
    records = history(resumed)

    assert_same_history(expected[-len(records) :], records)
    assert_same_weights(weights(whole), weights(resumed))
    assert resumed.finished


def test_the_time_of_an_epoch_goes_on_where_it_was_interrupted(few_digits):
    interrupted = Trainer(SPEC, RECIPE, few_digits)
    interrupted.step()
    state = interrupted.state() | {"seconds": 3600.0}
    resumed = Trainer(SPEC, RECIPE, few_digits)
    resumed.load_state(state)

    first, second = (resumed.run_epoch() for _ in range(2))

    assert 3600 < first.seconds < 3700
    assert second.seconds < 100  # each epoch has its own
    assert first.images_per_s < 1


def test_a_used_trainer_can_load_an_earlier_state(few_digits):
    trainer = Trainer(SPEC, RECIPE, few_digits)
    trainer.run_epoch()
    state = saved_and_loaded(trainer.state())
    first = history(trainer)

    trainer.load_state(state)

    assert_same_history(first, history(trainer))


def inputs_of(trainer):
    """Hash of each batch that the net is trained on, in order."""
    seen = []

    def note(module, inputs):
        if module.training:
            seen.append(hashlib.sha256(inputs[0].contiguous().numpy().tobytes()).hexdigest())

    trainer.net.register_forward_pre_hook(note)
    history(trainer)
    return seen


def test_twins_see_the_same_batches_in_the_same_order(few_digits):
    recipe = replace(RECIPE, epochs=2)
    specs = (SPEC, SPEC.twin, replace(SPEC, depth=14), replace(SPEC, family="highway"))

    first, *others = (inputs_of(Trainer(spec, recipe, few_digits)) for spec in specs)

    assert all(seen == first for seen in others)
    assert len(set(first)) == len(first) == 2 * STEPS_PER_EPOCH


def test_each_step_uses_the_rate_of_the_recipe(few_digits):
    recipe = replace(RECIPE, schedule="step", warmup=0.2, iterations=11)
    trainer = Trainer(SPEC, recipe, few_digits)
    used = []
    trainer.optimizer.register_step_pre_hook(lambda opt, _a, _k: used.append(opt.param_groups[0]["lr"]))

    records = history(trainer)

    assert used == [recipe.lr_at(iteration, 11) for iteration in range(11)]
    assert [record.lr for record in records] == [0.0, used[5], used[10]]


def test_steps_are_sgd_with_momentum_and_weight_decay_written_by_hand(few_digits):
    recipe = replace(RECIPE, augment=False, weight_decay=0.01)
    trainer = Trainer(SPEC, recipe, few_digits)
    reference = Trainer(SPEC, recipe, few_digits)
    batches = []
    trainer.net.register_forward_pre_hook(lambda _m, inputs: batches.append(inputs[0].double()))
    order = torch.randperm(200, generator=torch.Generator().manual_seed(recipe.seed * 1_000_003))
    labels = torch.from_numpy(few_digits.split("train").labels)[order]
    net = reference.net.double().train()
    velocity = {name: torch.zeros_like(p) for name, p in net.named_parameters()}

    for number in range(3):
        loss = trainer.step().loss
        expected = functional.cross_entropy(net(batches[number]), labels[32 * number : 32 * (number + 1)])
        net.zero_grad()
        expected.backward()
        with torch.no_grad():
            for name, parameter in net.named_parameters():
                gradient = parameter.grad + 0.01 * parameter
                velocity[name] = 0.9 * velocity[name] + gradient
                parameter -= recipe.lr_at(number, trainer.total_iterations) * velocity[name]
        assert float(loss) == pytest.approx(float(expected.detach()), rel=1e-5)
    for ours, theirs in zip(trainer.net.parameters(), net.parameters(), strict=True):
        torch.testing.assert_close(ours.double(), theirs, rtol=1e-4, atol=1e-5)


def test_records_say_what_happened(few_digits):
    trainer = Trainer(SPEC, RECIPE, few_digits)
    untrained, *epochs = history(trainer)

    assert np.isnan([untrained.train_loss, untrained.train_error_pct]).all()
    assert (untrained.epoch, untrained.iteration, untrained.lr, untrained.seconds) == (0, 0, 0, 0)
    assert len(untrained.step_losses) == 0
    assert untrained.blocks["gradient_norm"].isna().all()
    assert untrained.test_error_pct > 50
    for number, record in enumerate(epochs, 1):
        assert (record.epoch, record.iteration) == (number, number * STEPS_PER_EPOCH)
        assert len(record.step_losses) == STEPS_PER_EPOCH
        assert record.train_loss == pytest.approx(float(record.step_losses.astype(np.float64).mean()))
        assert record.images_per_s == pytest.approx(STEPS_PER_EPOCH * 32 / record.seconds)
        assert (record.blocks["gradient_norm"] > 0).all()
        assert len(record.blocks) == 3
        assert len(record.layers) == 7
    assert epochs[-1].train_loss < epochs[0].train_loss
    assert tuple(epoch_table(epochs).columns) == EPOCH_COLUMNS


def test_training_error_counts_the_batches_as_they_were_trained(few_digits):
    trainer = Trainer(SPEC, replace(RECIPE, epochs=1), few_digits)
    answers = []

    def note(module, _inputs, logits):
        if module.training:
            answers.append(logits.detach().argmax(1))

    trainer.net.register_forward_hook(note)
    _, record = history(trainer)

    order = trainer._epoch_order(0).order[: STEPS_PER_EPOCH * 32]
    wrong = torch.cat(answers) != trainer.train_images.labels[order]
    assert record.train_error_pct == pytest.approx(100 * float(wrong.float().mean()))


def test_each_epoch_counts_its_own_errors(few_digits):
    """A net that stays as it is has the same error in every epoch, not twice as many in the second."""
    trainer = Trainer(SPEC, replace(RECIPE, lr=1e-8, epochs=3), few_digits)
    errors = [record.train_error_pct for record in history(trainer)[1:]]

    assert max(errors) <= 100
    assert max(errors) - min(errors) < 20


def test_recording_does_not_change_the_training(few_digits):
    recorded, bare = (Trainer(SPEC, RECIPE, few_digits) for _ in range(2))
    history(recorded)
    while not bare.finished:
        bare.step()

    assert_same_weights(weights(recorded), weights(bare))


def test_a_partial_last_epoch_is_recorded(few_digits):
    trainer = Trainer(SPEC, replace(RECIPE, iterations=STEPS_PER_EPOCH + 2), few_digits)
    records = history(trainer)

    assert [record.iteration for record in records] == [0, STEPS_PER_EPOCH, STEPS_PER_EPOCH + 2]
    assert [len(record.step_losses) for record in records] == [0, STEPS_PER_EPOCH, 2]
    assert trainer.total_epochs == trainer.epoch == 2


def test_a_batch_larger_than_the_data_is_the_data(few_digits):
    trainer = Trainer(SPEC, replace(RECIPE, batch_size=1000, epochs=1), few_digits)

    assert (trainer.batch_size, trainer.total_iterations) == (200, 1)
    assert np.isfinite(history(trainer)[-1].train_loss)


def test_training_that_diverges_is_recorded_and_does_not_crash(few_digits):
    recipe = replace(RECIPE, lr=100, warmup=0, momentum=0.999, weight_decay=1, epochs=6)
    records = history(Trainer(replace(SPEC, family="plain"), recipe, few_digits))

    assert [record.epoch for record in records] == list(range(7))
    assert not np.isfinite(records[-1].test_loss) or records[-1].test_loss > 2
    assert 0 <= records[-1].test_error_pct <= 100


def test_a_net_that_is_not_a_number_is_recorded(few_digits):
    trainer = Trainer(SPEC, replace(RECIPE, epochs=1), few_digits)
    with torch.no_grad():
        trainer.net.stem[0].weight.fill_(float("nan"))

    untrained, record = history(trainer)

    assert np.isnan(record.train_loss)
    assert np.isnan(record.test_loss)
    assert record.blocks["residual_norm"].isna().all()
    assert 0 <= record.test_error_pct <= 100
    assert untrained.epoch == 0


def test_live_tells_the_losses_of_the_current_epoch(few_digits):
    trainer = Trainer(SPEC, RECIPE, few_digits)
    assert len(trainer.live().losses) == 0
    losses = [float(trainer.step().loss) for _ in range(3)]

    live = trainer.live()

    assert live.iteration == 3
    assert live.losses.tolist() == losses
    assert live.images_per_s > 0


def test_training_together_is_training_one_by_one(few_digits):
    specs = [SPEC, SPEC.twin, replace(SPEC, depth=14)]
    recipes = [RECIPE, replace(RECIPE, seed=1), replace(RECIPE, epochs=2)]
    alone = [Trainer(*pair, few_digits) for pair in zip(specs, recipes, strict=True)]
    together = [Trainer(*pair, few_digits) for pair in zip(specs, recipes, strict=True)]

    records = {number: [] for number in range(3)}
    for number, record in train_together(together):
        records[number].append(record)

    for number, trainer in enumerate(alone):
        assert_same_history(history(trainer), records[number])
        assert_same_weights(weights(trainer), weights(together[number]))


def test_bf16_trains_on_the_cpu(few_digits):
    trainer = Trainer(SPEC, replace(RECIPE, precision="bf16"), few_digits)
    records = history(trainer)

    assert records[-1].train_loss < records[1].train_loss
    assert all(tensor.dtype != torch.bfloat16 for tensor in weights(trainer).values())


def test_it_learns_digits():
    recipe = Recipe(epochs=3, seed=0, device="cpu")
    records = history(Trainer(replace(SPEC, width=16), recipe, digits()))

    assert records[-1].test_error_pct < 15


@pytest.mark.parametrize("name", ["cuda", "mps"])
def test_a_missing_device_is_named_with_what_there_is(name, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)

    with pytest.raises(ValueError, match=f"no {name} device; it has cpu. Leave the device at auto"):
        find_device(name)
    assert find_device("auto") == torch.device("cpu")


@pytest.mark.parametrize("changes", [{"in_channels": 3}, {"classes": 7}])
def test_a_net_that_does_not_fit_the_data_is_refused(few_digits, changes):
    with pytest.raises(ValueError, match="channels and tells"):
        Trainer(replace(SPEC, **changes), RECIPE, few_digits)
