"""`NetSpec`: a frozen, torch-free description of a net, with an id that reads back without loss."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, get_args

from explorer.nets import families
from explorer.nets.families import FAMILIES, Family, NetFamily
from explorer.nets.layout import TOKENS, Layout, read_tokens

BlockKind = Literal["basic", "bottleneck"]
Shortcut = Literal["A", "B", "C"]

MAX_DEPTH = 1202
MAX_WIDTH = 512
MAX_CLASSES = 50_000
STAGES = 3
DEFAULT_GATE_BIAS = -2.0
_LAYERS_PER_BLOCK: dict[BlockKind, int] = {"basic": 2, "bottleneck": 3}
_ID = re.compile(
    r"(?P<family>[a-z]+)-(?P<depth>\d{1,6})(?P<block>-bottleneck)?(-(?P<shortcut>[ABC]))?"
    rf"(-w(?P<width>\d{{1,4}}))?{TOKENS}(-bias(?P<gate_bias>-?\d{{1,3}}(\.\d{{1,6}})?))?"
)
_LAID_OUT = ("channels", "blocks", "stem", "kernel", "expansion", "projection", "averaged", "project_first",
             "projection_norm", "stem_norm", "last_norm", "conv_bias")  # fmt: skip
_TITLES = {one.title.lower(): family for family, one in FAMILIES.items()}
_NAMES = {name.replace("-", ""): family for name, family in _TITLES.items()}
_NAMES |= {family: family for family in FAMILIES} | {"preresnet": "preact"}
_SPELT = sorted({"pre-?act-?resnet", *(name.replace("-", "-?") for name in _TITLES), *_NAMES}, key=len)
_TITLE = re.compile(rf"({'|'.join(reversed(_SPELT))})[-_ ](?=\d)", re.IGNORECASE)
_WIDE = re.compile(r"(?:wrn|wide-?resnet)-(\d{1,4})-(\d{1,2})", re.IGNORECASE)
_IMAGENET = {f"resnet{depth}" for depth in (18, 34, 50, 101, 152)} | {"vgg19", "vgg19bn"}
_WORDS = ("family", "block", "shortcut")


@dataclass(frozen=True, slots=True)
class NetSpec:
    """A net of He et al. 2015, or one of its relatives: by default the CIFAR design of section 4.2.

    Args:
        family: plain, residual (Eq. 1), preact (He et al. 2016) or highway (Srivastava et al. 2015).
        depth: weighted layers: 6n+2 with basic blocks, 9n+2 with bottlenecks, at most 1202.
        width: filters of the first stage; the next two have twice and four times as many.
        block: basic (two 3x3) or bottleneck (1x1, 3x3, 1x1, output four times as wide).
        shortcut: option A, B or C of section 3.3; plain and highway nets have none and keep A.
        in_channels: channels of the input images.
        classes: outputs of the last layer.
        gate_bias: initial bias b_T of the highway gates; negative means "carry at first".
        layout: stages, stem and shortcuts of a net that is laid out in another way; depth and width then
            follow from it. One that is the CIFAR design is the same as None.

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
    layout: Layout | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be built, in words that say what can."""
        if self.layout is not None:
            self._take_layout(self.layout)
        _check_choice("family", self.family, tuple(FAMILIES))
        _check_choice("block", self.block, get_args(BlockKind))
        _check_choice("shortcut", self.shortcut, get_args(Shortcut))
        _check_range("in_channels", self.in_channels, 1, 64)
        _check_range("classes", self.classes, 2, MAX_CLASSES)
        if self.layout is None:
            _check_range("width", self.width, 1, MAX_WIDTH)
            _check_depth(self.depth, self.block)
        self._check_options()
        if not -100 <= self.gate_bias <= 100:
            raise ValueError(f"gate_bias must lie between -100 and 100, not {self.gate_bias}.")
        if round(self.gate_bias, 6) != self.gate_bias:
            raise ValueError(f"gate_bias must have at most six decimals, not {self.gate_bias!r}.")

    def _check_options(self) -> None:
        """Refuse what the family does not have."""
        if not self.traits.shortcut and self.shortcut != "A":
            raise ValueError(
                f"A {self.family} net has no shortcut options; leave shortcut {self.shortcut} out."
            )
        if self.traits.layers_per_block and self.block == "bottleneck":
            raise ValueError(
                f"{_sentence_case(self.traits.title)} nets are built of basic layers only; leave bottleneck "
                "out."
            )
        if "gate_bias" not in self.traits.options and self.gate_bias != DEFAULT_GATE_BIAS:
            raise ValueError(
                f"Only {families.with_option('gate_bias')} nets have a gate bias; "
                f"{self.family} nets have none."
            )

    def _take_layout(self, layout: Layout) -> None:
        """Take depth and width from the layout, and forget it where it is the CIFAR design."""
        _check_choice("family", self.family, tuple(FAMILIES))
        _check_choice("block", self.block, get_args(BlockKind))
        depth = _depth(layout, self.block)
        object.__setattr__(self, "depth", depth)
        object.__setattr__(self, "width", layout.channels[0])
        if layout == _usual(self.family, self.block, depth, self.width):
            object.__setattr__(self, "layout", None)
            return
        if depth > MAX_DEPTH:
            raise ValueError(f"A net of {depth} layers is deeper than the {MAX_DEPTH} that are built here.")
        if self.block == "basic" and layout.expansion != 1:
            raise ValueError("Basic blocks have the channels of their stage; leave the expansion out.")
        if not self.traits.laid_out:
            raise ValueError(
                f"{_sentence_case(self.traits.title)} nets are built in the CIFAR design only: "
                "leave the layout out."
            )
        if not self.traits.pre_activation and not (layout.stem_norm and layout.last_norm):
            raise ValueError("Only pre-activation nets can do without a BN in the stem or at the end.")

    @property
    def traits(self) -> NetFamily:
        """The family's row."""
        return FAMILIES[self.family]

    @property
    def design(self) -> Layout:
        """The net's layout, that of the CIFAR design too."""
        return self.layout or _usual(self.family, self.block, self.depth, self.width)

    @property
    def block_counts(self) -> tuple[int, ...]:
        """Blocks of each stage; where a block has one layer, as in highway nets, twice as many."""
        layers = _LAYERS_PER_BLOCK[self.block]
        return tuple(
            count * layers // (self.traits.layers_per_block or layers) for count in self.design.blocks
        )

    @property
    def blocks_per_stage(self) -> int:
        """The paper's n: blocks on each of the three map sizes; of a net laid out otherwise, of the first."""
        return self.design.blocks[0]

    @property
    def expansion(self) -> int:
        """Output channels of a block over its inner width."""
        return self.design.expansion

    @property
    def id(self) -> str:
        """Such as `residual-20`, `residual-110-B`, `preact-164-bottleneck`, `highway-32-bias-3`.

        Another layout is told behind that: `residual-18-B-w64-s2.2.2.2-7x7s2pool` has four stages of two
        blocks, 64 to 512 channels, and ImageNet's stem. The id names the architecture; input channels and
        classes belong to the data.
        """
        parts = [self.family, str(self.depth)]
        if self.block != "basic":
            parts.append(self.block)
        if self.shortcut != "A":
            parts.append(self.shortcut)
        if self.width != 16:
            parts.append(f"w{self.width}")
        if self.layout is not None:
            parts += self.layout.tokens(_usual(self.family, self.block, self.depth, self.width))
        if self.gate_bias != DEFAULT_GATE_BIAS:
            parts.append(f"bias{_plain_decimal(self.gate_bias)}")
        return "-".join(parts)

    @property
    def title(self) -> str:
        """The name shown to people, such as ResNet-20 or plain-20."""
        if self.layout is None:
            return self.traits.title + self.id.removeprefix(self.family)
        return f"{self.traits.title}-{self.depth} ({self._laid_out()})"

    def _laid_out(self) -> str:
        """The layout in words: `2+2+2+2 basic blocks, 64 to 512 channels, 3x3 stem`."""
        made = self.design
        kind = "" if self.block == "basic" else f"{self.block} "
        outputs = made.outputs
        wide = f"{outputs[0]} to {outputs[-1]}" if len(outputs) > 1 else str(outputs[0])
        blocks = "+".join(map(str, made.blocks))
        return f"{blocks} {kind}blocks, {wide} channels, {made.kernel}x{made.kernel} stem of {made.stem}"

    @property
    def twin(self) -> NetSpec:
        """The plain net of a residual one and the other way round: the same layers and parameters."""
        if self.family == "plain":
            return replace(self, family="residual")
        layout = self.layout
        if layout is not None:  # a plain net has no shortcuts, so nothing that speaks of them
            layout = Layout(
                layout.blocks, layout.channels, layout.stem, layout.kernel, layout.stride, layout.pool,
                layout.expansion, conv_bias=layout.conv_bias,
            )  # fmt: skip
        return replace(self, family="plain", shortcut="A", gate_bias=DEFAULT_GATE_BIAS, layout=layout)

    @classmethod
    def parse(cls, text: str, *, in_channels: int = 3, classes: int = 10) -> NetSpec:
        """Read an id back, without loss.

        Raises:
            ValueError: the text is not an id, or names a net that cannot be built.
        """
        match = _ID.fullmatch(_as_id(text.strip()))
        if match is None:
            raise ValueError(
                f"'{text[:60]}' is not the id of a net. Write a family and a depth, such as residual-20, "
                f"plain-56, residual-110-B, preact-164-bottleneck or highway-32-bias-3.{_hint(text.strip())}"
            )
        found = match.groupdict()
        bias = found["gate_bias"]
        block: BlockKind = "bottleneck" if found["block"] else "basic"
        family: Any = found["family"]  # checked in __post_init__
        depth, width = int(found["depth"]), int(found["width"] or 16)
        layout = None
        if any(found[name] for name in _LAID_OUT):
            _check_choice("family", family, tuple(FAMILIES))
            per_stage = max((depth - 2) // (STAGES * _LAYERS_PER_BLOCK[block]), 1)
            usual = _usual(family, block, per_stage * STAGES * _LAYERS_PER_BLOCK[block] + 2, width)
            layout = read_tokens(found, usual)
            if _depth(layout, block) != depth:
                raise ValueError(
                    f"'{text[:60]}' has {_depth(layout, block)} layers by its blocks, not {depth}; write "
                    "that depth."
                )
        try:
            return cls(
                family=family,
                depth=depth,
                width=width,
                block=block,
                shortcut=found["shortcut"] or "A",  # type: ignore[arg-type]
                in_channels=in_channels,
                classes=classes,
                gate_bias=DEFAULT_GATE_BIAS if bias is None else float(bias),
                layout=layout,
            )
        except ValueError as error:
            raise ValueError(f"{error}{_hint(text.strip())}") from None

    def to_dict(self) -> dict[str, Any]:
        """Every field by name, ready for JSON; the layout only where it is not the CIFAR design."""
        told = asdict(self)
        told["layout"] = None if self.layout is None else self.layout.to_dict()
        return told if self.layout is not None else {name: told[name] for name in told if name != "layout"}

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
        layout = None if fields.get("layout") is None else Layout.from_dict(fields["layout"])
        fields = {name: value for name, value in fields.items() if name != "layout"}
        for name, value in fields.items():
            wanted = (int, float) if name == "gate_bias" else str if name in _WORDS else int
            if not isinstance(value, wanted) or isinstance(value, bool):
                raise ValueError(f"The field {name} of a net spec has the wrong type: {value!r}.")
        return cls(**fields, layout=layout)


def _usual(family: Family, block: BlockKind, depth: int, width: int) -> Layout:
    """The CIFAR design of section 4.2."""
    count = (depth - 2) // (STAGES * _LAYERS_PER_BLOCK[block])
    preact = FAMILIES[family].pre_activation
    return Layout(
        blocks=(max(count, 1),) * STAGES,
        channels=tuple(width * 2**stage for stage in range(STAGES)),
        stem=width,
        expansion=4 if block == "bottleneck" else 1,
        projection_norm=not preact,
        stem_norm=not preact,
    )


def _depth(layout: Layout, block: BlockKind) -> int:
    """Weighted layers on the longest path: the stem, those of the blocks, the read-out."""
    return sum(layout.blocks) * _LAYERS_PER_BLOCK[block] + 2


def _as_id(text: str) -> str:
    """Titles such as ResNet-20 and WRN-28-10 as ids; any other text as it is."""
    wide = _WIDE.fullmatch(text)
    if wide is not None and (int(wide[1]) - 4) % 6 == 0:
        # its name counts the projections too: 6n+4
        return f"preact-{int(wide[1]) - 2}-B-w{16 * int(wide[2])}-stem16-act" if int(wide[2]) > 1 else text
    match = _TITLE.match(text)
    if match is None:
        return text
    return f"{_NAMES[match[1].lower().replace('-', '')]}-{text[match.end() :]}"


def _hint(text: str) -> str:
    """Which id was probably meant."""
    bare = re.sub(r"[-_ ]", "", text.lower())[:20]
    name = bare.replace("19bn", "19_bn")
    told = f" ImageNet's is torchvision:{name}." if bare in _IMAGENET else ""
    match = re.fullmatch(rf"({'|'.join(_NAMES)})(\d{{1,4}})", bare)
    if match is None or f"{match[2]}" not in text:
        return told
    family, depth = _NAMES[match[1]], int(match[2])
    depths = valid_depths()
    near = min(depths, key=lambda valid: abs(valid - depth))
    return f"{told} The nearest of the small nets is {family}-{near}."


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


def _sentence_case(title: str) -> str:
    return title[0].upper() + title[1:]
