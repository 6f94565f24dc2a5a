"""Charts of gradients: arrows at their true angle, relative sizes on a log axis, strips by step, shares."""

import math

import numpy as np
import pandas as pd
import pytest

from explorer.charts import gradients as charts


def named(figure, name):
    return next(trace for trace in figure.data if trace.name == name)


@pytest.mark.parametrize("degrees", [0.0, 61.9, 90.0, 133.0])
def test_arrows_stand_at_the_angle_that_is_written(degrees):
    figure = charts.arrows({"plain-56": ("plain", degrees)})
    tips = [(one.x - one.ax, one.y - one.ay) for one in figure.layout.annotations if one.showarrow]
    (x, y), (u, v) = tips
    assert math.degrees(math.acos(x * u + y * v)) == pytest.approx(degrees, abs=1e-5)
    assert f"{degrees:.1f}°" in " ".join(str(one.text) for one in figure.layout.annotations)
    assert f"plain-56 {degrees:.1f} degrees" in charts.describe_arrows({"plain-56": ("plain", degrees)})


def agreement():
    rows = [(net, seed, block, 0.1 * block + 0.02 * seed) for net in ("plain-20", "residual-20", "plain-56")
            for seed in (0, 1) for block in (1, 2, 3)]  # fmt: skip
    return pd.DataFrame(rows, columns=["net", "seed", "block", "cosine"])


def test_agreement_is_the_mean_over_the_seeds_and_what_was_measured_now_is_a_line_more():
    now = pd.DataFrame({"block": [1, 2], "cosine": [0.5, 0.6]})
    figure = charts.agreement_by_block(agreement(), 20, {"mine": ("residual", now)})
    assert list(named(figure, "plain-20").y) == pytest.approx([0.11, 0.21, 0.31])
    assert list(named(figure, "mine").y) == [0.5, 0.6]
    assert not any(trace.name == "plain-56" for trace in figure.data)


def test_sizes_are_relative_to_the_last_block_and_a_dead_net_stays_on_the_axis():
    rows = [("plain-20", 0, block, norm) for block, norm in ((1, 8.0), (2, 4.0), (3, 2.0))]
    rows += [("residual-20", 0, block, norm) for block, norm in ((1, 0.0), (2, 1e-9), (3, 1.0))]
    figure = charts.sizes_by_block(pd.DataFrame(rows, columns=["net", "seed", "block", "norm"]), 20, "norm")
    assert list(named(figure, "plain-20").y) == [4, 2, 1]
    low, high = figure.layout.yaxis.range
    assert low < -29
    assert min(named(figure, "ResNet-20").y) > 0
    assert high >= 2


def test_ratios_begin_at_the_untrained_net():
    ratios = {"plain-56": {0: 2400.0, 11: 8.0}}
    figure = charts.ratio_over_steps(ratios)
    assert list(named(figure, "plain-56").y) == [2400, 8]
    assert figure.layout.xaxis.ticktext == ("0", "11")
    assert "plain-56 2.4e+03 untrained, 8 after 11 steps" in charts.describe_ratios(ratios, "Norm")


def test_a_strip_has_a_column_per_step():
    units = np.zeros((5, 3))
    units[4, 2] = 1.0
    drawn = np.asarray(charts.strip(units).data[0].z)
    assert drawn.shape == (3, 5)
    assert drawn[2, 4] == drawn.max() > 0


def test_shares_are_drawn_in_per_cent():
    figure = charts.path_lengths({"exact": [0.25, 0.75], "paths": [0.5, 0.5]})
    assert list(named(figure, "gradient, exactly").y) == [25, 75]
    assert len(figure.data) == 2


def test_forced_curves_name_what_was_done_to_the_steps():
    rows = [("plain-56", manner, 0, epoch, 80.0, 80.0) for manner in charts.MANNERS for epoch in (0, 10)]
    names = ["net", "manner", "seed", "epoch", "train_error_pct", "test_error_pct"]
    figure = charts.forced_curves(pd.DataFrame(rows, columns=names), "plain-56")
    for title in charts.MANNERS.values():
        assert list(named(figure, title).y) == [80, 80]
