"""When is a number of the paper reproduced? Every rule of the board, computed and in words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from explorer import paper
from explorer.training.recipe import Recipe, paper_recipe

Verdict = Literal["reproduced", "not reproduced", "not comparable", "not measured yet"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)

SAME_ERROR_POINTS = 0.5
SAME_POINTS = 2.0
MACS_TOLERANCE = 0.03
LENGTH_TOLERANCE = 0.05
HEALTHY_GRADIENT = 0.1

RULES: dict[str, str] = {
    "parameters": "Parameters are reproduced where our exact count, rounded to the paper's digits, is what "
    "it prints.",
    "multiply-adds": f"Multiply-adds are reproduced within {MACS_TOLERANCE:.0%} of what the paper prints, "
    "which is what two digits leave open; a variant of the block is not comparable.",
    "errors": f"An error is reproduced where the mean of our seeds lies within {SAME_ERROR_POINTS} points "
    "of the paper's, about three times the standard deviation of its five runs (0.16). It is not comparable "
    f"where the images are not the paper's, or the length departs by more than {LENGTH_TOLERANCE:.0%} from "
    "its 64,000 iterations, or the learning rate, its drops, momentum, weight decay, batch size, "
    "augmentation or regularisers are others. Precision and normalisation are named, and do not count.",
    "claims": "A claim that one error is higher than another is reproduced where the means differ by at "
    f"least {SAME_POINTS:g} points and no two seeds overlap; that one is not higher, where it is higher by "
    f"less than {SAME_POINTS:g} points; that one is lower, where no two seeds overlap. Responses are "
    "compared by their means over layers and seeds, in the last epoch, at every depth measured. Gradients "
    f"are healthy where the first block's norm is at least {HEALTHY_GRADIENT:g} of the last block's, after "
    "the first and after the last epoch, at 56 layers and at 110 where that net was trained.",
}


@dataclass(frozen=True)
class Judged:
    """A verdict and why.

    Attributes:
        verdict: one of `VERDICTS`.
        reason: the numbers that it follows from.
    """

    verdict: Verdict
    reason: str


@dataclass(frozen=True)
class Difference:
    """How a run departs from the paper's protocol.

    Attributes:
        text: for people.
        counts: whether it makes errors incomparable.
    """

    text: str
    counts: bool = True


def judge_parameters(printed: str, count: int) -> Judged:
    """Compare an exact count with what the paper prints, in millions."""
    here = f"{count / 1e6:.{_decimals(printed)}f}"
    verdict: Verdict = "reproduced" if here == printed else "not reproduced"
    return Judged(verdict, f"{count:,} parameters, rounded {here} million")


def judge_macs(printed: str, macs: int, variant: str = "") -> Judged:
    """Compare an exact count of multiply-adds with what the paper prints, in billions."""
    off = macs / 1e9 / float(printed) - 1
    said = f"{macs / 1e9:.2f} billion multiply-adds, {100 * off:+.1f} %"
    if abs(off) <= MACS_TOLERANCE:
        return Judged("reproduced", said)
    return Judged(
        "not comparable" if variant else "not reproduced", f"{said}; {variant}" if variant else said
    )


def judge_error(printed: float, errors: Sequence[float], differences: Sequence[Difference]) -> Judged:
    """Compare the errors of our seeds, in per cent, with the paper's."""
    known = [error for error in errors if not math.isnan(error)]
    if not known:
        return Judged("not measured yet", "no finished run of this net here")
    mean = sum(known) / len(known)
    said = f"{mean - printed:+.2f} points"
    if any(difference.counts for difference in differences):
        return Judged("not comparable", "measured under another protocol")
    same = abs(mean - printed) <= SAME_ERROR_POINTS + 1e-9
    return Judged("reproduced" if same else "not reproduced", said)


def judge_higher(higher: Sequence[float], lower: Sequence[float]) -> Verdict:
    """Whether the first errors are higher: by 2 points in the mean, with no two seeds overlapping."""
    apart = min(higher) > max(lower)
    return "reproduced" if apart and _mean(higher) - _mean(lower) >= SAME_POINTS else "not reproduced"


def judge_not_higher(errors: Sequence[float], than: Sequence[float]) -> Verdict:
    """Whether the first errors are higher than the second by less than 2 points in the mean."""
    return "reproduced" if _mean(errors) - _mean(than) < SAME_POINTS else "not reproduced"


def differences(run: Mapping[str, Any]) -> list[Difference]:
    """How a run departs from section 4.2.

    Args:
        run: a row with dataset, iterations, depth and recipe.
    """
    found = []
    if run["dataset"] != paper.DATASET:
        found.append(Difference(f"images: {run['dataset']}, not CIFAR-10"))
    share = int(run["iterations"]) / paper.ITERATIONS
    if abs(share - 1) > LENGTH_TOLERANCE + 1e-9:
        found.append(Difference(f"length: {100 * share:.2g} % of the paper's iterations"))
    recipe = Recipe.from_dict(run["recipe"])
    found += _settings(recipe, paper_recipe())
    if recipe.precision != "fp32":
        found.append(Difference(f"precision: {recipe.precision}", counts=False))
    found.append(Difference("normalisation: mean and deviation per channel, not a mean image", counts=False))
    return found


def _settings(recipe: Recipe, wanted: Recipe) -> list[Difference]:
    names = ("lr", "schedule", "drops", "batch_size", "momentum", "weight_decay", "augment")
    texts = ("peak learning rate", "decay", "drops", "batch", "momentum", "weight decay", "augmentation")
    found = [
        Difference(f"{text}: {_said(getattr(recipe, name))}, not {_said(getattr(wanted, name))}")
        for name, text in zip(names, texts, strict=True)
        if getattr(recipe, name) != getattr(wanted, name)
        and not (name == "drops" and recipe.schedule != wanted.schedule)
    ]
    if recipe.regularisers:
        found.append(Difference(f"regularisers: {recipe.regularisers.strip('-')}"))
    return found


def _said(value: Any) -> str:
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else str(value)


def _decimals(printed: str) -> int:
    return len(printed.partition(".")[2])


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
