"""Overfitting on few images: final errors by regulariser, one comparison per choice of depths."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from explorer.analysis import selection, wording
from explorer.analysis.aggregates import Final
from explorer.analysis.verdicts import SAME_POINTS, TRAINED_PCT, Judged, Order, ordered
from explorer.training.recipe import Recipe

PAPER_DEPTH = 110
"""With this net the paper compares its net of 1202 layers."""
VERY_DEEP_FROM = 302
"""A net of so many layers and more stands for the paper's of 1202."""
_NAMES = {"": "without a regulariser", "-survival0.5": "with stochastic depth", "-dropout0.3": "with dropout"}
_COLUMNS = ["regulariser", "depth", "split", "mean", "low", "high", "seeds"]


@dataclass(frozen=True)
class DepthComparison:
    """A deep net beside a shallower one; both have learnt their images.

    Attributes:
        shallow: depth of the shallower net.
        deep: depth of the deeper net.
        before: test error of the shallower net.
        after: test error of the deeper net.
    """

    shallow: int
    deep: int
    before: Final
    after: Final

    @property
    def order(self) -> Order:
        """Whether the deeper net's test error is the higher one."""
        return ordered(self.after, self.before)

    def __str__(self) -> str:
        """The comparison in words, with its depths."""
        return (
            f"from {self.shallow} to {self.deep} layers {_FOUND[self.order]} (test error {self.before}, then "
            f"{self.after})"
        )


_FOUND: dict[Order, str] = {
    "higher": "more depth overfits",
    "higher on average": "more depth overfits on average, with overlapping seeds",
    "same": f"the effect does not show (less than {SAME_POINTS:g} points)",
    "lower on average": "the effect does not show: the error falls on average",
    "lower": "the effect does not show: the error falls",
}


def finals_by_regulariser(runs: pd.DataFrame, dataset: str) -> pd.DataFrame:
    """Final errors of the zoo's residual nets on one dataset, over seeds, of its longest protocol.

    Returns:
        Columns regulariser, depth, split, mean, low, high, seeds; nets without a regulariser first.
    """
    mine = selection.of_zoo(runs)
    mine = mine[(mine["dataset"] == dataset) & (mine["family"] == "residual")]
    mine = selection.longest_with(mine, [])
    named = mine.assign(regulariser=[Recipe.from_dict(recipe).regularisers for recipe in mine["recipe"]])
    parts = []
    for split in ("train", "test"):
        errors = named.groupby(["regulariser", "depth"])[f"{split}_error_pct"]
        table = errors.agg(mean="mean", low="min", high="max", seeds="count").reset_index()
        parts.append(table.assign(split=split))
    finals = pd.concat(parts)[_COLUMNS]
    order = finals["regulariser"].map({name: number for number, name in enumerate(_NAMES)})
    return finals.assign(order=order).sort_values(["order", "split", "depth"], ignore_index=True)[_COLUMNS]


def comparisons(finals: pd.DataFrame, regulariser: str = "") -> list[DepthComparison]:
    """The deepest net that learnt its images beside the shallowest, and beside the paper's 110 layers."""
    train, test = _errors(finals, regulariser, "train"), _errors(finals, regulariser, "test")
    learnt = [depth for depth, final in train.items() if final.mean <= TRAINED_PCT]
    if len(learnt) < 2:
        return []
    deep = learnt[-1]
    shallow = dict.fromkeys([learnt[0], *([PAPER_DEPTH] if PAPER_DEPTH in learnt[:-1] else [])])
    return [DepthComparison(depth, deep, test[depth], test[deep]) for depth in shallow]


def overfitting_sentence(finals: pd.DataFrame, regulariser: str = "") -> str:
    """Whether the deepest net that learnt its images does worse in the test than shallower ones, by name."""
    train = _errors(finals, regulariser, "train")
    late = [depth for depth, final in train.items() if final.mean > TRAINED_PCT]
    name = _NAMES[regulariser].capitalize()
    left = (
        f" Not counted, since they had not learnt their images yet: {_listed(late)} layers." if late else ""
    )
    found = comparisons(finals, regulariser)
    if not found:
        return f"**{name}**, too few nets learnt their images within these steps to say anything.{left}"
    most = max(final.mean for depth, final in train.items() if depth not in late)
    return f"**{name}:** {'; '.join(map(str, found))}, with a training error of at most {most:.1f} %.{left}"


def judge(finals: pd.DataFrame) -> Judged:
    """The paper's claim about its very deep net: 110 layers beside the deepest net, without a regulariser."""
    train = _errors(finals, "", "train")
    if max(train, default=0) < VERY_DEEP_FROM or PAPER_DEPTH not in train:
        return Judged("not measured yet", f"no net of {VERY_DEEP_FROM} layers or more on these images")
    papers = [one for one in comparisons(finals) if (one.shallow, one.deep) == (PAPER_DEPTH, max(train))]
    trains = train[max(train)].mean - train[PAPER_DEPTH].mean < SAME_POINTS
    holds = trains and bool(papers) and papers[0].order == "higher"
    said = overfitting_sentence(finals).replace("**", "")
    said = f"judged from {PAPER_DEPTH} to {max(train)} layers. {said.rstrip('.')}"
    return Judged("reproduced" if holds else "not reproduced", said)


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
    mine = finals[(finals["regulariser"] == regulariser) & (finals["split"] == split)].sort_values("depth")
    rows = mine[["depth", "mean", "low", "high", "seeds"]].itertuples(index=False, name=None)
    return {
        int(depth): Final(float(mean), float(low), float(high), int(seeds))
        for depth, mean, low, high, seeds in rows
    }


def _listed(depths: list[int]) -> str:
    return wording.listed([str(depth) for depth in depths])
