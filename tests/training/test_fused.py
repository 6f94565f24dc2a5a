"""The fused kernel: equal to BatchNorm2d in float64, taken by the trainer, left where it cannot be built."""

import stat
from dataclasses import replace

import pytest
import torch
from test_trainer import assert_same_history, assert_same_weights, history, saved_and_loaded, weights
from torch import nn

from explorer.nets.build import build
from explorer.nets.spec import NetSpec
from explorer.training import kernels
from explorer.training.fused import FusedNet, batch_norm, can_fuse
from explorer.training.recipe import Recipe
from explorer.training.trainer import Trainer

FUSED = Recipe(epochs=2, batch_size=32, augment=True, seed=5, device="cpu", kernels="fused")
SPEC = NetSpec("residual", 8, width=4, in_channels=1)
NETS = [
    "plain-8",
    "residual-8",
    "residual-8-B",
    "residual-8-C",
    "residual-11-bottleneck-B",
    "preact-8",
    "highway-8",
]


@pytest.fixture(scope="module")
def kernel():
    """The compiled kernel; the tests that need it say so where no compiler is."""
    try:
        return kernels.load()
    except kernels.KernelError as error:
        pytest.skip(str(error))


def reference(norm, x, other, relu):
    """The same in float64, by torch's operations."""
    y = norm.double()(x.double())
    y = y if other is None else y + other.double()
    return torch.relu(y) if relu else y


def norm_of(channels):
    norm = nn.BatchNorm2d(channels)
    with torch.no_grad():
        norm.weight.uniform_(0.5, 1.5)
        norm.bias.uniform_(-1, 1)
    return norm


def relative(ours, theirs):
    return float((ours.double() - theirs).norm() / theirs.norm())


@pytest.mark.parametrize("channels", [1, 4, 16, 48, 64, 112])
@pytest.mark.parametrize(("added", "relu"), [(False, True), (True, True), (True, False), (False, False)])
def test_one_operation_equals_batch_norm_in_float64(kernel, channels, added, relu):
    torch.manual_seed(channels)
    shape = (16, channels, 6, 5)
    x = (torch.randn(shape) * 3 + 50).contiguous(
        memory_format=torch.channels_last
    )  # far from zero: sums must not cancel
    other = torch.randn(shape) if added else None
    grad = torch.randn(shape)
    ours, theirs = norm_of(channels), nn.BatchNorm2d(channels)
    theirs.load_state_dict(ours.state_dict())
    inputs = [
        [tensor.clone().requires_grad_() for tensor in (x, other) if tensor is not None] for _ in range(2)
    ]

    y = batch_norm(ours, *inputs[0], relu=relu)
    y.backward(grad)
    expected = reference(theirs, inputs[1][0], inputs[1][1] if added else None, relu)
    expected.backward(grad.double())

    assert type(y.grad_fn).__name__ == "FusedBatchNormBackward"
    assert relative(y.detach(), expected.detach()) < 1e-5
    for mine, exact in zip(
        inputs[0] + list(ours.parameters()), inputs[1] + list(theirs.parameters()), strict=True
    ):
        assert relative(mine.grad, exact.grad.double()) < 1e-5
    for name, buffer in ours.named_buffers():
        torch.testing.assert_close(
            buffer.double(), dict(theirs.named_buffers())[name].double(), rtol=1e-5, atol=0
        )


def test_in_bfloat16_the_result_is_rounded_once(kernel):
    torch.manual_seed(0)
    x, other = (torch.randn(8, 32, 7, 7).bfloat16() for _ in range(2))
    norm = norm_of(32)
    exact = nn.BatchNorm2d(32)
    exact.load_state_dict(norm.state_dict())

    y = batch_norm(norm, x, other, relu=True)

    assert y.dtype == torch.bfloat16
    torch.testing.assert_close(y.double(), reference(exact, x, other, True).detach(), rtol=2**-8, atol=2e-6)


def test_values_that_overflow_stay_visible(kernel):
    x = torch.randn(4, 16, 4, 4)
    x[0, 3, 0, 0] = float("nan")

    y = batch_norm(norm_of(16), x, relu=True)

    assert y[:, 3].isnan().all()
    assert not y[:, :3].isnan().any()


def test_the_result_does_not_depend_on_threads(kernel):
    x = torch.randn(64, 16, 16, 16)
    before = torch.get_num_threads()
    try:
        made = []
        for threads in (1, 2):
            torch.set_num_threads(threads)
            made.append(batch_norm(norm_of_seed(16), x, relu=True))
    finally:
        torch.set_num_threads(before)

    assert torch.equal(*made)


def norm_of_seed(channels):
    torch.manual_seed(1)
    return norm_of(channels)


