"""Whether gradients vanish: one answer for all pages, from what `evidence.gradients` has kept on digits."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd

from explorer.analysis import wording
from explorer.analysis.aggregates import Final
from explorer.analysis.gradients import BEYOND, JUDGED_DEPTHS, magnitude
from explorer.analysis.verdicts import HEALTHY_GRADIENT, TRAINED_PCT
from explorer.nets.spec import NetSpec

USUAL = "usual"
DEEP, SHALLOW = JUDGED_DEPTHS[-1], JUDGED_DEPTHS[0]
_LAYERS_PER_BLOCK = 2
_AGREES = 0.1
"""A cosine from here on is called agreement."""


@dataclass(frozen=True)
class Kept:
    """The tables that the answer rests on; see `evidence.gradients.kept`.

    Attributes:
        agreement: cosine between batches, per block.
        sizes: norms of gradients, per block.
        forced: errors of nets whose steps were given a size.
    """

    agreement: pd.DataFrame
    sizes: pd.DataFrame
    forced: pd.DataFrame


def agreements(table: pd.DataFrame, epoch: int = 0, start: str = USUAL) -> dict[str, Final]:
    """Mean over the blocks of each net's cosine, then over its seeds, with lowest and highest seed."""
    part = table[(table["epoch"] == epoch) & (table["start"] == start)]
    by_seed = part.groupby(["net", "seed"], sort=False)["cosine"].mean()
    return {
        str(net): Final(each.mean(), each.min(), each.max(), len(each))
        for net, each in by_seed.groupby(level="net", sort=False)
    }


def angle(cosine: float) -> float:
    """Degrees between two directions of that cosine."""
    return math.degrees(math.acos(max(-1.0, min(1.0, cosine))))


def ratios(table: pd.DataFrame, step: int = 0, norm: str = "norm") -> dict[str, float]:
    """By net the first block's gradient norm over the last one's after a step, median over the seeds."""
    part = table[table["step"] == step].sort_values("block")
    ends = part.groupby(["net", "seed"], sort=False)[norm].agg(["first", "last"])
    found = (ends["first"] / ends["last"]).groupby(level="net", sort=False).median()
    return {str(net): float(value) for net, value in found.items()}


def growth(table: pd.DataFrame) -> float:
    """By how much an untrained plain net's gradient grows per layer on its way back; mean over the nets."""
    blocks = table[table["step"] == 0].groupby("net")["block"].nunique()
    rates = [
        ratio ** (1 / (_LAYERS_PER_BLOCK * (blocks[net] - 1)))
        for net, ratio in ratios(table).items()
        if net.startswith("plain")
    ]
    return sum(rates) / len(rates) if rates else math.nan


def forced(table: pd.DataFrame, net: str, manner: str = "share") -> Final | None:
    """Training error at the end of a net whose steps were given a size; None where none was trained."""
    part = table[(table["net"] == net) & (table["manner"] == manner)]
    ends = part[part["epoch"] == part["epoch"].max()]["train_error_pct"]
    return Final(ends.mean(), ends.min(), ends.max(), len(ends)) if len(ends) else None


def answer(kept: Kept) -> str:
    """Whether the size of the gradients or their direction keeps deep plain nets from learning."""
    start, end = ratios(kept.sizes), ratios(kept.sizes, _last_step(kept.sizes))
    shallow, deep, residual = f"plain-{SHALLOW}", f"plain-{DEEP}", f"residual-{DEEP}"
    agree, sized = agreements(kept.agreement), forced(kept.forced, deep)
    if sized is None or not {shallow, deep} <= set(start) or not {deep, residual} <= set(agree):
        return ""
    grown, least = start[deep], min(start[deep], end[deep], start[shallow], end[shallow])
    verb = "grows" if grown > 1 else "shrinks"
    said = (
        f"**{'Not at these depths' if least >= HEALTHY_GRADIENT else 'In part'}.** Before training the "
        f"gradient of a plain net {verb} on its way back, {growth(kept.sizes):.2f} times per layer: at the "
        f"first block's output it is {magnitude(start[shallow])} times the last one's at {SHALLOW} layers "
        f"and {magnitude(grown)} times at {DEEP}; after training {magnitude(end[deep])} times at {DEEP}."
    )
    size = "is what fails" if sized.mean <= TRAINED_PCT else "alone does not explain the failure"
    said += (
        f" Its size {size}: with every step forced to a healthy size, {_title(deep)} ends at {_span(sized)} "
        "training error."
    )
    return (
        f"{said} What a deep plain net lacks is direction: the steps that two batches ask for agree with a "
        f"cosine of {agree[deep].mean:.3f} in {_title(deep)} and {agree[residual].mean:.2f} in "
        f"{_title(residual)} (untrained, digits)."
    )


