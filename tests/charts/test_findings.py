"""Sentences follow from the numbers, also where they show nothing or the reverse."""

import pandas as pd
import pytest

from explorer.charts import findings


def finals(plain, residual, spread=0.0, seeds=3, depth=20):
    rows = [
        {"family": family, "depth": depth, "split": split, "mean": error, "low": error - spread,
         "high": error + spread, "seeds": seeds}
        for family, errors in (("plain", plain), ("residual", residual))
        for split, error in zip(("train", "test"), errors, strict=True)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def test_a_clear_gap_in_training_is_degradation():
    said = findings.conclusion(finals((70.0, 75.0), (1.0, 3.0), spread=2.0), 20)
    assert said.startswith("**Degradation:** plain-20 ends with 70.0 % training error, ResNet-20 with 1.0 %")
    assert "means of 3 seeds" in said
    assert "not overfitting" in said


def test_overlapping_seeds_are_said():
    said = findings.conclusion(finals((10.0, 12.0), (5.0, 7.0), spread=4.0), 20)
    assert "overlapping seeds" in said
    assert "not overfitting" not in said


def test_a_gap_in_the_test_alone_is_no_degradation():
    assert "No degradation at this depth" in findings.conclusion(finals((1.0, 30.0), (0.5, 3.0)), 20)


def test_the_reverse_is_said():
    assert "rather the reverse" in findings.conclusion(finals((1.0, 3.0), (70.0, 75.0)), 20)


def test_one_seed_is_called_one_seed():
    assert "one seed each" in findings.conclusion(finals((1.0, 3.0), (1.0, 3.0), seeds=1), 20)


def test_a_missing_twin_is_said():
    table = finals((1.0, 3.0), (1.0, 3.0))
    said = findings.conclusion(table[table["family"] == "plain"], 20)
    assert "not both been trained" in said
    assert findings.gap_at(table, 110) is None


def test_the_trend_compares_the_shallowest_with_the_deepest_twins():
    table = pd.concat([finals((1.0, 2.0), (1.0, 1.5), depth=8), finals((80.0, 90.0), (0.5, 2.5), depth=56)])
    said = findings.trend(table)
    assert "From 8 to 56 layers" in said
    assert "2.0 % to 90.0 %" in said
    assert "1.5 % to 2.5 %" in said
    assert "not both" in findings.trend(finals((1.0, 2.0), (1.0, 1.5)))


def test_gradients_are_compared_after_the_first_epoch():
    blocks = pd.DataFrame(
        {"run_id": "a", "epoch": [0, 1, 1, 2, 2], "block": [1, 1, 2, 1, 2],
         "gradient_norm": [9.0, 0.5, 0.25, 7.0, 7.0]}
    )  # fmt: skip
    said = findings.gradients(blocks, 56)
    assert "0.5 in the first block and of 0.25 in the last" in said
    assert "a ratio of 2" in said
    assert "No gradients" in findings.gradients(blocks[blocks["epoch"] == 0], 56)


@pytest.mark.parametrize("depth", [8, 56])
def test_gap_counts_in_points(depth):
    gap = findings.gap_at(finals((70.0, 75.0), (1.0, 3.0), depth=depth), depth)
    assert (gap.train_points, gap.test_points) == (69.0, 72.0)
