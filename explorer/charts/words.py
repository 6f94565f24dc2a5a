"""The words of `explorer.analysis.wording`, under the name by which charts and pages know them."""

from explorer.analysis.wording import (
    difference,
    listed,
    literal,
    number,
    percent,
    points,
    points_between,
    signed,
    with_spread,
)

__all__ = [
    "difference", "listed", "literal", "number", "percent", "points", "points_between", "signed",
    "with_spread",
]  # fmt: skip
