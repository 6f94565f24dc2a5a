"""Gradient ratios: medians over seeds at named times, judged at the paper's depths and named beyond them."""

import pandas as pd
import pytest

from explorer.analysis import gradients


def facts(trained, untrained=None, seeds=(0,)):
    """`trained`: by net, the ratio after the first epoch and after the last; `untrained`: one ratio."""
    runs, blocks, signal = [], [], []
    for net, ratios in trained.items():
        for seed in seeds:
            runs.append((f"{net}-{seed}", net))
            for epoch, ratio in zip((0, 1, 9), (None, *ratios), strict=True):
                blocks += [(f"{net}-{seed}", epoch, 1, ratio), (f"{net}-{seed}", epoch, 2, ratio and 1.0)]
    for net, ratio in (untrained or {}).items():
        signal += [(net, seed, block, norm) for seed in seeds for block, norm in ((1, ratio), (2, 1.0))]
    return gradients.measured(
        pd.DataFrame(runs, columns=["run_id", "id"]),
        pd.DataFrame(blocks, columns=["run_id", "epoch", "block", "gradient_norm"]),
        pd.DataFrame(signal, columns=["net", "seed", "block", "gradient_norm"]),
    )


@pytest.mark.parametrize(("last", "verdict"), [(0.1, "reproduced"), (0.09, "not reproduced")])
def test_healthy_is_a_tenth_at_least(last, verdict):
    assert gradients.judge(facts({"plain-56": (2.0, last)})).verdict == verdict


def test_the_paper_speaks_of_20_to_56_layers_and_110_is_named_beside_them():
    judged = gradients.judge(
        facts({"plain-20": (5.0, 1.0), "plain-56": (0.6, 0.2), "plain-110": (1e-8, 7e-16)})
    )
    assert judged.verdict == "reproduced"
    assert (
        "plain-56: 0.6 after the first epoch, 0.2 at the end; beyond the claim, plain-110: 1·10⁻⁸"
        in judged.reason
    )


def test_a_vanished_gradient_at_a_depth_of_the_claim_is_not_overlooked():
    assert gradients.judge(facts({"plain-32": (1e-3, 1.0), "plain-56": (1, 1)})).verdict == "not reproduced"
    assert gradients.judge(facts({"plain-20": (1.0, 1.0)})).verdict == "not measured yet"


def test_the_ratio_is_the_median_over_the_seeds():
    blocks = pd.DataFrame(
        [(f"r{n}", 1, block, norm) for n, first in enumerate((1.0, 2.0, 1e30))
         for block, norm in ((1, first), (2, 1.0))],
        columns=["run_id", "epoch", "block", "gradient_norm"],
    )  # fmt: skip
    runs = pd.DataFrame({"run_id": ["r0", "r1", "r2"], "id": "plain-56"})
    found = gradients.measured(runs, blocks, pd.DataFrame(columns=["net", "seed", "block", "gradient_norm"]))
    assert found.first["plain-56"] == gradients.Ratio(2.0, 1.0, 1e30, 3)


@pytest.mark.parametrize(("ratio", "said"), [(1e60, "it explodes"), (340.0, "it grows"), (0.5, None)])
def test_an_untrained_gradient_grows_or_explodes_or_neither(ratio, said):
    text = gradients.untrained_sentence(facts({}, {"plain-56": ratio, "residual-56": 12.0}), ["plain-56"])
    assert said is None or said in text
    assert ("does not vanish" in text) == (said is not None)
    assert "times as large as in the last one's in plain-56" in text


def test_trained_and_untrained_are_told_apart():
    found = facts({"plain-56": (0.6, 0.15)}, {"plain-56": 2000.0})
    assert "plain-56: 0.6 after the first epoch, 0.15 at the end" in gradients.trained_sentence(
        found, ["plain-56"]
    )
    assert "2,000 times" in gradients.untrained_sentence(found, ["plain-56"])
    assert gradients.trained_sentence(found, ["plain-8"]).startswith("No gradients were recorded")


@pytest.mark.parametrize(("std", "alive"), [(0.1, True), (0.09, False)])
def test_a_signal_that_dies_out_is_not_said_to_live(std, alive):
    table = pd.DataFrame({"net": "plain-20", "block": [1, 2], "output_std": [1.0, std]})
    assert ("dies out in none" in gradients.signal_sentence(table)) == alive
