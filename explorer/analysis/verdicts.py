"""Every rule and threshold by which numbers are judged, computed and in words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from explorer import paper
from explorer.analysis import wording
from explorer.analysis.aggregates import Final
from explorer.training.recipe import Recipe, paper_recipe

Verdict = Literal[
    "reproduced", "same direction, other protocol", "not reproduced", "not comparable", "not measured yet"
]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
Order = Literal["higher", "higher on average", "same", "lower on average", "lower"]

SAME_ERROR_POINTS = 0.5
"""An error this near to the paper's is reproduced."""
SAME_POINTS = 2.0
"""Means of errors nearer than this are not called different."""
SAME_SHARE = 0.03
"""Responses nearer than this fraction are not called different."""
MACS_TOLERANCE = 0.03
LENGTH_TOLERANCE = 0.05
HEALTHY_GRADIENT = 0.1
"""The first block's gradient norm over the last one's, at least, where gradients have not vanished."""
TRAINED_PCT = 5.0
"""Nets with more training error have not learnt their images: their test error says little on overfitting."""
NEXT_TO_NOTHING = 0.9
"""A net whose training error is at least this part of guessing's has learnt next to nothing."""
_ROUNDING = 1e-9

RULES: dict[str, str] = {
    "runs": "Finished runs alone count, and each seed once: of a seed trained twice, the newest. The zoo's "
    "runs, those trained here and imported ones are never averaged together. Nets are compared under one "
    "protocol: equal images, iterations and recipe but for the seed and the warm-up (the paper too warms up "
    "at 110 layers alone); of several, the longest in which all nets compared were trained.",
    "parameters": "Parameters are reproduced where our exact count, rounded to the paper's digits, is what "
    "it prints.",
    "multiply-adds": f"Multiply-adds are reproduced within {MACS_TOLERANCE:.0%} of what the paper prints, "
    "which is what two digits leave open; a variant of the block is not comparable.",
    "errors": f"An error is reproduced where the mean of our seeds lies within {SAME_ERROR_POINTS} points "
    "of the paper's, about three times the standard deviation of its five runs (0.16). It is not comparable "
    f"where the images are not the paper's, or the length departs by more than {LENGTH_TOLERANCE:.0%} from "
    "its 64,000 iterations, or the learning rate, its drops, momentum, weight decay, batch size, "
    "augmentation or regularisers are others. Precision and normalisation are named, and do not count.",
    "claims": "A claim that one error is higher than another holds where the means differ by at "
    f"least {SAME_POINTS:g} points and no two seeds overlap; that one is not higher, where it is higher by "
    f"less than {SAME_POINTS:g} points; that one is lower, where no two seeds overlap. Responses are "
    "compared by their medians over layers and seeds, after the last epoch, at every depth measured, and "
    f"differ where one is more than {SAME_SHARE:.0%} below the other. Gradients are healthy where the norm "
    f"in the first block's weights is at least {HEALTHY_GRADIENT:g} of the last block's (median over the "
    "seeds), after the first and after the last epoch, in plain nets of 20, 32 and 56 layers: the paper "
    "speaks of 18 and 34, and 110 is named beside them.",
    "protocol": "A claim that holds is reproduced where data and protocol come near to the paper's: by the "
    "rule for errors, CIFAR-10 and nothing that makes an error incomparable. Anywhere else it is called "
    "“same direction, other protocol”. A claim that does not hold under another protocol is no evidence "
    "against the paper. Counts need no training, so no protocol.",
    "learnt": f"A net has learnt next to nothing where its training error is at least {NEXT_TO_NOTHING:.0%} "
    "of that of guessing.",
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
    said = f"{wording.signed(wording.difference(mean, printed, 2))} points"
    if any(difference.counts for difference in differences):
        return Judged("not comparable", "measured under another protocol")
    same = abs(mean - printed) <= SAME_ERROR_POINTS + _ROUNDING
    return Judged("reproduced" if same else "not reproduced", said)


def ordered(one: Final, other: Final) -> Order:
    """Whether the first error is higher, by 2 points in the mean; on average, where seeds overlap."""
    points = one.mean - other.mean
    if abs(points) < SAME_POINTS - _ROUNDING:
        return "same"
    if points > 0:
        return "higher" if one.low > other.high else "higher on average"
    return "lower" if one.high < other.low else "lower on average"


def final(errors: Sequence[float]) -> Final:
    """Mean and spread of some seeds' errors, at least one."""
    return Final(_mean(errors), min(errors), max(errors), len(errors))


def judge_higher(higher: Sequence[float], lower: Sequence[float]) -> Verdict:
    """Whether the first errors are higher: by 2 points in the mean, with no two seeds overlapping."""
    return "reproduced" if ordered(final(higher), final(lower)) == "higher" else "not reproduced"


def judge_not_higher(errors: Sequence[float], than: Sequence[float]) -> Verdict:
    """Whether the first errors are higher than the second by less than 2 points in the mean."""
    return "reproduced" if _mean(errors) - _mean(than) < SAME_POINTS - _ROUNDING else "not reproduced"


def under(protocol: Sequence[Difference], judged: Judged) -> Judged:
    """The verdict on a claim under a protocol: what holds far from the paper's is not called reproduced."""
    if judged.verdict == "reproduced" and any(difference.counts for difference in protocol):
        return Judged("same direction, other protocol", judged.reason)
    return judged


def learnt_next_to_nothing(train_error_pct: float, chance_pct: float) -> bool:
    """Whether a net's training error is nearly that of guessing."""
    return train_error_pct >= NEXT_TO_NOTHING * chance_pct


def differences(run: Mapping[str, Any]) -> list[Difference]:
    """How a run departs from section 4.2.

    Args:
        run: a row with dataset, iterations, depth and recipe.
    """
    found = []
    if run["dataset"] != paper.DATASET:
        found.append(Difference(f"images: {run['dataset']}, not CIFAR-10"))
    share = int(run["iterations"]) / paper.ITERATIONS
    if abs(share - 1) > LENGTH_TOLERANCE + _ROUNDING:
        found.append(
            Difference(
                f"length: {run['iterations']:,} of the paper's {paper.ITERATIONS:,} iterations "
                f"({100 * share:.2g} %)"
            )
        )
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
