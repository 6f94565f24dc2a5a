"""Which net? A frozen, torch-free description with an id that reads back without loss."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, get_args

Family = Literal["plain", "residual", "preact", "highway"]
BlockKind = Literal["basic", "bottleneck"]
Shortcut = Literal["A", "B", "C"]

FAMILIES: tuple[Family, ...] = get_args(Family)
MAX_DEPTH = 1202
MAX_WIDTH = 512
STAGES = 3
DEFAULT_GATE_BIAS = -2.0
_LAYERS_PER_BLOCK: dict[BlockKind, int] = {"basic": 2, "bottleneck": 3}
_ID = re.compile(
    r"(?P<family>[a-z]+)-(?P<depth>\d{1,6})(?P<block>-bottleneck)?(-(?P<shortcut>[ABC]))?"
    r"(-w(?P<width>\d{1,4}))?(-bias(?P<gate_bias>-?\d{1,3}(\.\d{1,6})?))?"
)
_WORDS = ("family", "block", "shortcut")
_DISPLAY = {"plain": "plain", "residual": "ResNet", "preact": "preact-ResNet", "highway": "Highway"}


@dataclass(frozen=True, slots=True)
class NetSpec:
    """A CIFAR-style net of He et al. 2015, section 4.2, or one of its relatives.

    Args:
        family: plain, residual (Eq. 1), preact (He et al. 2016) or highway (Srivastava et al. 2015).
        depth: weighted layers: 6n+2 with basic blocks, 9n+2 with bottlenecks, at most 1202.
        width: filters of the first stage; the next two have twice and four times as many.
        block: basic (two 3x3) or bottleneck (1x1, 3x3, 1x1, output four times as wide).
        shortcut: option A, B or C of section 3.3; plain and highway nets have none and keep A.
        in_channels: channels of the input images.
        classes: outputs of the last layer.
        gate_bias: initial bias b_T of the highway gates; negative means "carry at first".

    Raises:
        ValueError: a value is out of range; the text names the nearest valid ones.
    """

    family: Family = "residual"
    depth: int = 20
    width: int = 16
    block: BlockKind = "basic"
    shortcut: Shortcut = "A"
    in_channels: int = 3
    classes: int = 10
    gate_bias: float = DEFAULT_GATE_BIAS

    def __post_init__(self) -> None:
        """Refuse what cannot be built, in words that say what can."""
        _check_choice("family", self.family, FAMILIES)
        _check_choice("block", self.block, get_args(BlockKind))
        _check_choice("shortcut", self.shortcut, get_args(Shortcut))
        _check_range("width", self.width, 1, MAX_WIDTH)
        _check_range("in_channels", self.in_channels, 1, 64)
        _check_range("classes", self.classes, 2, 10_000)
        _check_depth(self.depth, self.block)
        if self.family in ("plain", "highway") and self.shortcut != "A":
            raise ValueError(
                f"A {self.family} net has no shortcut options; leave shortcut {self.shortcut} out."
            )
        if self.family == "highway" and self.block == "bottleneck":
            raise ValueError("Highway nets are built of basic layers only; leave bottleneck out.")
        if self.family != "highway" and self.gate_bias != DEFAULT_GATE_BIAS:
            raise ValueError(f"Only highway nets have a gate bias; {self.family} nets have none.")
        if not -100 <= self.gate_bias <= 100:
            raise ValueError(f"gate_bias must lie between -100 and 100, not {self.gate_bias}.")
        if round(self.gate_bias, 6) != self.gate_bias:
            raise ValueError(f"gate_bias must have at most six decimals, not {self.gate_bias!r}.")

    @property
    def blocks_per_stage(self) -> int:
        """The paper's n: blocks on each of the three map sizes."""
        return (self.depth - 2) // (STAGES * _LAYERS_PER_BLOCK[self.block])

    @property
    def expansion(self) -> int:
        """Output channels of a block over its inner width."""
        return 4 if self.block == "bottleneck" else 1

    @property
    def id(self) -> str:
        """Such as `residual-20`, `residual-110-B`, `preact-164-bottleneck`, `highway-32-bias-3`.

        The id names the architecture; input channels and classes belong to the data.
        """
        parts = [self.family, str(self.depth)]
        if self.block != "basic":
            parts.append(self.block)
        if self.shortcut != "A":
            parts.append(self.shortcut)
        if self.width != 16:
            parts.append(f"w{self.width}")
        if self.gate_bias != DEFAULT_GATE_BIAS:
            parts.append(f"bias{_plain_decimal(self.gate_bias)}")
        return "-".join(parts)

    @property
    def title(self) -> str:
        """The name shown to people, such as ResNet-20 or plain-20."""
        return _DISPLAY[self.family] + self.id.removeprefix(self.family)

    @property
    def twin(self) -> NetSpec:
        """The plain net of a residual one and the other way round: the same layers and parameters."""
        if self.family == "plain":
            return replace(self, family="residual")
        return replace(self, family="plain", shortcut="A", gate_bias=DEFAULT_GATE_BIAS)

    @classmethod
    def parse(cls, text: str, *, in_channels: int = 3, classes: int = 10) -> NetSpec:
        """Read an id back, without loss.

        Raises:
            ValueError: the text is no id, or names a net that cannot be built.
        """
        match = _ID.fullmatch(text.strip())
        if match is None:
            raise ValueError(
                f"'{text[:60]}' is no net id. Write a family and a depth, such as residual-20, plain-56, "
                "residual-110-B, preact-164-bottleneck or highway-32-bias-3."
            )
        found = match.groupdict()
        bias = found["gate_bias"]
        return cls(
            family=found["family"],  # type: ignore[arg-type]  # checked in __post_init__
            depth=int(found["depth"]),
            width=int(found["width"] or 16),
            block="bottleneck" if found["block"] else "basic",
            shortcut=found["shortcut"] or "A",  # type: ignore[arg-type]
            in_channels=in_channels,
            classes=classes,
            gate_bias=DEFAULT_GATE_BIAS if bias is None else float(bias),
        )

    def to_dict(self) -> dict[str, Any]:
        """Every field by name, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> NetSpec:
        """The inverse of `to_dict`.

        Raises:
            ValueError: a field is unknown, missing its type or out of range.
        """
        known = set(cls.__slots__)
        unknown = sorted(set(fields) - known)
        if unknown:
            raise ValueError(f"Unknown fields in a net spec: {', '.join(unknown)}.")
        for name, value in fields.items():
            wanted = (int, float) if name == "gate_bias" else str if name in _WORDS else int
            if not isinstance(value, wanted) or isinstance(value, bool):
                raise ValueError(f"The field {name} of a net spec has the wrong type: {value!r}.")
        return cls(**fields)


def family_title(family: str) -> str:
    """The family's name as people read it; an unknown one as it is."""
    return _DISPLAY.get(family, family)


