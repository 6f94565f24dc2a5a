"""How many blocks of a net nobody misses, counted from errors with each block removed in turn."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

HARMLESS_POINTS = 1.0
"""A deletion that costs at most so many points of error is one that nobody misses."""


@dataclass(frozen=True)
class Missed:
    """What single deletions cost a net; errors in per cent.

    Attributes:
        blocks: how many were removed, one at a time.
        harmless: how many of them cost at most `HARMLESS_POINTS`.
        intact: error of the whole net.
        median: error of a typical deletion.
        worst: error of the worst one.
        worst_block: its number, from 1.
    """

    blocks: int
    harmless: int
    intact: float
    median: float
    worst: float
    worst_block: int


def parts(table: pd.DataFrame) -> tuple[pd.DataFrame, float]:
    """The rows of single deletions, in order, and the intact net's error.

    Args:
        table: of one net: columns kind, count, error_pct as `evidence.lesion` keeps them.
    """
    intact = table.loc[table["kind"] == "intact", "error_pct"]
    return table[table["kind"] == "single"].sort_values("count"), float(intact.iloc[0])


def count_missed(table: pd.DataFrame) -> Missed:
    """What the single deletions of one net cost; `table` as for `parts`, with one deletion at least."""
    singles, intact = parts(table)
    errors = singles["error_pct"]
    worst = singles.sort_values("error_pct").iloc[-1]
    return Missed(
        blocks=len(errors),
        harmless=int((errors - intact <= HARMLESS_POINTS).sum()),
        intact=intact,
        median=float(errors.median()),
        worst=float(worst["error_pct"]),
        worst_block=int(worst["count"]),
    )
