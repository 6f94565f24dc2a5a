"""The table of net families: a row each with title, look, block class and what sets its nets apart."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

Family: TypeAlias = str
"""A key of `FAMILIES`; `NetSpec` refuses any other text."""
OwnCost: TypeAlias = Callable[[int, int, int, int], tuple[int, int, int, int, int]]


@dataclass(frozen=True, slots=True)
class NetFamily:
    """What the explorer has to know of a family; everything else follows from its block class.

    Attributes:
        title: the name shown to people.
        colour: #RRGGBB, of Okabe and Ito's, in every chart.
        colour_name: the same in a word.
        symbol: Plotly's name of its marker.
        block_class: name of its class in `explorer.nets.blocks`; an exported script takes the class's text.
        shortcut: whether x is added to the branch by option A, B or C of section 3.3.
        pre_activation: BN and ReLU stand before convolutions, so the stem and projections have none and a
            BN and a ReLU stand at the end.
        layers_per_block: weighted layers of a block where these do not depend on its kind; a net of one depth
            then has as many more blocks, of basic layers only.
        options: fields of `NetSpec` that this family alone has.
        laid_out: whether stages and stem may depart from the CIFAR design.
        no_identity: why a block of it cannot compute the identity; empty where `explorer.nets.identity` can
            make it.
        own_cost: of what a block has beside branch and shortcut, from channels of input and output and map
            side before and after: parameters, multiply-adds, layers, numbers in their outputs, and those of
            gates among them.
    """

    title: str
    colour: str
    colour_name: str
    symbol: str
    block_class: str
    shortcut: bool
    pre_activation: bool = False
    layers_per_block: int | None = None
    options: tuple[str, ...] = ()
    laid_out: bool = True
    no_identity: str = ""
    own_cost: OwnCost | None = None


def _gate(inside: int, outside: int, before: int, after: int) -> tuple[int, int, int, int, int]:
    """A 3x3 convolution with biases, where the shape stays."""
    if (inside, before) != (outside, after):
        return 0, 0, 0, 0, 0
    weights, values = inside * outside * 9, outside * after**2
    return weights + outside, weights * after**2, 1, values, values


FAMILIES: Mapping[Family, NetFamily] = {
    "plain": NetFamily(
        "plain", "#D55E00", "vermilion", "circle", "PostActBlock", shortcut=False,
    ),
    "residual": NetFamily(
        "ResNet", "#0072B2", "blue", "square", "PostActBlock", shortcut=True,
    ),
    "preact": NetFamily(
        "preact-ResNet", "#CC79A7", "purple", "triangle-up", "PreActBlock", shortcut=True,
        pre_activation=True,
    ),
    "highway": NetFamily(
        "Highway", "#009E73", "green", "diamond", "HighwayBlock", shortcut=False, layers_per_block=1,
        options=("gate_bias",), laid_out=False, own_cost=_gate,
        no_identity="A highway layer is the identity only where its gate is shut, which no finite bias does.",
    ),
}  # fmt: skip
"""In the order in which forms, tables, charts and sentences name them."""


def family_title(family: str) -> str:
    """The family's name as people read it; an unknown one as it is."""
    return FAMILIES[family].title if family in FAMILIES else family


def net_title(family: str, depth: int) -> str:
    """The name of a net of that family and depth, such as ResNet-20 or plain-20."""
    return f"{family_title(family)}-{depth}"


def in_order(families: Iterable[str]) -> list[str]:
    """Families in the order of the table, each once, and unknown ones behind them."""
    given = set(families)
    return [family for family in FAMILIES if family in given] + sorted(given - set(FAMILIES))


def with_option(option: str) -> str:
    """The families that have the option, as a sentence begins: `highway`."""
    return " and ".join(family for family, one in FAMILIES.items() if option in one.options)
