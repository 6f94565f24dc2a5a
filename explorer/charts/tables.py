"""Which numbers does a chart show? Means and spreads over seeds, as tables to draw, print and export."""

from __future__ import annotations

import pandas as pd

CURVE_COLUMNS = ["family", "depth", "split", "epoch", "mean", "low", "high", "seeds"]
FINAL_COLUMNS = ["family", "depth", "split", "mean", "low", "high", "seeds"]
_SPLIT_COLUMNS = {"train_error_pct": "train", "test_error_pct": "test"}


def seed_curves(runs: pd.DataFrame, epochs: pd.DataFrame) -> pd.DataFrame:
    """Error of each run over its epochs.

    Args:
        runs: columns run_id, family, depth, seed.
        epochs: columns run_id, epoch, train_error_pct, test_error_pct.

    Returns:
        Columns family, depth, seed, split (train or test), epoch, error_pct; rows without a value dropped.
    """
    joined = epochs.merge(runs[["run_id", "family", "depth", "seed"]], on="run_id")
    return _long(joined, ["family", "depth", "seed", "epoch"])


def mean_curves(curves: pd.DataFrame) -> pd.DataFrame:
    """Mean, lowest and highest error over the seeds, per epoch: columns `CURVE_COLUMNS`."""
    return _spread(curves, ["family", "depth", "split", "epoch"])


def final_errors(runs: pd.DataFrame) -> pd.DataFrame:
    """Mean, lowest and highest final error over the seeds, per net: columns `FINAL_COLUMNS`.

    Args:
        runs: columns family, depth, train_error_pct, test_error_pct.
    """
    return _spread(_long(runs, ["family", "depth"]), ["family", "depth", "split"])


def smoothed(curves: pd.DataFrame, window: int) -> pd.DataFrame:
    """The mean of `window` neighbouring epochs, centred; at the ends, of those there are."""
    rolled = curves.groupby(["family", "depth", "split"], sort=False)["mean"].transform(
        lambda values: values.rolling(window, center=True, min_periods=1).mean()
    )
    return curves.assign(mean=rolled)


def _long(table: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    long = table.melt(
        id_vars=keys, value_vars=list(_SPLIT_COLUMNS), var_name="split", value_name="error_pct"
    ).dropna(subset=["error_pct"])
    long["split"] = long["split"].map(_SPLIT_COLUMNS)
    return long


def _spread(long: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    grouped = long.groupby(keys, sort=True)["error_pct"]
    table = grouped.agg(mean="mean", low="min", high="max", seeds="count").reset_index()
    return table[[*keys, "mean", "low", "high", "seeds"]]
