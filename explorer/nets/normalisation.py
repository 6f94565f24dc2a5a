"""Mean and deviation per channel by which a net's pixels are scaled. Free of torch."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

_MOST = 4.0
"""No mean or std of pixels in 0 to 1 is beyond; a std of 255ths is."""


@dataclass(frozen=True, slots=True)
class Normalisation:
    """What is subtracted from pixels in [0, 1], and by what they are then divided.

    Args:
        mean: one value per channel.
        std: one positive value per channel.

    Raises:
        ValueError: the two differ in length, are empty, or hold a value that cannot be used.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]

    def __post_init__(self) -> None:
        """Refuse what no image could be normalised with."""
        if not self.mean or len(self.mean) != len(self.std):
            raise ValueError("A normalisation needs one mean and one std for each channel.")
        if not all(math.isfinite(value) for value in self.mean + self.std) or min(self.std) <= 0:
            raise ValueError("A normalisation needs finite means and positive, finite stds.")

    def said(self) -> str:
        """Both as a person would write them."""
        mean, std = (",".join(f"{value:.4g}" for value in values) for values in (self.mean, self.std))
        return f"mean {mean}, std {std}"

    def to_dict(self) -> dict[str, Any]:
        """Both fields by name, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, fields: Any) -> Normalisation:
        """The inverse of `to_dict`, also after a trip through JSON.

        Raises:
            ValueError: a field is missing, unknown or no list of numbers.
        """
        if not isinstance(fields, dict) or set(fields) != {"mean", "std"}:
            raise ValueError("A normalisation has the fields mean and std, and no others.")
        return cls(_numbers(fields["mean"]), _numbers(fields["std"]))


def given(mean: tuple[float, ...] | None, std: tuple[float, ...] | None) -> Normalisation | None:
    """The scale that a person gives by `--mean` and `--std`; None where neither is given.

    Raises:
        ValueError: one is missing, they differ in length, or they are of pixels in 0 to 255.
    """
    if mean is None and std is None:
        return None
    if not mean or not std:
        raise ValueError("Give --mean and --std together.")
    found = Normalisation(tuple(mean), tuple(std))
    if max(*map(abs, found.mean), *found.std) > _MOST:
        meant = [",".join(f"{value / 255:.4g}" for value in values) for values in (mean, std)]
        raise ValueError(
            "--mean and --std are of pixels in 0 to 1, and these are of pixels in 0 to 255: probably meant "
            f"are --mean {meant[0]} --std {meant[1]}."
        )
    return found


def _numbers(values: Any) -> tuple[float, ...]:
    if not isinstance(values, list | tuple) or not all(type(value) in (int, float) for value in values):
        raise ValueError("A normalisation holds lists of numbers.")
    try:
        return tuple(float(value) for value in values)
    except OverflowError:
        raise ValueError("A normalisation needs finite numbers.") from None
