"""Weights by epoch: rebuilt to half a step, exact where they stand for themselves, refused where damaged."""

import pytest
import torch

from explorer.nets.build import build
from explorer.nets.spec import NetSpec
from explorer.nets.weight_history import WeightHistory, epochs_of, rebuild


@pytest.fixture(scope="module")
def states():
    """Of a net whose weights wander for six epochs."""
    draws = torch.Generator().manual_seed(0)
    state = build(NetSpec("residual", 8, width=4), 0).state_dict()
    found = []
    for _ in range(6):
        state = {name: _moved(tensor, draws) for name, tensor in state.items()}
        found.append(state)
    return found


def _moved(tensor, draws):
    if not tensor.is_floating_point():
        return tensor + 1
    return tensor + 0.01 * torch.randn(tensor.shape, generator=draws)


def history(states, bits=8):
    made = WeightHistory()
    return made, [made.add(epoch, state, bits) for epoch, state in enumerate(states)]


@pytest.mark.parametrize("bits", [8, 16])
def test_every_epoch_is_rebuilt_to_half_a_step_and_roundings_do_not_add_up(states, bits):
    made, told = history(states, bits)
    assert epochs_of(made.table()) == list(range(6))
    for epoch, exact in enumerate(states):
        found = rebuild(made.table(), epoch)
        assert set(found) == set(exact)
        for name, tensor in exact.items():
            assert torch.equal(found[name], told[epoch][name])
            if tensor.ndim < 2:
                assert torch.equal(found[name], tensor)
                continue
            step = tensor.flatten(1).abs().amax(1) / (2 ** (bits - 1) - 1)
            assert ((found[name] - tensor).flatten(1).abs().amax(1) <= 0.501 * step).all()


def test_a_filter_of_zeros_and_a_change_of_many_steps_are_rebuilt():
    first, then = torch.zeros(2, 3), torch.tensor([[1e-9, 0.0, 1e-9], [0.0, 0.0, 0.0]])
    made, _ = history([{"w": first}, {"w": then}, {"w": 1e6 * then}, {"w": then}])
    assert torch.equal(rebuild(made.table(), 0)["w"], first)
    assert rebuild(made.table(), 3)["w"] == pytest.approx(then.numpy(), rel=0.1, abs=1e-11)


def test_an_epoch_is_taken_back_and_kept_in_more_bits(states):
    made, told = history(states[:2])
    made.forget(1, told[0])
    finer = made.add(1, states[1], 16)
    assert epochs_of(made.table()) == [0, 1]
    name = next(one for one in finer if finer[one].ndim == 4)
    exact = states[1][name]
    assert (finer[name] - exact).abs().max() < (told[1][name] - exact).abs().max() / 50


def test_what_is_not_there_and_what_is_damaged_is_said(states):
    table = history(states[:2])[0].table()
    with pytest.raises(ValueError, match="no weights of epoch 7"):
        rebuild(table, 7)
    table.at[len(table) - 1, "values"] = b"12"
    with pytest.raises(ValueError, match="damaged"):
        rebuild(table, 1)
