"""Charts of very deep nets: axes with units, fixed ranges, and sentences that say what the numbers say."""

import numpy as np
import pandas as pd

from explorer.charts.overfitting import describe_overfitting, overfitting
from explorer.charts.very_deep import describe_passing, describe_stacks, passing, stacks

NETS = pd.DataFrame({"depth": [20, 1001], "blocks_per_stage": [3, 111], "layers_per_block": [2, 3]})


def signal(factors, std=1.0):
    """Three blocks per family; the gradient of the first is `factor` times the last's."""
    rows = [
        (family, block, 1 + 2 * block, seed, std, gradient)
        for family, factor in factors.items()
        for seed in (0, 1)
        for block, gradient in enumerate((factor, np.sqrt(factor), 1.0), start=1)
    ]
    return pd.DataFrame(
        rows, columns=["family", "block", "layer", "seed", "output_std", "output_gradient_norm"]
    )


def test_blocks_are_drawn_to_scale():
    figure = stacks(NETS)
    assert figure.layout.xaxis.title.text == "weighted layers from the image to the class"
    assert [bar.base[1] for bar in figure.data[:3]] == [1, 334, 667]
    assert all(bar.x[1] == 333 for bar in figure.data[:3])
    assert len([y for y in figure.data[3].y if y == "1001 layers"]) == 334
    assert "1001 layers in 333 blocks" in describe_stacks(NETS)


def test_what_passes_is_drawn_on_a_log_axis_with_a_fixed_range():
    table = signal({"plain": 1e60, "residual": 10.0})
    figure = passing(table, "output_gradient_norm", "gradient norm (log)", (-4.0, 80.0))
    assert figure.layout.yaxis.type == "log"
    assert list(figure.layout.yaxis.range) == [-4.0, 80.0]
    assert "10⁶⁰" in figure.layout.yaxis.ticktext
    assert [trace.name for trace in figure.data if trace.line.width == 2.5] == ["plain", "ResNet"]
    assert "plain 1e+60 in the first block" in describe_passing(table, "output_gradient_norm", "norm")


def test_errors_with_and_without_regularisers():
    finals = pd.DataFrame(
        [("", 8, "test", 14.0, 13.0, 15.0, 3), ("", 8, "train", 0.0, 0.0, 0.0, 3),
         ("-dropout0.3", 8, "test", 12.0, 11.0, 13.0, 3), ("-dropout0.3", 8, "train", 1.0, 1.0, 1.0, 3)],
        columns=["regulariser", "depth", "split", "mean", "low", "high", "seeds"],
    )  # fmt: skip
    figure = overfitting(finals)
    names = [trace.name for trace in figure.data]
    assert {"none, test", "none, training", "dropout, test"} <= set(names)
    assert figure.layout.yaxis.title.text == "final error (%)"
    assert "dropout, test: 12.0 % at 8 layers" in describe_overfitting(finals)
