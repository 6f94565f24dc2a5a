"""What does the paper say? Its numbers as data, each with its place in He et al. 2015."""

from __future__ import annotations

from dataclasses import dataclass

ITERATIONS = 64_000
"""Length of training on CIFAR-10 (section 4.2)."""

DROPS = (0.5, 0.75)
"""The learning rate is divided by ten at 32k and 48k of the 64k iterations (section 4.2)."""

WARMUP_ITERATIONS = 400
"""About as long ResNet-110 is trained at 0.01 before 0.1 (section 4.2)."""


@dataclass(frozen=True)
class CifarResult:
    """One row of Table 6: a residual net on CIFAR-10.

    Attributes:
        net: id of the net.
        parameters_m: in millions, as printed.
        test_error_pct: of the best run where there were several.
    """

    net: str
    parameters_m: float
    test_error_pct: float


TABLE_6 = (
    CifarResult("residual-20", 0.27, 8.75),
    CifarResult("residual-32", 0.46, 7.51),
    CifarResult("residual-44", 0.66, 7.17),
    CifarResult("residual-56", 0.85, 6.97),
    CifarResult("residual-110", 1.7, 6.43),
    CifarResult("residual-1202", 19.4, 7.93),
)
