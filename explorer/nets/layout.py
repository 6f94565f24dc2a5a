"""A net's stages, stem and shortcuts in numbers: in what CIFAR's and ImageNet's nets differ."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

Projected = Literal["input", "activated"]
MAX_STAGES = 5
MAX_CHANNELS = 8192
_MOST_BLOCKS = 600
TOKENS = (
    r"(-c(?P<channels>\d{1,4}(\.\d{1,4}){0,4}))?(-s(?P<blocks>\d{1,3}(\.\d{1,3}){0,4}))?"
    r"(-stem(?P<stem>\d{1,4}))?(-(?P<kernel>\d{1,2})x(?P=kernel)(s(?P<stride>\d))?(?P<pool>pool)?)?"
    r"(-x(?P<expansion>\d))?(?P<projection>-act)?(?P<averaged>-avg)?(?P<project_first>-first)?"
    r"(-(?P<projection_norm>norm|bare))?(-(?P<stem_norm>stemnorm|nostemnorm))?(?P<last_norm>-nolast)?"
    r"(?P<conv_bias>-convbias)?"
)
"""The part of an id that says where a net departs from the CIFAR design, as a regular expression."""


@dataclass(frozen=True, slots=True)
class Layout:
    """What stands where in a net of a stem, stages of blocks, and a head.

    Args:
        blocks: of each stage, 1 to 5 stages.
        channels: width inside the blocks of each stage; a block's output has `expansion` times as many.
        stem: channels of the first convolution.
        kernel: side of the first convolution in pixels, odd.
        stride: of the first convolution.
        pool: whether a 3x3 max pooling with stride 2 follows it.
        expansion: output channels of a block over its width; 1 in basic blocks.
        projection: what a pre-activation net's projections see: the block's input, or that after the
            first BN and ReLU.
        averaged: shortcuts of stride 2 average 2x2 pixels instead of taking every second one.
        project_first: option B has a projection in the very first block also where its shape stays.
        projection_norm: whether a BN follows each projection.
        stem_norm: whether BN and ReLU follow the first convolution.
        last_norm: whether BN and ReLU stand before the pooling of a pre-activation net.
        conv_bias: whether convolutions have biases.

    Raises:
        ValueError: a value is out of range, or two do not go together.
    """

    blocks: tuple[int, ...]
    channels: tuple[int, ...]
    stem: int
    kernel: int = 3
    stride: int = 1
    pool: bool = False
    expansion: int = 1
    projection: Projected = "input"
    averaged: bool = False
    project_first: bool = False
    projection_norm: bool = True
    stem_norm: bool = True
    last_norm: bool = True
    conv_bias: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot be built."""
        if not 1 <= len(self.blocks) <= MAX_STAGES or len(self.blocks) != len(self.channels):
            raise ValueError(
                f"A net has 1 to {MAX_STAGES} stages, each with a number of blocks and of channels."
            )
        _check("The blocks of a stage", self.blocks, _MOST_BLOCKS)
        _check("The channels of a stage", self.channels, MAX_CHANNELS)
        _check("The channels of the stem", (self.stem,), MAX_CHANNELS)
        _check("The expansion of a block", (self.expansion,), 8)
        if self.kernel % 2 == 0 or not 1 <= self.kernel <= 15 or self.stride not in (1, 2, 4):
            raise ValueError("The stem has an odd kernel of 1 to 15 pixels and a stride of 1, 2 or 4.")
        if self.projection not in ("input", "activated"):
            raise ValueError(f"A projection sees the input or activated, not '{self.projection}'.")

    @property
    def outputs(self) -> tuple[int, ...]:
        """Channels of each stage's output."""
        return tuple(width * self.expansion for width in self.channels)

    @property
    def imagenet_stem(self) -> bool:
        """Whether the first layers shrink the map, as nets for photographs do."""
        return self.stride > 1 or self.pool

    def doubles(self) -> bool:
        """Whether each stage is twice as wide as the one before."""
        return self.channels == tuple(self.channels[0] * 2**stage for stage in range(len(self.channels)))

    def tokens(self, usual: Layout) -> list[str]:
        """What an id says beside family, depth and width; see `TOKENS`."""
        told = [] if self.doubles() else ["c" + ".".join(map(str, self.channels))]
        if len(self.blocks) != 3 or len(set(self.blocks)) > 1:
            told.append("s" + ".".join(map(str, self.blocks)))
        if self.stem != self.channels[0]:
            told.append(f"stem{self.stem}")
        if (self.kernel, self.stride, self.pool) != (3, 1, False):
            stride = f"s{self.stride}" if self.stride > 1 else ""
            told.append(f"{self.kernel}x{self.kernel}{stride}{'pool' * self.pool}")
        if self.expansion != usual.expansion:
            told.append(f"x{self.expansion}")
        words = {
            "act": self.projection != usual.projection,
            "avg": self.averaged,
            "first": self.project_first,
            "norm" if self.projection_norm else "bare": self.projection_norm != usual.projection_norm,
            "stemnorm" if self.stem_norm else "nostemnorm": self.stem_norm != usual.stem_norm,
            "nolast": not self.last_norm,
            "convbias": self.conv_bias,
        }
        return told + [word for word, said in words.items() if said]

    def to_dict(self) -> dict[str, Any]:
        """Every field by name, ready for JSON."""
        return {
            name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()
        }

    @classmethod
    def from_dict(cls, given: Any) -> Layout:
        """The inverse of `to_dict`, also after a trip through JSON.

        Raises:
            ValueError: a field is unknown, missing, or of the wrong type or size.
        """
        wanted = {field.name: field.type for field in fields(cls)}
        if (
            not isinstance(given, dict)
            or set(given) - set(wanted)
            or not {"blocks", "channels", "stem"} <= set(given)
        ):
            raise ValueError("A layout has blocks, channels, stem and the other fields of a net's layout.")
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in given.items()
        }
        for name, value in values.items():
            if not _is_a(value, str(wanted[name])):
                raise ValueError(f"The field {name} of a layout has the wrong type: {value!r:.60}.")
        return cls(**values)


