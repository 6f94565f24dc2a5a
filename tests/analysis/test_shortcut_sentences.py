"""Sentences on shortcuts: by the rule for a trained net, and what gates carry computed from their means."""

import pandas as pd
import pytest

from explorer.analysis import shortcuts


def strengths(errors, depth=56):
    rows = [
        (depth, strength, seed, epoch, error if epoch else float("nan"), 0.4, 0.1 if epoch == 0 else None)
        for strength, found in errors.items()
        for seed, error in enumerate(found)
        for epoch in (0, 10)
    ]
    names = ["depth", "strength", "seed", "epoch", "train_error_pct", "ratio", "agreement"]
    return pd.DataFrame(rows, columns=names)


@pytest.mark.parametrize(("error", "said"), [(5.0, "trains**"), (5.1, "does not train within 10 epochs**")])
def test_a_net_that_trains_is_told_from_one_that_does_not(error, said):
    text = shortcuts.strength_sentence(strengths({0.5: [error]}), 56, 0.5)
    assert f"a net with shortcuts of strength 0.5 {said}" in text
    assert "0.4 times as large as its input" in text
    assert "with a cosine of 0.1" in text


def test_the_weakest_shortcut_that_trains():
    table = strengths({0.0: [70.0], 0.25: [60.0], 0.75: [2.0], 1.0: [0.0]})
    assert shortcuts.least_strength(table, 56).endswith("has strength 0.75; 0 and 0.25 do not.")
    assert shortcuts.least_strength(strengths({0.0: [70.0], 1.0: [0.0]}), 56).endswith(
        "strength 1; 0 does not."
    )
    assert shortcuts.least_strength(strengths({0.0: [1.0]}), 56).endswith("here every one does.")
    assert shortcuts.least_strength(strengths({0.0: [70.0]}), 56) == ""


def test_gates_carry_the_product_of_what_each_lets_pass():
    rows = [(20, -2.0, 0, epoch, 1.9 if epoch else None, 0, None) for epoch in (0, 10)]
    rows += [
        (20, -2.0, 0, epoch, None, block, 0.1 + 0.02 * (epoch == 10)) for epoch in (0, 10) for block in (1, 2)
    ]
    names = ["depth", "bias", "seed", "epoch", "train_error_pct", "block", "mean"]
    said = shortcuts.bias_sentence(pd.DataFrame(rows, columns=names), 20, -2.0)
    assert "opens the gates 10 % at the start, so that all 2 of them together let 0.81 of x pass" in said
    assert "Training error at the end: 1.9 % (one seed). The gates hardly move in 110 steps" in said


def test_what_was_not_trained_is_said():
    assert "Nothing was trained" in shortcuts.strength_sentence(strengths({0.5: [1.0]}), 56, 0.3)
