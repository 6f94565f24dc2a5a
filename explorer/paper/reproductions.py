"""Results of others who trained the nets again on CIFAR-10."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Reproduction:
    """One published result of somebody else.

    Attributes:
        id: of the net.
        test_error_pct: as they print it.
        training_error_pct: as they print it, or None.
        source: who.
    """

    id: str
    test_error_pct: float
    training_error_pct: float | None
    source: str


_AKAMASTER = "akamaster/pytorch_resnet_cifar10, without a validation split"
_FIRST, _SECOND = "a first published reproduction", "a second published reproduction"


def _rows(source: str, family: str, errors: dict[int, tuple[float, float | None]]) -> list[Reproduction]:
    return [Reproduction(f"{family}-{depth}", *pair, source) for depth, pair in errors.items()]


REPRODUCTIONS: tuple[Reproduction, ...] = (
    *_rows(_AKAMASTER, "residual", {20: (8.27, None), 32: (7.37, None), 44: (6.90, None), 56: (6.61, None),
                                    110: (6.32, None), 1202: (6.18, None)}),
    *_rows(_FIRST, "plain", {20: (9.63, 1.23), 32: (9.92, 1.35), 44: (10.36, 2.38), 56: (14.22, 5.24)}),
    *_rows(_SECOND, "plain", {20: (9.90, None), 32: (13.04, None), 44: (15.55, None), 56: (14.74, None)}),
)  # fmt: skip


def reproductions_of(net: str) -> list[Reproduction]:
    """What others found for the net of that id."""
    return [found for found in REPRODUCTIONS if found.id == net]
