"""Which pictures are always at hand? Two photographs that ship inside scikit-learn."""

from __future__ import annotations

from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from explorer.data.fitting import Picture
from explorer.data.images import ImageError, open_image

PHOTOGRAPHS = {"flower": "Flower (photograph)", "china": "Palace (photograph)"}
_CREDIT = {
    "china": "china.jpg by danielbuechele, CC BY 2.0, as scikit-learn ships it.",
    "flower": "flower.jpg by vultilion, CC BY 2.0, as scikit-learn ships it.",
}


@lru_cache(maxsize=2)
def photograph(name: str) -> Picture:
    """One of `PHOTOGRAPHS`, 640x427 pixels; found without importing scikit-learn.

    Raises:
        ImageError: it is not where scikit-learn keeps it.
    """
    spec = find_spec("sklearn")
    if name not in PHOTOGRAPHS or spec is None or spec.origin is None:
        raise ImageError(f"There is no photograph '{name[:40]}'. Choose flower or china.")
    file = Path(spec.origin).parent / "datasets" / "images" / f"{name}.jpg"
    return Picture(name, PHOTOGRAPHS[name], open_image(file), (_CREDIT[name],))
