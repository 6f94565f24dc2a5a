"""A sweep's results: means over the seeds in the right cell, and every run as one line."""

import pandas as pd

from explorer.charts.sweep import describe_grid, error_grid, error_heat, parallel_runs


def table(**columns):
    rows = [
        ("residual", 20, 0, 4.0), ("residual", 20, 1, 6.0), ("plain", 20, 0, 10.0), ("plain", 8, 0, 3.0),
    ]  # fmt: skip
    made = pd.DataFrame(rows, columns=["family", "depth", "seed", "test_error_pct"])
    return made.assign(train_error_pct=1.0, **columns)


def test_families_stand_side_by_side_where_nothing_else_was_varied():
    grid = error_grid(table(), {})

    assert list(grid.index) == ["8 layers", "20 layers"]
    assert list(grid.columns) == ["plain", "ResNet"]
    assert grid.loc["20 layers", "ResNet"] == 5.0
    assert pd.isna(grid.loc["8 layers", "ResNet"])
    assert describe_grid(grid, {}) == (
        "Lowest mean test error: 3.0 % (8 layers, plain). Highest: 10.0 % (20 layers, plain)."
    )
    figure = error_heat(grid, "family")
    assert [list(row) for row in figure.data[0].text] == [["3.0", ""], ["10.0", "5.0"]]


def test_values_stand_side_by_side_where_a_setting_was_varied():
    grid = error_grid(table(lr=[0.01, 0.01, 0.1, 0.1]), {"lr": "Peak learning rate"})

    assert list(grid.index) == ["plain, 8 layers", "plain, 20 layers", "ResNet, 20 layers"]
    assert list(grid.columns) == ["0.01", "0.1"]
    assert grid.loc["ResNet, 20 layers", "0.01"] == 5.0
    assert "3.0 % (plain, 8 layers, peak learning rate 0.1)" in describe_grid(
        grid, {"lr": "Peak learning rate"}
    )


def test_every_run_is_a_line_through_what_was_varied():
    axes = parallel_runs(table(lr=[0.01, 0.01, 0.1, 0.1]), {"lr": "Peak learning rate"}).data[0].dimensions

    titles = ["family", "layers", "Peak learning rate", "seed", "training error (%)", "test error (%)"]
    assert [axis.label for axis in axes] == titles
    assert list(axes[1].ticktext) == ["8", "20"]
    assert list(axes[1].values) == [1, 1, 1, 0]
    assert list(axes[5].values) == [4.0, 6.0, 10.0, 3.0]