@pytest.mark.parametrize("spoil", ["channels", "eval", "float64"])
def test_what_the_kernel_does_not_take_is_computed_by_torch(spoil):
    x = torch.randn(4, 12 if spoil == "channels" else 16, 4, 4)
    norm = norm_of(x.shape[1])
    norm.train(spoil != "eval")
    if spoil == "float64":
        norm, x = norm.double(), x.double()
    twin = nn.BatchNorm2d(x.shape[1]).to(x.dtype).train(norm.training)
    twin.load_state_dict(norm.state_dict())

    assert not can_fuse(norm, x)
    assert torch.equal(batch_norm(norm, x, x, relu=True), torch.relu(twin(x) + x))
    assert torch.equal(norm.running_mean, twin.running_mean)


@pytest.mark.parametrize("net", NETS)
def test_a_whole_net_equals_its_eager_self(kernel, net):
    spec = NetSpec.parse(net, in_channels=3, classes=10)
    eager, fused = (build(spec, seed=3).train().to(memory_format=torch.channels_last) for _ in range(2))
    x = torch.randn(16, 3, 16, 16, generator=torch.Generator().manual_seed(0))

    logits = FusedNet(fused)(x)

    torch.testing.assert_close(logits, eager(x), rtol=1e-4, atol=1e-4)
    for (name, ours), theirs in zip(fused.named_buffers(), eager.buffers(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5, msg=name)


def fused_operations(tensor):
    """How many fused operations stand in the graph of a tensor."""
    seen, todo = set(), [tensor.grad_fn]
    while todo:
        node = todo.pop()
        if node is not None and node not in seen:
            seen.add(node)
            todo += [parent for parent, _ in node.next_functions]
    return sum(type(node).__name__ == "FusedBatchNormBackward" for node in seen)


def test_every_batch_norm_of_a_step_is_fused(kernel, few_digits):
    trainer = Trainer(replace(SPEC, depth=20), FUSED, few_digits)

    assert trainer.kernels == "fused"
    assert fused_operations(trainer._fused(trainer.train_images.normalised(slice(0, 32)))) == 19


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_same_seed_same_history_and_resumed_equals_uninterrupted(kernel, few_digits, precision):
    recipe = replace(FUSED, precision=precision)
    whole = Trainer(SPEC, recipe, few_digits)
    records = history(whole)
    part = Trainer(SPEC, recipe, few_digits)
    begun = [part.record(), part.run_epoch()]
    part.step()
    resumed = Trainer(SPEC, recipe, few_digits)
    resumed.load_state(saved_and_loaded(part.state()))
    while not resumed.at_epoch_end:
        resumed.step()

    assert_same_history([*begun, resumed.record()], records)
    assert_same_weights(weights(resumed), weights(whole))


def test_fused_and_eager_runs_are_alike(kernel, few_digits):
    fused, eager = (
        history(Trainer(SPEC, replace(FUSED, kernels=name), few_digits)) for name in ("fused", "eager")
    )

    assert fused[0].test_loss == eager[0].test_loss
    for ours, theirs in zip(fused[1:], eager[1:], strict=True):
        assert ours.train_loss == pytest.approx(theirs.train_loss, rel=1e-3)
        assert ours.train_loss != theirs.train_loss  # rounded otherwise: the fused path was taken


@pytest.mark.parametrize("setting", [{"checkpointing": True}, {"survival": 0.5, "checkpointing": True}])
def test_checkpointing_changes_nothing_with_fused_kernels(kernel, few_digits, setting):
    recipe = replace(FUSED, epochs=1, **setting)
    kept, again = (
        Trainer(SPEC, replace(recipe, checkpointing=checkpointing), few_digits)
        for checkpointing in (False, True)
    )

    assert_same_history(history(again), history(kept))
    assert_same_weights(weights(again), weights(kept))


@pytest.fixture
def no_compiler(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.delenv("CXX", raising=False)
    kernels.load.cache_clear()
    yield
    kernels.load.cache_clear()


def test_without_a_compiler_training_is_eager_and_says_so(no_compiler, few_digits, caplog):
    trainer = Trainer(SPEC, FUSED, few_digits)
    eager = Trainer(SPEC, replace(FUSED, kernels="eager"), few_digits)

    assert trainer.kernels == "eager"
    assert "no C++ compiler" in caplog.text
    assert "no C++ compiler" in kernels.state()
    assert_same_history(history(trainer), history(eager))


def test_a_compiler_that_fails_is_named(tmp_path, monkeypatch):
    broken = tmp_path / "broken-compiler"
    broken.write_text("#!/bin/sh\necho 'batch_norm.cpp:1: error: out of luck' >&2\nexit 1\n")
    broken.chmod(broken.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("CXX", str(broken))

    with pytest.raises(kernels.KernelError, match=r"broken-compiler could not build.*out of luck"):
        kernels.build()
    assert not kernels.is_built()


def test_it_can_be_switched_off(monkeypatch, few_digits):
    monkeypatch.setenv(kernels.SWITCH_VARIABLE, "eager")
    kernels.load.cache_clear()

    assert Trainer(SPEC, FUSED, few_digits).kernels == "eager"
    assert kernels.state() == "switched off by EXPLORER_KERNELS=eager"


def test_a_second_build_is_none(kernel):
    kernels.build()

    assert kernels.is_built()
    assert kernels.build() == 0.0
