"""Means and spreads over seeds, as tables to draw, to print, to export and to judge."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from explorer.analysis import wording

Measure = Literal["error_pct", "loss"]
CURVE_COLUMNS = ["family", "depth", "split", "epoch", "mean", "low", "high", "seeds"]
FINAL_COLUMNS = ["family", "depth", "split", "mean", "low", "high", "seeds"]
_SPLITS = ("train", "test")


@dataclass(frozen=True)
class Final:
    """One net's final error over its seeds, in per cent.

    Attributes:
        mean: over the seeds.
        low: of the best seed.
        high: of the worst seed.
        seeds: how many.
    """

    mean: float
    low: float
    high: float
    seeds: int

    def __str__(self) -> str:
        """Mean and spread, for people."""
        return wording.with_spread(self.mean, self.low, self.high, self.seeds)


def seed_curves(runs: pd.DataFrame, epochs: pd.DataFrame) -> pd.DataFrame:
    """Error of each run over its epochs.

    Args:
        runs: columns run_id, family, depth, seed.
        epochs: columns run_id, epoch, train_error_pct, test_error_pct.

    Returns:
        Columns family, depth, seed, split (train or test), epoch, error_pct; rows without a value dropped.
    """
    joined = epochs.merge(runs[["run_id", "family", "depth", "seed"]], on="run_id")
    long = _long(joined, ["family", "depth", "seed", "epoch"], "error_pct")
    return long.rename(columns={"value": "error_pct"})


def mean_curves(curves: pd.DataFrame) -> pd.DataFrame:
    """Mean, lowest and highest error over the seeds, per epoch: columns `CURVE_COLUMNS`."""
    return _spread(curves, ["family", "depth", "split", "epoch"], "seeds", "error_pct")


def final_errors(runs: pd.DataFrame) -> pd.DataFrame:
    """Mean, lowest and highest final error over the seeds, per net: columns `FINAL_COLUMNS`.

    Args:
        runs: columns family, depth, train_error_pct, test_error_pct; those that count, see `selection`.
    """
    return _spread(_long(runs, ["family", "depth"], "error_pct"), ["family", "depth", "split"], "seeds")


def final_of(finals: pd.DataFrame, family: str, depth: int, split: str) -> Final | None:
    """One row of `final_errors`, or None where that net was not trained."""
    here = (finals["family"] == family) & (finals["depth"] == depth) & (finals["split"] == split)
    rows = finals.loc[here, ["mean", "low", "high", "seeds"]]
    if rows.empty:
        return None
    mean, low, high, seeds = rows.iloc[0]
    return Final(float(mean), float(low), float(high), int(seeds))


def smoothed(curves: pd.DataFrame, window: int) -> pd.DataFrame:
    """The mean of `window` neighbouring epochs, centred; at the ends, of those there are."""
    rolled = curves.groupby(["family", "depth", "split"], sort=False)["mean"].transform(
        lambda values: values.rolling(window, center=True, min_periods=1).mean()
    )
    return curves.assign(mean=rolled)


def group_curves(epochs: pd.DataFrame, members: pd.DataFrame, measure: Measure) -> pd.DataFrame:
    """Each run's curve.

    Args:
        epochs: columns run_id, epoch, train_error_pct, test_error_pct, train_loss, test_loss.
        members: columns run_id, seed, group, family, in the order of drawing; counts where some do not.
        measure: what is followed.

    Returns:
        Columns run_id, seed, group, family, counts, split, epoch, value; rows without a finite value dropped.
    """
    keys = ["run_id", "seed", "group", "family", "counts", "epoch"]
    return _long(epochs.merge(_with_counts(members), on="run_id"), keys, measure)


def mean_of_groups(curves: pd.DataFrame) -> pd.DataFrame:
    """Mean, lowest and highest over a group's runs that count: columns group, split, epoch and the spread."""
    return _spread(curves[curves["counts"]], ["group", "split", "epoch"], "runs")


def group_finals(runs: pd.DataFrame, members: pd.DataFrame, measure: Measure = "error_pct") -> pd.DataFrame:
    """Last values of each group's runs that count, in the order of `members`.

    Returns:
        Columns group, split, mean, low, high, runs; a group in which no run counts has no row.
    """
    wanted = runs.drop(columns=["seed", "family", "depth"], errors="ignore")
    there = _with_counts(members)
    long = _long(wanted.merge(there[there["counts"]], on="run_id"), ["run_id", "group"], measure)
    order = {group: number for number, group in enumerate(members["group"].unique())}
    table = _spread(long, ["group", "split"], "runs")
    return table.sort_values("group", key=lambda column: column.map(order), kind="stable", ignore_index=True)


def median_over_seeds(records: pd.DataFrame, nets: pd.DataFrame, column: str) -> pd.DataFrame:
    """Median, lowest and highest value over the seeds; a mean would be that of one exploding run.

    Args:
        records: columns run_id, epoch, layer and `column`.
        nets: columns run_id, net; finished runs, each seed once, see `selection`.
        column: what is read.

    Returns:
        Columns net, epoch, layer, value, low, high, seeds.
    """
    joined = records.merge(nets[["run_id", "net"]], on="run_id")
    grouped = joined.groupby(["net", "epoch", "layer"], sort=True)[column]
    table = grouped.agg(value="median", low="min", high="max", seeds="count").reset_index()
    return table.astype({"value": float, "low": float, "high": float})


def _with_counts(members: pd.DataFrame) -> pd.DataFrame:
    return members if "counts" in members else members.assign(counts=True)


def _long(table: pd.DataFrame, keys: list[str], measure: Measure) -> pd.DataFrame:
    columns = {f"{split}_{measure}": split for split in _SPLITS}
    long = table.melt(id_vars=keys, value_vars=list(columns), var_name="split", value_name="value")
    long["split"] = long["split"].map(columns)
    return long[long["value"].abs() < math.inf].reset_index(drop=True)


def _spread(long: pd.DataFrame, keys: list[str], counted: str, value: str = "value") -> pd.DataFrame:
    grouped = long.groupby(keys, sort=True)[value]
    table = grouped.agg(mean="mean", low="min", high="max", count="count").reset_index()
    return table.rename(columns={"count": counted})[[*keys, "mean", "low", "high", counted]]
