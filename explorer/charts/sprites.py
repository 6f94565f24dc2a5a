"""Many small maps as one picture of tiles, each pixel kept crisp."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from plotly.colors import get_colorscale, sample_colorscale, unlabel_rgb

SEQUENTIAL = "Viridis"
"""For plotly's `colorscale`; perceptually uniform. Zero is its dark end."""
_STEPS = 256


@lru_cache(maxsize=1)
def _shades() -> NDArray[np.uint8]:
    mixed = sample_colorscale(get_colorscale(SEQUENTIAL), [step / (_STEPS - 1) for step in range(_STEPS)])
    return np.array([[round(part) for part in unlabel_rgb(shade)] for shade in mixed], np.uint8)


def shades(values: NDArray[np.floating], top: float) -> NDArray[np.uint8]:
    """Values (..., H, W) as colours (..., H, W, 3): dark at 0 and below, bright at `top` and above."""
    place = np.clip(values.astype(np.float32) * ((_STEPS - 1) / (top or 1.0)), 0, _STEPS - 1)
    rgb: NDArray[np.uint8] = _shades()[np.rint(place).astype(np.intp)]
    return rgb


def own_scale(maps: NDArray[np.floating]) -> NDArray[np.floating]:
    """Maps (N, H, W) by their own largest value, so that each reaches from 0 to 1; an empty one stays 0."""
    tops = maps.max(axis=(1, 2), keepdims=True)
    scaled: NDArray[np.floating] = maps / np.where(tops > 0, tops, 1)
    return scaled


def resampled(values: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """A map (H, W, ...) at `side` pixels, by its nearest ones."""
    rows, columns = (np.arange(side) * length // side for length in values.shape[:2])
    kept: NDArray[np.uint8] = values[rows[:, None], columns[None, :]]
    return kept


def sprite(tiles: Sequence[NDArray[np.uint8]], side: int) -> NDArray[np.uint8]:
    """Coloured maps (H, W, 3) of any sizes beside each other, (side, tiles * side, 3)."""
    return np.concatenate([resampled(tile, side) for tile in tiles], axis=1)
