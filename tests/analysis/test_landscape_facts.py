"""What slices say: areas, rays, and sentences at the edges of their rules."""

import numpy as np
import pandas as pd
import pytest

from explorer.analysis.landscape import Facts, around, compared, facts, trajectory_sentence


def grid(loss, points=21, error=0.0):
    at = np.linspace(-1, 1, points)
    x, y = np.meshgrid(at, at)
    return pd.DataFrame({"x": x.ravel(), "y": y.ravel(), "loss": loss(x, y).ravel(), "error_pct": error})


def test_a_bowl_rises_on_every_ray_and_a_dent_stops_one():
    bowl = facts(grid(lambda x, y: 0.999 * (x**2 + y**2)))
    assert (bowl.loss, bowl.rising) == (0, 8)
    inside = [(a, b) for a in range(-10, 11) for b in range(-10, 11) if a * a + b * b <= 100]
    assert bowl.good_pct == pytest.approx(100 * len(inside) / 441)
    assert facts(grid(lambda x, y: x**2 + y**2 - 2 * ((x > 0.9) & (y == 0)))).rising == 7
    assert facts(grid(lambda x, y: np.where(x > 0, np.inf, x**2 + y**2))).rising == 5


def test_denser_grids_are_read_at_the_same_places():
    ripple = 0.2
    dense = facts(grid(lambda x, y: x**2 + y**2 + ripple * (np.round(20 * x) % 2), points=41))
    assert dense == facts(grid(lambda x, y: x**2 + y**2))


def found(loss=0.01, error=0.0, good=40.0):
    return Facts(loss, error, good, 20.0, 8)


def test_a_net_that_did_not_learn_is_said_to_be_one():
    said = compared([found()] * 2, [found(2.07, 75.0, 0.0)], [found(good=10.0), found(good=20.0)])
    assert "at a loss of 2.07, where guessing has 2.30" in said
    assert "around the plain net that was built and trained is 0.25 to 0.50 times as large" in said
    alone = compared([found()], [found(good=20.0)], [])
    assert "around the plain net is 0.50 times" in alone
    assert "learned" not in alone
    assert compared([], [found()], []) == ""


def test_several_pairs_of_directions_are_a_range():
    said = around("ResNet-20", [found(good=20.0), found(good=41.0)])
    assert "below 1 on 20 to 41 % of the slice" in said
    assert "along 8 of 8 rays" in said


def test_the_way_stands_beside_a_random_walk():
    trajectory = pd.DataFrame(
        {"epoch": range(11), "share_1": 0.9, "share_2": 0.08, "train_error_pct": [90.0] * 10 + [0.5]}
    )
    said = trajectory_sentence("plain-20", trajectory, [0.814, 0.092, 0.094])
    assert "11 states, training error at the end 0.5 %: two components hold 98.0 %" in said
    assert "would have 90.6 %" in said
