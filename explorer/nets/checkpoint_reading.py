"""What a person may say about a checkpoint, and what was assumed where nobody says it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from explorer.nets.families import Family
from explorer.nets.layout import Projected
from explorer.nets.normalisation import Normalisation

Padding = Literal["both", "after"]
PADDINGS: tuple[Padding, ...] = get_args(Padding)
PROJECTED: tuple[Projected, ...] = get_args(Projected)
MAX_SIDE = 1024
CIFAR10 = Normalisation((0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616))
IMAGENET = Normalisation((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


@dataclass(frozen=True, slots=True)
class Reading:
    """How a file is to be read where it leaves something open; None leaves it to the reader.

    Args:
        family: plain or residual; both have the same tensors.
        padding: where option A puts its new channels: half before and half after the old ones, or all after.
        projection: what a pre-activation net's projections see: the input or what is activated.
        weights: which of several sets of weights in the file, by its name.
        normalisation: of the net's inputs.
        image_size: side of its square inputs in pixels.

    Raises:
        ValueError: a value is none of those that there are.
    """

    family: Family | None = None
    padding: Padding | None = None
    projection: Projected | None = None
    weights: str | None = None
    normalisation: Normalisation | None = None
    image_size: int | None = None

    def __post_init__(self) -> None:
        """Refuse values that cannot be."""
        for name, value, choices in (
            ("padding", self.padding, PADDINGS),
            ("projection", self.projection, PROJECTED),
        ):
            if value is not None and value not in choices:
                raise ValueError(f"{name} is {' or '.join(choices)}, not '{value}'.")
        if self.image_size is not None and not 4 <= self.image_size <= MAX_SIDE:
            raise ValueError(f"image_size must lie between 4 and {MAX_SIDE} pixels, not {self.image_size}.")

    def said(self) -> str:
        """All that is said, as a short text; equal readings have equal texts."""
        told = [self.family, self.padding, self.projection, self.weights, self.image_size]
        scale = self.normalisation
        told += [] if scale is None else [",".join(f"{value:g}" for value in scale.mean + scale.std)]
        return "-".join(str(value) for value in told if value is not None)


@dataclass(frozen=True, slots=True)
class Assumption:
    """Something that the file does not say, and what it was taken to be.

    Attributes:
        option: the field of `Reading` that says it; as an option of the shell `--` stands before it.
        taken: what was taken.
        others: what else it may be.
        text: a sentence: what was assumed, and why.
        guess: whether nothing at all speaks for it.
    """

    option: str
    taken: str
    others: tuple[str, ...]
    text: str
    guess: bool = False

    @property
    def flag(self) -> str:
        """The option of the shell."""
        return "--mean --std" if self.option == "normalisation" else f"--{self.option.replace('_', '-')}"

    def sentence(self) -> str:
        """The assumption, and how to say otherwise."""
        return f"{self.text} ({self.flag})"


def other_readings(reading: Reading, assumptions: tuple[Assumption, ...]) -> list[Reading]:
    """Every way to read the net's shape that its file leaves open, the one that was taken first."""
    readings = [reading]
    for found in assumptions:
        if found.option in ("family", "padding", "projection"):
            values = (found.taken, *found.others)
            changes: list[dict[str, Any]] = [{found.option: value} for value in values]
            readings = [replace(each, **change) for each in readings for change in changes]
    # a plain net has no shortcuts: where they pad is no question
    return list(dict.fromkeys(replace(r, padding=None) if r.family == "plain" else r for r in readings))


def options_of(reading: Reading, asked: Reading) -> str:
    """The shell's options that lead from one reading to another."""
    told = [
        f"--{name} {getattr(reading, name)}"
        for name in ("family", "padding", "projection")
        if getattr(reading, name) not in (None, getattr(asked, name))
    ]
    scale = reading.normalisation
    if scale is not None and scale != asked.normalisation:
        mean, std = (",".join(f"{value:.4g}" for value in values) for values in (scale.mean, scale.std))
        told.append(f"--mean {mean} --std {std}")
    return " ".join(told)