def read_tokens(found: Mapping[str, str | None], usual: Layout) -> Layout:
    """The layout that a match of `TOKENS` describes.

    Args:
        found: the match's groups; what is absent is as usual.
        usual: the CIFAR design of the same family, block, depth and width.

    Raises:
        ValueError: it cannot be built.
    """
    blocks = _numbers(found["blocks"]) or usual.blocks
    width = usual.channels[0]
    channels = _numbers(found["channels"]) or tuple(width * 2**stage for stage in range(len(blocks)))
    norm, stem_norm = found["projection_norm"], found["stem_norm"]
    return Layout(
        blocks=blocks,
        channels=channels,
        stem=int(found["stem"] or channels[0]),
        kernel=int(found["kernel"] or 3),
        stride=int(found["stride"] or 1),
        pool=bool(found["pool"]),
        expansion=int(found["expansion"] or usual.expansion),
        projection="activated" if found["projection"] else "input",
        averaged=bool(found["averaged"]),
        project_first=bool(found["project_first"]),
        projection_norm=norm == "norm" if norm else usual.projection_norm,
        stem_norm=stem_norm == "stemnorm" if stem_norm else usual.stem_norm,
        last_norm=not found["last_norm"],
        conv_bias=bool(found["conv_bias"]),
    )


def _numbers(text: str | None) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text or ""))


def _check(what: str, values: tuple[int, ...], high: int) -> None:
    if not all(1 <= value <= high for value in values):
        raise ValueError(f"{what} must lie between 1 and {high}, not {', '.join(map(str, values))[:60]}.")


def _is_a(value: object, kind: str) -> bool:
    if kind.startswith("tuple"):
        return isinstance(value, tuple) and all(type(part) is int for part in value)
    return type(value) is {"int": int, "bool": bool}.get(kind, str)
