"""A strip of gradients along a line: their directions and norms, how alike neighbours are, and noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

STEPS = 256
LAGS = (1, 4, 16, 64)


@dataclass(frozen=True, eq=False)
class Strip:
    """The gradient at every step of a line.

    Attributes:
        units: each step's gradient over its norm, (steps, values of the picture); zero where there is none.
        norms: of the gradients, (steps,).
    """

    units: NDArray[np.float64]
    norms: NDArray[np.float64]

    def cosines(self, lags: Sequence[int] = LAGS) -> dict[int, float]:
        """Mean cosine of gradients so many steps apart."""
        return {lag: float((self.units[:-lag] * self.units[lag:]).sum(1).mean()) for lag in lags}


def strip_of(gradients: NDArray[np.float64]) -> Strip:
    """A strip of gradients, (steps, values)."""
    norms = np.linalg.norm(gradients, axis=1)
    units = gradients / np.where(norms > 0, norms, 1.0)[:, None]
    return Strip(units, norms)


def white_noise(values: int, steps: int = STEPS, seed: int = 0) -> Strip:
    """Gradients that have nothing to do with each other."""
    return strip_of(np.random.default_rng(seed).standard_normal((steps, values)))


def brown_noise(values: int, steps: int = STEPS, seed: int = 0) -> Strip:
    """Gradients that change a little at every step: a random walk."""
    return strip_of(np.cumsum(np.random.default_rng(seed).standard_normal((steps, values)), axis=0))
