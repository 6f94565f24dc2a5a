"""What a landscape says: how wide the good region around a net is, and on which rays the loss rises."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from explorer.analysis import wording

GOOD_LOSS = 1.0
GOOD_ERROR_PCT = 10.0
GUESSING = float(np.log(10))
"""Loss of a net that gives ten classes one chance each."""
_POINTS = 21
"""Points a side that facts are read at, so that grids of other densities are comparable."""
_RAYS = [(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1) if (down, right) != (0, 0)]


@dataclass(frozen=True)
class Facts:
    """What a square grid says about its middle.

    Attributes:
        loss: at the middle.
        error_pct: at the middle.
        good_pct: points with a loss below `GOOD_LOSS`, in per cent of all.
        right_pct: points with an error below `GOOD_ERROR_PCT`, in per cent of all.
        rising: rays of 8 from the middle along which the loss rises from point to point.
    """

    loss: float
    error_pct: float
    good_pct: float
    right_pct: float
    rising: int


def shaped(table: pd.DataFrame, column: str) -> NDArray[np.float64]:
    """The values of one grid as (H, W), its rows along y."""
    grid = table.pivot_table(index="y", columns="x", values=column, dropna=False)
    return grid.to_numpy(float)


def facts(table: pd.DataFrame) -> Facts:
    """Read a square grid with an odd number of points a side; columns x, y, loss, error_pct."""
    loss, error = (shaped(table, column) for column in ("loss", "error_pct"))
    step = max(1, (len(loss) - 1) // (_POINTS - 1))
    loss, error = loss[::step, ::step], error[::step, ::step]
    middle = len(loss) // 2
    return Facts(
        loss=float(loss[middle, middle]),
        error_pct=float(error[middle, middle]),
        good_pct=100 * float((loss < GOOD_LOSS).mean()),
        right_pct=100 * float((error < GOOD_ERROR_PCT).mean()),
        rising=sum(_rises(loss, middle, ray) for ray in _RAYS),
    )


def around(title: str, found: Sequence[Facts]) -> str:
    """One net's slices in a sentence; `found` has one entry per pair of directions."""
    good, right, rising = (
        _range([getattr(one, name) for one in found]) for name in ("good_pct", "right_pct", "rising")
    )
    return (
        f"**{title}**, in the middle loss {found[0].loss:.3f}, error {wording.percent(found[0].error_pct)}: "
        f"the loss is below {GOOD_LOSS:g} on {good} % of the slice and the error below "
        f"{GOOD_ERROR_PCT:g} % on {right} %; it rises from point to point along {rising} of 8 rays."
    )


def compared(residual: Sequence[Facts], plain: Sequence[Facts], built: Sequence[Facts]) -> str:
    """What the slices of twins say together; an empty list is a net that is not there."""
    said = []
    if plain and plain[0].error_pct > GOOD_ERROR_PCT:
        said.append(
            f"The usual start left this plain net at a loss of {plain[0].loss:.2f}, where guessing has "
            f"{GUESSING:.2f}: its slice is the surroundings of a net that has not learned, and shows no more."
        )
    fair = built or ([] if said else plain)
    if fair and residual:
        pairs = zip(fair, residual, strict=False)
        ratios = [one.good_pct / two.good_pct for one, two in pairs if two.good_pct]
        name = "plain net that was built and trained" if built else "plain net"
        said.append(
            f"The region with a loss below {GOOD_LOSS:g} around the {name} is {_range(ratios, 2)} times as "
            "large as that around the residual net."
        )
    return " ".join(said)


def trajectory_sentence(title: str, trajectory: pd.DataFrame, by_chance: Sequence[float]) -> str:
    """How much of training's trajectory two components hold, beside a random walk of as many states."""
    first, second = float(trajectory["share_1"].iloc[0]), float(trajectory["share_2"].iloc[0])
    last = trajectory.sort_values("epoch").iloc[-1]
    error = wording.percent(float(last["train_error_pct"]))
    return (
        f"**{title}**, {len(trajectory)} states, training error at the end {error}: two components hold "
        f"{100 * (first + second):.1f} % "
        "of the squared distances to the last state. A random walk of as many steps would have "
        f"{100 * sum(by_chance[:2]):.1f} %, so such a share by itself says little."
    )


def by_seed(grids: Mapping[str, pd.DataFrame]) -> list[Facts]:
    """Facts of several grids of one net, by the name of the plane; empty ones are left out."""
    return [facts(table) for _, table in sorted(grids.items()) if len(table)]


def _rises(loss: NDArray[np.float64], middle: int, ray: tuple[int, int]) -> bool:
    values = [loss[middle + ray[0] * step, middle + ray[1] * step] for step in range(middle + 1)]
    return bool(np.all(np.diff(values) > 0)) if np.isfinite(values).all() else False


def _range(values: Sequence[float], digits: int = 0) -> str:
    low, high = (f"{value:.{digits}f}" for value in (min(values), max(values)))
    return low if low == high else f"{low} to {high}"
