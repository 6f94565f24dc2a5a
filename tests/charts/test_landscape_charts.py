"""Slices drawn: one scale for every net, clipped losses, a trajectory in order."""

import math

import numpy as np
import pandas as pd
import pytest

from explorer.charts.landscape import contour, describe, surface


def grid(loss):
    at = [-1.0, 0.0, 1.0]
    rows = [(x, y, loss[row][column], 10.0 * row) for row, y in enumerate(at) for column, x in enumerate(at)]
    return pd.DataFrame(rows, columns=["x", "y", "loss", "error_pct"])


LOW = grid([[1, 1, 1], [1, 0.0001, 1], [1, 1, 2]])
HIGH = grid([[1, math.inf, 1], [1, 2, 1], [1, 1, 1e9]])


def test_every_net_has_one_scale_and_losses_beyond_it_lie_on_its_ends():
    low, high = contour(LOW, "loss").data[0], contour(HIGH, "loss").data[0]
    assert (low.zmin, low.zmax) == (high.zmin, high.zmax)
    assert low.zmax == pytest.approx(1)
    assert low.z[1][1] == pytest.approx(math.log10(0.003))
    assert high.z[0][1] == high.z[2][2] == pytest.approx(1)
    assert "loss 1e+09" in high.hovertext[2][2]
    turned = surface(HIGH, "loss")
    assert (turned.data[0].cmin, turned.data[0].cmax) == (low.zmin, low.zmax)
    assert turned.layout.scene.zaxis.range[0] == low.zmin
    assert turned.layout.scene.zaxis.range[1] > low.zmax  # nothing lies on the lid
    assert np.array(turned.data[0].z).max() == pytest.approx(1)


def test_the_error_is_drawn_as_it_is():
    drawn = contour(LOW, "error_pct").data[0]
    assert (drawn.zmin, drawn.zmax) == (0, 100)
    assert [row[0] for row in drawn.z] == [0, 10, 20]


def test_a_trajectory_is_drawn_from_the_first_epoch_to_the_last():
    way = pd.DataFrame({"epoch": [1, 0], "x": [0.0, -1.0], "y": [0.0, 1.0], "train_error_pct": [1.0, 90.0]})
    figure = contour(LOW, "loss", way)
    assert list(figure.data[1].x) == [-1, 0]
    assert figure.data[1].hovertext[0].endswith("90.0 %")
    assert figure.layout.xaxis.title.text == "first component"


def test_the_words_name_the_middle_and_the_ends():
    assert describe("plain-20", LOW, "loss") == (
        "training loss around plain-20: 0.0001 in the middle, 0.0001 to 2 over the slice."
    )
    assert "10.0 % in the middle, 0.0 % to 20.0 %" in describe("plain-20", LOW, "error_pct")
