"""What He et al. 2016 measured of other shortcuts in ResNet-110 on CIFAR-10: their Table 1."""

from __future__ import annotations

from explorer.paper.tables import TEST_ERROR, Table, TableEntry

SHORTCUTS_2016 = Table(
    "shortcuts-2016", "Other shortcuts in ResNet-110", "He et al. 2016, Table 1", "CIFAR-10",
    "test set", (TEST_ERROR,),
    (
        TableEntry("x + F(x), the original", "residual-110", {"test_error_pct": "6.61"}),
        TableEntry("0.5 x + 0.5 F(x)", "", {"test_error_pct": "12.35"}, "constant scaling"),
        TableEntry("(1 - T) x + T F(x), gate bias -6", "", {"test_error_pct": "8.70"}, "exclusive gating"),
        TableEntry("(1 - T) x + F(x), gate bias 0", "", {"test_error_pct": "12.86"}, "shortcut-only gating"),
        TableEntry("(1 - T) x + F(x), gate bias -6", "", {"test_error_pct": "6.91"}, "shortcut-only gating"),
        TableEntry("1x1 convolution of x + F(x)", "", {"test_error_pct": "12.22"}, "projections everywhere"),
    ),
)  # fmt: skip
