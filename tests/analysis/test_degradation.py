"""Degradation is a deeper net that trains worse than a shallower one; twins are another sentence."""

import pandas as pd
import pytest

from explorer.analysis import degradation


def net(family, depth, train, test, spread=0.0, seeds=3):
    return [
        {"family": family, "depth": depth, "split": split, "mean": error, "low": error - spread,
         "high": error + spread, "seeds": seeds}
        for split, error in (("train", train), ("test", test))
    ]  # fmt: skip


def finals(*nets):
    return pd.DataFrame([row for one in nets for row in one])


DIGITS = finals(
    net("plain", 8, 0.2, 1.7), net("residual", 8, 0.1, 1.9),
    net("plain", 20, 0.0, 3.1), net("residual", 20, 0.0, 2.1), net("highway", 20, 1.8, 3.1),
    net("plain", 56, 70.4, 76.1), net("residual", 56, 0.0, 1.7), net("highway", 56, 82.6, 84.7),
)  # fmt: skip


def test_a_deeper_net_that_trains_worse_is_degradation_for_each_family():
    said = degradation.conclusion(DIGITS, 56, families=("plain", "residual"))
    assert said.startswith(
        "**Degradation:** plain-56 trains worse than plain-20 (70.4 against 0.0 % training error); "
        "ResNet-56 does not (0.0 against 0.0 %). Twins: plain-56 ends with 70.4 % training error, ResNet-56 "
        "with 0.0 % (means of 3 seeds; in the test 76.1 % and 1.7 %). The plain net is worse in training"
    )


def test_highway_nets_are_spoken_of_where_they_were_trained():
    assert "Highway-56 trains worse than Highway-20 (82.6 against 1.8 %)" in degradation.conclusion(
        DIGITS, 56
    )


def test_residual_nets_that_degrade_are_not_passed_over():
    table = finals(net("plain", 20, 32.2, 31), net("residual", 20, 26.0, 26),
                   net("plain", 44, 58.8, 56), net("residual", 44, 40.0, 38))  # fmt: skip
    said = degradation.degradation(table, 44)
    assert said.startswith("**Degradation in every family:** plain-44 trains worse than plain-20")
    assert "ResNet-44 trains worse than ResNet-20 (40.0 against 26.0 %)" in said


def test_at_the_shallowest_depth_there_is_no_word_of_degradation():
    said = degradation.conclusion(DIGITS, 8, 90.0)
    assert said.startswith("Twins: plain-8 ends with 0.2 % training error, ResNet-8 with 0.1 %")
    assert "egradation" not in said


def test_no_degradation_is_said_with_the_net_compared_with():
    said = degradation.degradation(DIGITS, 20)
    assert said.startswith("**No degradation at this depth:** plain-20 trains no worse than plain-8")


def test_a_deeper_net_that_trains_better_is_said_to():
    table = finals(net("plain", 20, 15.9, 18), net("residual", 20, 11.8, 15),
                   net("plain", 56, 38.8, 37), net("residual", 56, 8.7, 14))  # fmt: skip
    said = degradation.degradation(table, 56)
    assert "ResNet-56 trains better (8.7 against 11.8 %)" in said
    alone = degradation.degradation(table[table["family"] == "residual"], 56)
    assert "ResNet-56 trains better than ResNet-20 (8.7 against 11.8 % training error)" in alone


def test_overlapping_seeds_are_said():
    table = finals(net("plain", 20, 5.0, 7, spread=4), net("plain", 56, 10.0, 12, spread=4))
    assert "on average, with overlapping seeds" in degradation.degradation(table, 56)


def test_the_reverse_is_said_of_twins():
    table = finals(net("plain", 20, 1.0, 3.0), net("residual", 20, 70.0, 75.0))
    assert "the residual net that is worse" in degradation.twins(table, 20)


def test_one_seed_is_called_one_seed_and_a_missing_twin_is_said():
    table = finals(net("plain", 20, 1.0, 3.0, seeds=1), net("residual", 20, 1.0, 3.0, seeds=1))
    assert "one seed each" in degradation.twins(table, 20)
    assert "not both been trained" in degradation.twins(table, 110)
    assert degradation.gap_at(table, 110) is None


@pytest.mark.parametrize(("train", "said"), [(81.0, True), (80.9, False)])
def test_only_a_net_near_guessing_has_learnt_next_to_nothing(train, said):
    table = finals(net("plain", 20, train, 90.0), net("residual", 20, 0.0, 2.0))
    assert ("plain-20 learnt next to nothing" in degradation.conclusion(table, 20, 90.0)) == said
    assert "ResNet-20 learnt" not in degradation.conclusion(table, 20, 90.0)


def test_the_trend_compares_the_shallowest_with_the_deepest_twins():
    said = degradation.trend(DIGITS)
    assert "From 8 to 56 layers" in said
    assert "1.7 % to 76.1 %" in said
    assert "1.9 % to 1.7 %" in said
    assert "mean test error" in said
    assert "the plain nets' test error (one seed each)" in degradation.trend(DIGITS.assign(seeds=1))
    assert "not both" in degradation.trend(DIGITS[DIGITS["depth"] == 8])
