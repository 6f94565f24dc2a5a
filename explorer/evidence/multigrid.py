"""Coarse solution plus corrections, before there were nets: Poisson's equation by V-cycles and by descent.

He et al. 2015 names two such methods among its related work: Multigrid, which solves on coarser grids for
what is left, and hierarchical bases, whose unknowns are corrections between two scales. Both are measured
here on -u'' = f, u = 0 at the ends, and in two dimensions on a square. numpy alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
SIZES = (31, 63, 127, 255)
SIDES = (15, 31)
NOISE = 0.3
_WEIGHT = 2 / 3
_SWEEPS = 2
_MOST_STEPS = 5000


@dataclass(frozen=True, eq=False)
class Descent:
    """One gradient descent with its best fixed step, from zero.

    Attributes:
        condition: largest over smallest eigenvalue of what is minimised.
        errors: energy norm of the error over that at the start, after 0, 1, 2, ... steps.
        solutions: values at the points, one row per step, (steps + 1, n).
        heights: of each knob's hat after the last step, (n,).
        levels: of each knob, from 0, coarse to fine, (n,); all 0 where knobs are the points.
    """

    condition: float
    errors: Values
    solutions: Values
    heights: Values
    levels: NDArray[np.int64]


def minus_second(u: Values) -> Values:
    """The discrete -u'' at the inner points, (n,); the ends are zero."""
    padded = np.pad(u, 1)
    return np.asarray((len(u) + 1) ** 2 * (2 * u - padded[:-2] - padded[2:]))


def smooth(u: Values, f: Values, sweeps: int) -> Values:
    """Weighted Jacobi, weight 2/3: in each sweep a point sees its neighbours alone."""
    for _ in range(sweeps):
        u = u + _WEIGHT / (2 * (len(u) + 1) ** 2) * (f - minus_second(u))
    return u


def v_cycle(u: Values, f: Values, levels: int) -> Values:
    """Two sweeps, a correction from the grid of every second point, two sweeps.

    Args:
        u: the solution so far, (n,).
        f: the right side, (n,).
        levels: grids in use; 1 is smoothing alone.
    """
    u = smooth(u, f, _SWEEPS)
    if levels > 1 and len(u) > 1:
        left = f - minus_second(u)
        coarse = left[1::2] / 2 + (left[:-1:2] + left[2::2]) / 4
        u = u + _finer(v_cycle(np.zeros(len(coarse)), coarse, levels - 1))
    return smooth(u, f, _SWEEPS)


def most_levels(points: int) -> int:
    """Grids down to one point.

    Raises:
        ValueError: the number of points is not 2^k - 1.
    """
    levels = (points + 1).bit_length() - 1
    if points < 3 or 2**levels - 1 != points:
        raise ValueError(f"{points} points: give 2^k - 1, such as {', '.join(map(str, SIZES))}.")
    return levels


def cycles(points: int, levels: int, count: int, seed: int = 0) -> Values:
    """What is left of an error sin(pi x) + 0.3 N(0, 1) after 0, 1, ... V-cycles, (count + 1, n).

    The right side is zero, so that u itself is the error. One cycle on one level is four sweeps.

    Raises:
        ValueError: points or levels cannot be used.
    """
    if not 1 <= levels <= most_levels(points):
        raise ValueError(f"{levels} levels: {points} points have 1 to {most_levels(points)}.")
    noise = np.random.RandomState(seed).normal(size=points)
    u, f = np.sin(np.pi * places(points)) + NOISE * noise, np.zeros(points)
    rows = [u]
    for _ in range(count):
        rows.append(v_cycle(rows[-1], f, levels))
    return np.array(rows)


def places(points: int) -> Values:
    """The inner points of (0, 1), (n,)."""
    return np.arange(1, points + 1) / (points + 1)


def wish(points: int) -> Values:
    """The exact solution of the second experiment's equation, sin(pi x), (n,)."""
    return np.asarray(np.sin(np.pi * places(points)))


def hats(points: int) -> tuple[Values, NDArray[np.int64]]:
    """The hierarchical basis: one hat over all, two over the halves, four over the quarters, and so on.

    Returns:
        Values at the points, one column per hat of height 1, (n, n); and the level of each hat, (n,).
    """
    levels = most_levels(points)
    at = np.arange(1, points + 1)
    columns, level = [], []
    for k in range(levels):
        half = 2 ** (levels - 1 - k)
        for centre in range(half, points + 1, 2 * half):
            columns.append(np.maximum(0, 1 - np.abs(at - centre) / half))
            level.append(k)
    return np.stack(columns, 1), np.array(level)