def agreement_sentence(table: pd.DataFrame, depth: int, epoch: int) -> str:
    """How far two batches agree in the plain and the residual net of one depth."""
    found = agreements(table, epoch)
    known = {net: found[net] for family in ("plain", "residual") if (net := f"{family}-{depth}") in found}
    if not known:
        return "Not measured at this depth."
    when = "Untrained" if epoch == 0 else f"After {epoch} epoch{'s' if epoch > 1 else ''}"
    said = [
        f"{angle(one.mean):.0f}° apart in {_title(net)} (cosine {_cosine(one)})" for net, one in known.items()
    ]
    identity = agreements(table, 0, "identity").get(f"plain-{depth}")
    also = (
        f" Started at the identity, the same plain net begins at {angle(identity.mean):.0f}° (cosine "
        f"{_cosine(identity)})."
        if identity is not None
        else ""
    )
    return f"**{when}, the steps that two batches ask for are {wording.listed(said)}.**{also}"


def caveat(kept: Kept) -> str:
    """That agreement guarantees nothing, where a net that fails comes to agree; empty where none does."""
    deep = f"plain-{DEEP}"
    later = {epoch: agreements(kept.agreement, epoch).get(deep) for epoch in kept.agreement["epoch"].unique()}
    best = max(((one.mean, epoch) for epoch, one in later.items() if one is not None and epoch), default=None)
    if best is None or best[0] < _AGREES:
        return ""
    return (
        f"Agreement guarantees nothing, and that direction is the cause is not proved by it: after {best[1]} "
        f"epochs two batches agree with a cosine of {best[0]:.2f} in {_title(deep)} too, and within 10 it "
        "hardly learns."
    )


def reconciled(kept: Kept) -> str:
    """Why gradients that grow, and the paper's claim that they do not vanish, are both so."""
    start, beyond = ratios(kept.sizes), f"plain-{BEYOND}"
    steps = [step for step in (11, _last_step(kept.sizes)) if step in set(kept.sizes["step"])]
    deep = [magnitude(ratios(kept.sizes, step)[f"plain-{DEEP}"]) for step in steps]
    if beyond not in start or len(deep) < 2:
        return ""
    said = (
        "Theory expects that growth of any net with batch normalisation and no shortcut: in wide, fully "
        "connected ReLU nets the norm grows by √(π/(π−1)) = 1.21 a layer (Yang et al. 2019, Theorem 8, large "
        "batches). The paper speaks of nets of 18 and 34 layers, says that signals do not *vanish*, and does "
        f"not say when it looked. Both hold: training evens the norms out, at {DEEP} layers from "
        f"{magnitude(start[f'plain-{DEEP}'])} times to {deep[0]} within {steps[0]} steps and to {deep[1]} in "
        "the end."
    )
    low, high = stem_growth(kept.sizes, beyond)
    gone = ratios(kept.sizes, steps[0])[beyond]
    if gone < HEALTHY_GRADIENT:
        said += (
            f" At {BEYOND} layers, where it begins at {magnitude(start[beyond])} times, the first step makes "
            f"the first convolution's weights {low:.0f} to {high:.0f} times as large, and after {steps[0]} "
            f"steps the ratio is {magnitude(gone)}: there the gradient has vanished, as an effect of that "
            "failure."
        )
    return said


def forced_sentence(table: pd.DataFrame) -> str:
    """What became of nets whose steps were given a size."""
    nets = list(dict.fromkeys(table["net"]))
    healthy = [f"{_title(net)} {_span(end)}" for net in nets if (end := forced(table, net)) is not None]
    ends = {net: forced(table, net, "clip") for net in nets}
    clipped = [f"{_title(net)} {_span(end)}" for net, end in ends.items() if end is not None]
    if not healthy:
        return ""
    said = f"**Every tensor's step at a healthy size**, training error at the end: {wording.listed(healthy)}."
    return f"{said} The norm of all gradients clipped at 1: {wording.listed(clipped)}." if clipped else said


def stem_growth(table: pd.DataFrame, net: str) -> tuple[float, float]:
    """How many times larger one step makes the first convolution's weights: lowest and highest seed."""
    part = table[(table["net"] == net) & (table["block"] == 1)].set_index(["seed", "step"])["stem_weight"]
    grown = part.xs(1, level="step") / part.xs(0, level="step")
    return float(grown.min()), float(grown.max())


def _last_step(table: pd.DataFrame) -> int:
    return int(table["step"].max()) if len(table) else 0


def _span(one: Final) -> str:
    if one.seeds == 1 or f"{one.low:.1f}" == f"{one.high:.1f}":
        return wording.percent(one.mean) + (" (one seed)" if one.seeds == 1 else "")
    return f"{one.low:.1f} to {wording.percent(one.high)}"


def _cosine(one: Final) -> str:
    digits = 3 if abs(one.mean) < 0.1 else 2
    if one.seeds == 1:
        return f"{wording.signed(one.mean, digits).lstrip('+')}, one seed"
    ends = " to ".join(wording.signed(value, digits).lstrip("+") for value in (one.low, one.high))
    return f"{wording.signed(one.mean, digits).lstrip('+')}; {ends} over {one.seeds} seeds"


def _title(net: str) -> str:
    return NetSpec.parse(net).title
