"""Signed maps on one diverging scale centred at zero, the same on every page.

Plum speaks for, teal against; none of them is a family's colour. The anchors are those of cmocean's
`curl`, perceptually uniform, without its nearly black ends.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Sign = Literal["both", "positive", "negative"]
SIGNS: tuple[Sign, ...] = ("both", "positive", "negative")
_CURL = (
    (28, 72, 93), (18, 115, 117), (63, 153, 134), (140, 184, 164), (202, 214, 203), (253, 245, 243),
    (236, 199, 182), (224, 149, 138), (201, 97, 113), (165, 53, 98), (121, 23, 89),
)  # fmt: skip
MAP_TINT = "#C96171"
"""Of what is said about a map; between the scale's middle and its end."""
DIVERGING = [[index / (len(_CURL) - 1), f"rgb{rgb}"] for index, rgb in enumerate(_CURL)]
"""For plotly's `colorscale`, with zmin = -limit and zmax = +limit."""


def limit_of(values: NDArray[np.floating], percentile: float = 99.0) -> float:
    """Where the scale ends: that percentile of the absolute values; never zero."""
    limit = float(np.percentile(np.abs(values), percentile)) if values.size else 0.0
    return limit or float(np.abs(values).max(initial=0.0)) or 1.0


def signed(values: NDArray[np.floating], sign: Sign) -> NDArray[np.floating]:
    """The values of one sign, the others zero."""
    if sign == "both":
        return values
    kept: NDArray[np.floating] = np.clip(values, 0, None) if sign == "positive" else np.clip(values, None, 0)
    return kept


def enlarged(rgb: NDArray[np.uint8], side: int = 512) -> NDArray[np.uint8]:
    """Colours (H, W, 3) with each pixel repeated, up to about `side` pixels, without blur."""
    times = max(1, side // max(rgb.shape[:2]))
    return rgb.repeat(times, 0).repeat(times, 1)


def colours(values: NDArray[np.floating], limit: float) -> NDArray[np.uint8]:
    """Values (H, W) as colours (H, W, 3): teal at -limit and below, plum at limit and above."""
    place = (np.clip(values / limit, -1, 1) + 1) / 2
    anchors = np.linspace(0, 1, len(_CURL))
    mixed = np.stack([np.interp(place, anchors, channel) for channel in np.transpose(_CURL)], -1)
    rgb: NDArray[np.uint8] = np.rint(mixed).astype(np.uint8)
    return rgb
