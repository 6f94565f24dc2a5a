"""The settings of training: one table of names, limits and help; every widget is part of the URL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import streamlit as st

from explorer.nets.spec import DEFAULT_GATE_BIAS, MAX_DEPTH, MAX_WIDTH
from explorer.training.recipe import Recipe
from explorer.ui.url_parameters import Choice, Pair, Real, Switch, Whole, bound, declare

_RECIPE = Recipe()


@dataclass(frozen=True)
class Number:
    """A number that can be typed.

    Attributes:
        label: what people read.
        default: without a word in the URL.
        low: the smallest.
        high: the largest.
        step: of the arrow keys.
        help: one sentence.
        format: how it is printed.
    """

    label: str
    default: float
    low: float
    high: float
    step: float
    help: str
    format: str | None = None


NUMBERS = {
    "layers": Number(
        "Depth", 56, 8, MAX_DEPTH, 6, "Weighted layers: 6n+2 with basic blocks, 9n+2 with bottlenecks."
    ),
    "epochs": Number("Epochs", _RECIPE.epochs, 1, 1000, 1, "Passes over the training images."),
    "repeats": Number(
        "Seeds", 1, 1, 10, 1, "Runs per net, each with other initial weights and another order of the images."
    ),
    "width": Number(
        "Width", 16, 1, MAX_WIDTH, 1, "Filters of the first stage; the next have two and four times as many."
    ),
    "gate": Number(
        "Gate bias (Highway)", DEFAULT_GATE_BIAS, -10.0, 10.0, 0.5,
        "Where it is negative, a Highway layer carries its input through at first.",
    ),
    "lr": Number(
        "Peak learning rate", _RECIPE.lr, 1e-4, 10.0, 0.01, "The rate after the warm-up.", "%.4g",
    ),
    "decay": Number(
        "Weight decay", _RECIPE.weight_decay, 0.0, 0.1, 1e-4, "How hard every step pulls at weights.", "%.4g",
    ),
    "survival": Number(
        "Survival of the last block", _RECIPE.survival, 0.05, 1.0, 0.05,
        "Stochastic depth: below 1, blocks are left out at random in training, late ones more often.", "%.2f",
    ),
    "dropout": Number(
        "Dropout", _RECIPE.dropout, 0.0, 0.95, 0.05,
        "Chance that a value between two convolutions of a block is set to zero in a step.", "%.2f",
    ),
    "seed": Number(
        "First seed", _RECIPE.seed, 0, 10_000, 1, "Seeds count up from here; one seed always gives one run."
    ),
}  # fmt: skip
WORDS = {
    "block": ("Block", "Basic: two 3x3 layers. Bottleneck: 1x1, 3x3, 1x1 with a wide output."),
    "shortcut": ("Shortcut", "Where shapes change, A pads with zeros, B projects; C always projects."),
    "schedule": ("Schedule", "Cosine falls smoothly to zero; step divides by ten at each drop."),
    "precision": (
        "Precision",
        "bf16 computes in half precision. Many GPUs and some processors are faster in it; auto takes it "
        "where this machine's calibration says so. The line beside Start tells what was chosen.",
    ),
    "device": ("Device", "Auto takes a CUDA GPU, then Apple's, then the CPU."),
}  # fmt: skip
PARTS = {
    "drops": ("Drops (% of the run)", (50, 75), (5, 95), "Where the step schedule divides by ten."),
    "warmup": ("Warm-up (% of the run)", 15, (0, 50), "In this part the learning rate rises to its peak."),
}
BATCHES = (16, 32, 64, 128, 256, 512)
_NUMBERS = {
    key: declare(Whole(key, int(one.low), int(one.high)))
    if isinstance(one.default, int) and isinstance(one.step, int)
    else declare(Real(key, one.low, one.high))
    for key, one in NUMBERS.items()
}
_WORDS = {key: declare(Choice(key)) for key in WORDS}
_DROPS = declare(Pair("drops", *PARTS["drops"][2]))
_WARMUP = declare(Whole("warmup", *PARTS["warmup"][2]))
_BATCH = declare(Choice("batch"))
_CHECKPOINTING, _AUGMENT = declare(Switch("checkpointing")), declare(Switch("augment"))


def number(key: str, *, width: int | Literal["stretch"] = "stretch") -> Any:
    """A number of the table, whole where its default and step are."""
    one = NUMBERS[key]
    return st.number_input(
        one.label, one.low, one.high, one.default, one.step, one.format, **bound(_NUMBERS[key]),
        help=one.help, width=width,
    )  # fmt: skip


def word(key: str, options: Sequence[str]) -> str:
    """One of a few words; the first is the default."""
    label, explained = WORDS[key]
    chosen = st.segmented_control(
        label, list(options), default=options[0], help=explained, **bound(_WORDS[key], options=options)
    )
    return chosen if chosen is not None and chosen in options else options[0]


def share(key: str, *, disabled: bool = False) -> Any:
    """A part of the run in per cent, or a pair of them."""
    label, default, (low, high), explained = PARTS[key]
    linked = bound(_DROPS if key == "drops" else _WARMUP)
    return st.slider(label, low, high, default, help=explained, disabled=disabled, **linked)  # type: ignore[call-overload, unused-ignore]


def batch_size() -> int:
    """Images per step."""
    chosen = st.select_slider(
        "Batch size",
        list(BATCHES),
        _RECIPE.batch_size,
        **bound(_BATCH, options=BATCHES),
        help="Images per step.",
    )
    return int(chosen)


def checkpointed() -> bool:
    """Whether maps inside blocks are computed twice instead of kept."""
    explained = "Keep each block's input only and compute its inside again: less memory, more time, same net."
    return bool(st.toggle("Activation checkpointing", help=explained, **bound(_CHECKPOINTING)))


def augmented() -> bool:
    """Whether the images are moved and mirrored."""
    explained = "Pad by 4 pixels, crop at random, and mirror where that keeps the class (section 4.2)."
    return bool(st.toggle("Augmentation", help=explained, **bound(_AUGMENT)))
