"""Does more depth overfit on few images? Final errors of the small zoo by regulariser, and what they say."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from explorer.evidence.verdicts import SAME_POINTS
from explorer.runs.status import Status
from explorer.training.recipe import Recipe

TRAINED_PCT = 5.0
"""Nets with more training error than this have not learnt their images: their test error says little."""
_NAMES = {"": "without a regulariser", "-survival0.5": "with stochastic depth", "-dropout0.3": "with dropout"}
_COLUMNS = ["regulariser", "depth", "split", "mean", "low", "high", "seeds"]


@dataclass(frozen=True)
class Final:
    """One net's final error over its seeds, in per cent.

    Attributes:
        depth: weighted layers.
        mean: over the seeds.
        low: of the best seed.
        high: of the worst seed.
        seeds: how many.
    """

    depth: int
    mean: float
    low: float
    high: float
    seeds: int

    def __str__(self) -> str:
        """Mean and spread, for people."""
        return f"{self.mean:.1f} % ({self.low:.1f} to {self.high:.1f}, {self.seeds} seeds)"


def small_finals(runs: pd.DataFrame, dataset: str) -> pd.DataFrame:
    """Final errors of the zoo's nets on one dataset, over seeds.

    Returns:
        Columns regulariser, depth, split, mean, low, high, seeds; nets without a regulariser first.
    """
    mine = runs[(runs["dataset"] == dataset) & (runs["status"] == Status.DONE) & (runs["source"] == "zoo")]
    named = mine.assign(regulariser=[Recipe.from_dict(recipe).regularisers for recipe in mine["recipe"]])
    parts = []
    for split in ("train", "test"):
        errors = named.groupby(["regulariser", "depth"])[f"{split}_error_pct"]
        table = errors.agg(mean="mean", low="min", high="max", seeds="count").reset_index()
        parts.append(table.assign(split=split))
    finals = pd.concat(parts)[_COLUMNS]
    order = finals["regulariser"].map({name: number for number, name in enumerate(_NAMES)})
    return finals.assign(order=order).sort_values(["order", "split", "depth"], ignore_index=True)[_COLUMNS]


def overfitting_sentence(finals: pd.DataFrame, regulariser: str = "") -> str:
    """Whether the deepest net that learnt its images does worse in the test than the shallowest."""
    train, test = _errors(finals, regulariser, "train"), _errors(finals, regulariser, "test")
    learnt = [depth for depth, final in train.items() if final.mean <= TRAINED_PCT]
    late = [depth for depth in train if depth not in learnt]
    name = _NAMES[regulariser].capitalize()
    left = (
        f" Not counted, since they had not learnt their images yet: {_listed(late)} layers." if late else ""
    )
    if len(learnt) < 2:
        return f"**{name}**, too few nets learnt their images within these steps to say anything.{left}"
    first, last = test[learnt[0]], test[learnt[-1]]
    more = last.mean - first.mean >= SAME_POINTS
    if more and last.low > first.high:
        verdict = "more depth overfits here"
    elif more:
        verdict = "more depth overfits on average, with overlapping seeds"
    else:
        verdict = "the effect does not show"
    most = max(train[depth].mean for depth in learnt)
    return (
        f"**{name}, {verdict}:** from {first.depth} to {last.depth} layers the test error goes from {first} "
        f"to {last}, with a training error of at most {most:.1f} %.{left}"
    )


def helped_sentence(finals: pd.DataFrame, regulariser: str) -> str:
    """At which depths the regulariser changes the test error beyond the overlap of seeds."""
    without, with_it = _errors(finals, "", "test"), _errors(finals, regulariser, "test")
    both = [depth for depth in with_it if depth in without]
    lower = [depth for depth in both if with_it[depth].high < without[depth].low]
    higher = [depth for depth in both if with_it[depth].low > without[depth].high]
    name = _NAMES[regulariser].removeprefix("with ").capitalize()
    said = (
        f"lowers the test error at {_listed(lower)} layers" if lower else "lowers the test error at no depth"
    )
    raised = f" and raises it at {_listed(higher)}" if higher else ""
    return f"{name} {said}{raised}, counted where no two seeds overlap."


def _errors(finals: pd.DataFrame, regulariser: str, split: str) -> dict[int, Final]:
    mine = finals[(finals["regulariser"] == regulariser) & (finals["split"] == split)]
    rows = mine[["depth", "mean", "low", "high", "seeds"]].itertuples(index=False, name=None)
    return {
        int(depth): Final(int(depth), float(mean), float(low), float(high), int(seeds))
        for depth, mean, low, high, seeds in rows
    }


def _listed(depths: list[int]) -> str:
    words = [str(depth) for depth in depths]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
