"""Charts of shortcuts and gates: colours from plain to residual, the plane of T and C, maps side by side."""

import numpy as np
import pandas as pd

from explorer.charts import shortcuts as charts
from explorer.charts.theme import colour


def named(figure, name):
    return next(trace for trace in figure.data if trace.name == name)


def test_the_ends_have_the_colours_of_their_families():
    assert charts.shade_of(0) == colour("plain")
    assert charts.shade_of(1) == colour("residual")
    assert charts.shade_of(0.5) not in (colour("plain"), colour("residual"))


def test_the_chosen_strength_is_bold():
    rows = [(56, strength, 0, epoch, 10.0, 10.0) for strength in (0.0, 0.5, 1.0) for epoch in (1, 2)]
    table = pd.DataFrame(
        rows, columns=["depth", "strength", "seed", "epoch", "train_error_pct", "test_error_pct"]
    )
    figure = charts.error_by_strength(table, 56, 0.5, "train")
    widths = {
        strength: named(figure, charts.strength_title(strength)).line.width for strength in (0.0, 0.5, 1.0)
    }
    assert widths[0.5] > widths[0.0] == widths[1.0]


def test_the_plane_has_the_residual_block_where_no_highway_net_is():
    figure = charts.plane(0.75, [0.1, 0.3])
    residual, gates = named(figure, "residual"), named(figure, "gates of a trained net")
    assert (residual.x[0], residual.y[0]) == (1, 1)
    assert [x + y for x, y in zip(gates.x, gates.y, strict=True)] == [1, 1]
    chosen = named(figure, "chosen: s = 0.75")
    assert (chosen.x[0], chosen.y[0]) == (1, 0.75)


def test_maps_of_all_sizes_stand_side_by_side():
    figure = charts.gate_maps([(1, np.full((4, 4), 0.2)), (2, np.array([[0.1, 0.9], [0.3, 0.4]]))])
    drawn = np.asarray(figure.data[0].z, float)
    assert drawn.shape == (4, 9)
    assert np.isnan(drawn[:, 4]).all()
    assert (drawn[:2, 7:] == 0.9).all()
    assert figure.layout.xaxis.ticktext == ("1", "2")


def test_gates_in_words():
    table = pd.DataFrame({"block": [1, 2], "mean": [0.1, 0.2], "low": [0.0, 0.1], "high": [0.3, 0.4]})
    assert "mean T 0.100 to 0.200 over 2 layers" in charts.describe_gates({"mine": table})
    figure = charts.gates_by_layer({"mine": table}, {1: 0.5})
    assert list(named(figure, "this picture").y) == [0.5]