def net_title(family: str, depth: int) -> str:
    """The name of a net of that family and depth, such as ResNet-20 or plain-20."""
    return f"{family_title(family)}-{depth}"


def valid_depths(block: BlockKind = "basic", up_to: int = MAX_DEPTH) -> list[int]:
    """All depths 6n+2 (basic) or 9n+2 (bottleneck) up to `up_to`."""
    step = STAGES * _LAYERS_PER_BLOCK[block]
    return list(range(step + 2, up_to + 1, step))


def _check_depth(depth: int, block: BlockKind) -> None:
    step = STAGES * _LAYERS_PER_BLOCK[block]
    if step + 2 <= depth <= MAX_DEPTH and (depth - 2) % step == 0:
        return
    depths = valid_depths(block)
    nearest = sorted(sorted(depths, key=lambda valid: abs(valid - depth))[:2])
    raise ValueError(
        f"Depth {depth} cannot be built of {block} blocks: it must be {step}n+2, from {depths[0]} to "
        f"{depths[-1]}. The nearest are {nearest[0]} and {nearest[1]}."
    )


def _check_choice(name: str, value: object, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ValueError(f"Unknown {name} '{value}'. Choose one of {', '.join(choices)}.")


def _check_range(name: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise ValueError(f"{name} must lie between {low} and {high}, not {value}.")


def _plain_decimal(value: float) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".")
