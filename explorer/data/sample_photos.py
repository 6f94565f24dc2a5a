"""Photographs that ship inside scikit-image and scikit-learn."""

from __future__ import annotations

from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from explorer.data.images import ImageError, open_image
from explorer.data.preprocess import Picture

PHOTOGRAPHS = {"cat": "Cat (photograph)", "flower": "Flower (photograph)", "china": "Palace (photograph)"}
"""By key; the cat first, since it is of a class that nets trained on CIFAR-10 know."""
_FILES = {
    "cat": ("skimage", "data/chelsea.png"),
    "flower": ("sklearn", "datasets/images/flower.jpg"),
    "china": ("sklearn", "datasets/images/china.jpg"),
}
_CREDIT = {
    "cat": "Chelsea the cat by Stéfan van der Walt, CC0, as scikit-image ships it.",
    "china": "china.jpg by danielbuechele, CC BY 2.0, as scikit-learn ships it.",
    "flower": "flower.jpg by vultilion, CC BY 2.0, as scikit-learn ships it.",
}
_LABELS = {"cat": "cat"}
_CROPS_ACROSS, _CROPS_DOWN = 4, 3
CROPS = _CROPS_ACROSS * _CROPS_DOWN * len(PHOTOGRAPHS)


@lru_cache(maxsize=len(PHOTOGRAPHS))
def photograph(name: str) -> Picture:
    """One of `PHOTOGRAPHS`, 640x427 pixels, the cat 451x300; found without importing who ships it.

    Raises:
        ImageError: it is not where its library keeps it.
    """
    if name not in PHOTOGRAPHS:
        raise ImageError(f"There is no photograph '{name[:40]}'. Choose one of {', '.join(PHOTOGRAPHS)}.")
    library, place = _FILES[name]
    spec = find_spec(library)
    if spec is None or spec.origin is None:
        raise ImageError(f"The photograph '{name}' ships with {library}, which is not installed.")
    file = Path(spec.origin).parent / place
    return Picture(name, PHOTOGRAPHS[name], open_image(file), (_CREDIT[name],), None, _LABELS.get(name))


@lru_cache(maxsize=4)
def photograph_crops(size: int) -> NDArray[np.uint8]:
    """Squares of half a photograph's height, evenly over each photograph: (`CROPS`, 3, size, size), 0 to 255.

    Small colour pictures of real things, for nets that were trained on such where their own data is not here.

    Args:
        size: side of each in pixels.
    """
    return np.stack([crop for name in PHOTOGRAPHS for crop in _crops(photograph(name).image, size)])


def _crops(image: Image.Image, size: int) -> list[NDArray[np.uint8]]:
    side = image.height // 2
    lefts = np.linspace(0, image.width - side, _CROPS_ACROSS).astype(int)
    tops = np.linspace(0, image.height - side, _CROPS_DOWN).astype(int)
    boxes = [(left, top, left + side, top + side) for top in tops for left in lefts]
    return [
        np.asarray(image.resize((size, size), Image.Resampling.BILINEAR, box=box).convert("RGB")).transpose(
            2, 0, 1
        )
        for box in boxes
    ]