def on_a_line(points: int, *, hierarchical: bool, steps: int) -> Descent:
    """Gradient descent on the energy of -u'' = pi^2 sin(pi x); knobs are hats, or the points.

    Raises:
        ValueError: the number of points is not 2^k - 1.
    """
    basis, levels = hats(points)
    matrix = np.stack([minus_second(column) for column in np.eye(points)])
    right = np.pi**2 * wish(points)
    if not hierarchical:
        basis, levels = np.eye(points), np.zeros(points, np.int64)
    return _descend(matrix, right, basis, levels, steps)


def on_a_square(side: int, *, hierarchical: bool, steps: int = _MOST_STEPS, until: float = 1e-3) -> Descent:
    """As `on_a_line`, on side x side points of a square, solution about sin(pi x) sin(pi y).

    It ends before `steps` where the error is `until` of what it was.
    """
    one = np.stack([minus_second(column) for column in np.eye(side)])
    matrix: Values = np.asarray(np.kron(one, np.eye(side)) + np.kron(np.eye(side), one))
    wave = wish(side)
    basis, levels = np.eye(side**2), np.zeros(side**2, np.int64)
    if hierarchical:
        basis, levels = _square_hats(side)
    right: Values = np.asarray(2 * np.pi**2 * np.kron(wave, wave), np.float64)
    return _descend(matrix, right, basis, levels, steps, until)


def by_level(found: Descent) -> list[float]:
    """The largest height of each level's hats, coarse to fine."""
    return [float(np.abs(found.heights[found.levels == k]).max()) for k in range(int(found.levels.max()) + 1)]


def steps_to(found: Descent, share: float = 1e-3) -> int | None:
    """Steps until the error is that share of what it was; None: not within those taken."""
    there = np.flatnonzero(found.errors <= share)
    return int(there[0]) if len(there) else None


def _square_hats(side: int) -> tuple[Values, NDArray[np.int64]]:
    """Products of two hats of one width, at each point of the coarsest grid that has it."""
    levels = most_levels(side)
    at = np.arange(1, side + 1)
    columns, level = [], []
    for k in range(levels):
        half = 2 ** (levels - 1 - k)
        centres = range(half, side + 1, half)
        for row in centres:
            for column in centres:
                if k and row % (2 * half) == 0 and column % (2 * half) == 0:
                    continue  # a coarser grid has it
                shapes = [np.maximum(0, 1 - np.abs(at - centre) / half) for centre in (row, column)]
                columns.append(np.kron(*shapes))
                level.append(k)
    return np.stack(columns, 1), np.array(level)


def _descend(
    matrix: Values, right: Values, basis: Values, levels: NDArray[np.int64], steps: int, until: float = 0.0
) -> Descent:
    """Knobs of energy 1 each, all at zero; the step is 2 over the sum of the extreme eigenvalues."""
    heights = 1 / np.sqrt(np.einsum("ij,ij->j", basis, matrix @ basis))
    basis = basis * heights
    energy, wanted = basis.T @ matrix @ basis, basis.T @ right
    eigenvalues = np.linalg.eigvalsh(energy)
    step = 2 / (eigenvalues[0] + eigenvalues[-1])
    exact: Values = np.asarray(np.linalg.solve(energy, wanted), np.float64)
    rows, errors = [np.zeros(len(wanted))], [_size(-exact, energy)]
    while len(rows) <= steps and errors[-1] > until * errors[0]:
        rows.append(rows[-1] + step * (wanted - energy @ rows[-1]))
        errors.append(_size(rows[-1] - exact, energy))
    return Descent(
        condition=float(eigenvalues[-1] / eigenvalues[0]),
        errors=np.array(errors) / errors[0],
        solutions=np.array(rows) @ basis.T,
        heights=rows[-1] * heights,
        levels=levels,
    )


def _size(away: Values, energy: Values) -> float:
    return float(np.sqrt(max(float(away @ energy @ away), 0.0)))


def _finer(coarse: Values) -> Values:
    """Linear interpolation to the grid with twice as many points and one."""
    padded = np.pad(coarse, 1)
    fine = np.zeros(2 * len(coarse) + 1)
    fine[1::2] = coarse
    fine[::2] = (padded[:-1] + padded[1:]) / 2
    return fine
