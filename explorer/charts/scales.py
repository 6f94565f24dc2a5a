"""Axis ranges that stay while a value is slid, and labels that do not collide."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

LOG_FLOOR_PCT = 0.05


def error_range(log: bool, top: float = 100.0) -> list[float]:
    """Range of an axis of errors in per cent, as Plotly wants it (exponents on a log axis)."""
    if log:
        return [math.log10(LOG_FLOOR_PCT * 0.9), math.log10(top * 1.15)]
    return [-2.0, top * 1.02]


def drawn_errors(values: Sequence[float], log: bool, floor: float = LOG_FLOOR_PCT) -> list[float]:
    """Errors as drawn: on a log axis an error of zero lies on the lower edge, since it has no logarithm."""
    return [max(value, floor) if log and not math.isnan(value) else value for value in values]


def spread_labels(values: Sequence[float], axis: Sequence[float], log: bool, gap: float) -> list[float]:
    """Heights of labels near `values`, at least `gap` (a fraction of the axis) apart and inside it.

    Labels keep the order of their values; NaN stays NaN.
    """
    low, high = axis
    wanted = [(math.log10(v) if log and v > 0 else v) for v in values]
    order = [i for i in np.argsort(wanted, kind="stable") if not math.isnan(wanted[i])]
    step = gap * (high - low)
    placed: dict[int, float] = {}
    floor = low + step / 2
    for i in order:
        placed[i] = max(wanted[i], floor)
        floor = placed[i] + step
    ceiling = high - step / 2
    for i in reversed(order):
        placed[i] = min(placed[i], ceiling)
        ceiling = placed[i] - step
    heights = [placed.get(i, math.nan) for i in range(len(wanted))]
    return [10**height if log else height for height in heights]
