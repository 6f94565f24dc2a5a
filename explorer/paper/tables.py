"""The numbers of the paper's Tables 1 to 6, with their units and how they were tested."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """One quantity of a table.

    Attributes:
        name: with its unit as suffix.
        title: for people.
        unit: as printed beside the number.
    """

    name: str
    title: str
    unit: str


@dataclass(frozen=True)
class TableEntry:
    """One row of a table.

    Attributes:
        net: its name in the paper.
        id: of the same net here; empty where the explorer cannot build it.
        printed: by name of the column, digits as the paper prints them.
        note: what the paper says beside the row.
    """

    net: str
    id: str
    printed: Mapping[str, str]
    note: str = ""

    def value(self, column: str) -> float | None:
        """The printed number, or None where the paper has none."""
        return float(self.printed[column]) if column in self.printed else None


@dataclass(frozen=True)
class Table:
    """One table of the paper.

    Attributes:
        key: such as table-6.
        title: what it compares.
        source: its place in He et al. 2015.
        dataset: on which it was measured.
        protocol: how it was tested.
        columns: in the paper's order.
        entries: in the paper's order.
    """

    key: str
    title: str
    source: str
    dataset: str
    protocol: str
    columns: tuple[Column, ...]
    entries: tuple[TableEntry, ...]


PARAMETERS = Column("parameters_m", "parameters", "million")
MACS = Column("gmacs", "multiply-adds", "billion")
TEST_ERROR = Column("test_error_pct", "test error", "%")
TOP1 = Column("top1_error_pct", "top-1 error", "%")
TOP5 = Column("top5_error_pct", "top-5 error", "%")
_IMAGENET, _CIFAR = "ImageNet", "CIFAR-10"


def _entry(net: str, id_: str, note: str = "", **printed: str) -> TableEntry:
    return TableEntry(net, id_, printed, note)


def _both(net: str, id_: str, top1: str, top5: str, note: str = "") -> TableEntry:
    return TableEntry(net, id_, {"top1_error_pct": top1, "top5_error_pct": top5}, note)


TABLE_1 = Table(
    "table-1", "ImageNet nets and their cost", "Table 1; VGG-19 and plain-34: section 3.3", _IMAGENET,
    "multiply-adds of one 224x224 image; the paper calls them FLOPs", (MACS,),
    (
        _entry("ResNet-18", "resnet18", "2, 2, 2, 2 basic blocks", gmacs="1.8"),
        _entry("ResNet-34", "resnet34", "3, 4, 6, 3 basic blocks", gmacs="3.6"),
        _entry("ResNet-50", "resnet50", "3, 4, 6, 3 bottlenecks", gmacs="3.8"),
        _entry("ResNet-101", "resnet101", "3, 4, 23, 3 bottlenecks", gmacs="7.6"),
        _entry("ResNet-152", "resnet152", "3, 8, 36, 3 bottlenecks", gmacs="11.3"),
        _entry("plain-34", "plain34", "18 % of VGG-19", gmacs="3.6"),
        _entry("VGG-19", "vgg19", gmacs="19.6"),
    ),
)  # fmt: skip

TABLE_2 = Table(
    "table-2", "Plain against residual on ImageNet", "Table 2", _IMAGENET,
    "validation set, 10-crop, single model, shortcut option A", (TOP1,),
    (
        _entry("plain-18", "plain18", top1_error_pct="27.94"),
        _entry("ResNet-18", "resnet18", top1_error_pct="27.88"),
        _entry("plain-34", "plain34", top1_error_pct="28.54"),
        _entry("ResNet-34", "resnet34", "option A", top1_error_pct="25.03"),
    ),
)  # fmt: skip

TABLE_3 = Table(
    "table-3", "Shortcut options and deeper nets on ImageNet", "Table 3", _IMAGENET,
    "validation set, 10-crop, single model; options A, B and C are shortcuts", (TOP1, TOP5),
    (
        _both("VGG-16", "", "28.07", "9.33"),
        _entry("GoogLeNet", "", top5_error_pct="9.15"),
        _both("PReLU-net", "", "24.27", "7.38"),
        _both("plain-34", "plain34", "28.54", "10.02"),
        _both("ResNet-34 A", "resnet34", "25.03", "7.76", "option A"),
        _both("ResNet-34 B", "resnet34", "24.52", "7.46", "option B"),
        _both("ResNet-34 C", "resnet34", "24.19", "7.40", "option C"),
        _both("ResNet-50", "resnet50", "22.85", "6.71", "option B"),
        _both("ResNet-101", "resnet101", "21.75", "6.05", "option B"),
        _both("ResNet-152", "resnet152", "21.43", "5.71", "option B"),
    ),
)  # fmt: skip

TABLE_4 = Table(
    "table-4", "Single models on ImageNet", "Table 4", _IMAGENET,
    "validation set, single model (VGG's 8.43: test set)", (TOP1, TOP5),
    (
        _entry("VGG", "", "test set", top5_error_pct="8.43"),
        _entry("GoogLeNet", "", top5_error_pct="7.89"),
        _both("VGG (v5)", "", "24.4", "7.1"),
        _both("PReLU-net", "", "21.59", "5.71"),
        _both("BN-inception", "", "21.99", "5.81"),
        _both("ResNet-34 B", "resnet34", "21.84", "5.71", "option B"),
        _both("ResNet-34 C", "resnet34", "21.53", "5.60", "option C"),
        _both("ResNet-50", "resnet50", "20.74", "5.25"),
        _both("ResNet-101", "resnet101", "19.87", "4.60"),
        _both("ResNet-152", "resnet152", "19.38", "4.49"),
    ),
)  # fmt: skip

TABLE_5 = Table(
    "table-5", "Ensembles on ImageNet", "Table 5", _IMAGENET, "test set, ensembles", (TOP5,),
    (
        _entry("VGG", "", top5_error_pct="7.32"),
        _entry("GoogLeNet", "", top5_error_pct="6.66"),
        _entry("VGG (v5)", "", top5_error_pct="6.8"),
        _entry("PReLU-net", "", top5_error_pct="4.94"),
        _entry("BN-inception", "", top5_error_pct="4.82"),
        _entry("ResNet", "", top5_error_pct="3.57"),
    ),
)  # fmt: skip

TABLE_6 = Table(
    "table-6", "Residual nets on CIFAR-10", "Table 6", _CIFAR,
    "test set, single original view, with augmentation in training", (PARAMETERS, TEST_ERROR),
    (
        _entry("Maxout", "", test_error_pct="9.38"),
        _entry("NIN", "", test_error_pct="8.81"),
        _entry("DSN", "", test_error_pct="8.22"),
        _entry("FitNet-19", "", parameters_m="2.5", test_error_pct="8.39"),
        _entry("Highway-19", "", "7.72 ± 0.16 over runs", parameters_m="2.3", test_error_pct="7.54"),
        _entry("Highway-32", "", parameters_m="1.25", test_error_pct="8.80"),
        _entry("ResNet-20", "residual-20", parameters_m="0.27", test_error_pct="8.75"),
        _entry("ResNet-32", "residual-32", parameters_m="0.46", test_error_pct="7.51"),
        _entry("ResNet-44", "residual-44", parameters_m="0.66", test_error_pct="7.17"),
        _entry("ResNet-56", "residual-56", parameters_m="0.85", test_error_pct="6.97"),
        _entry("ResNet-110", "residual-110", "best of five runs; their mean is 6.61 ± 0.16",
               parameters_m="1.7", test_error_pct="6.43"),
        _entry("ResNet-1202", "residual-1202", "training error below 0.1 %",
               parameters_m="19.4", test_error_pct="7.93"),
    ),
)  # fmt: skip

_FOLLOW_UPS = Table(
    "follow-ups", "What later papers measured on CIFAR-10",
    "He et al. 2016 (identity mappings); Huang et al. 2016 (stochastic depth); Li et al. 2018 (landscapes)",
    _CIFAR, "test set; each paper's own protocol", (TEST_ERROR,),
    (
        _entry("ResNet-110, original", "residual-110", "He et al. 2016", test_error_pct="6.61"),
        _entry("ResNet-110, full pre-activation", "preact-110", "He et al. 2016", test_error_pct="6.37"),
        _entry("ResNet-164, original", "residual-164-bottleneck", "He et al. 2016", test_error_pct="5.93"),
        _entry("ResNet-164, full pre-activation", "preact-164-bottleneck", "He et al. 2016",
               test_error_pct="5.46"),
        _entry("ResNet-1001, original", "residual-1001-bottleneck", "He et al. 2016", test_error_pct="7.61"),
        _entry("ResNet-1001, full pre-activation", "preact-1001-bottleneck", "He et al. 2016",
               test_error_pct="4.92"),
        _entry("ResNet-110 with stochastic depth", "residual-110-survival0.5",
               "Huang et al. 2016; without it 6.41", test_error_pct="5.25"),
        _entry("ResNet-1202 with stochastic depth", "residual-1202-survival0.5",
               "Huang et al. 2016; without it 6.67", test_error_pct="4.91"),
        _entry("ResNet-20, landscapes", "residual-20", "Li et al. 2018", test_error_pct="7.37"),
        _entry("20 layers without shortcuts", "plain-20", "Li et al. 2018", test_error_pct="8.18"),
        _entry("ResNet-56, landscapes", "residual-56", "Li et al. 2018", test_error_pct="5.89"),
        _entry("56 layers without shortcuts", "plain-56", "Li et al. 2018", test_error_pct="13.31"),
        _entry("ResNet-110, landscapes", "residual-110", "Li et al. 2018", test_error_pct="5.79"),
        _entry("110 layers without shortcuts", "plain-110", "Li et al. 2018", test_error_pct="16.44"),
    ),
)  # fmt: skip

TABLES: dict[str, Table] = {
    table.key: table for table in (TABLE_1, TABLE_2, TABLE_3, TABLE_4, TABLE_5, TABLE_6, _FOLLOW_UPS)
}
