"""Lengths of paths through a residual net: how many there are of each, their mean, where most of them lie."""

from __future__ import annotations

from collections.abc import Sequence
from math import comb


def binomial(blocks: int) -> list[float]:
    """The share of all 2^n paths that pass k branches, for k from 0 to n."""
    return [comb(blocks, k) / 2**blocks for k in range(blocks + 1)]


def mean_length(shares: Sequence[float]) -> float:
    """Mean number of branches, weighted by the shares."""
    return sum(k * share for k, share in enumerate(shares)) / sum(shares)


def middle(shares: Sequence[float], part: float = 0.95) -> tuple[int, int]:
    """The lengths between which lies `part` of the shares, as much left out below as above."""
    total, low, high = sum(shares), 0, len(shares) - 1
    aside = (1 - part) / 2 * total
    below = above = 0.0
    while below + shares[low] <= aside:
        below += shares[low]
        low += 1
    while above + shares[high] <= aside:
        above += shares[high]
        high -= 1
    return low, high


def as_shares(values: Sequence[float]) -> list[float]:
    """Values over their sum; zero where there is none."""
    total = sum(values)
    return [value / total if total else 0.0 for value in values]
