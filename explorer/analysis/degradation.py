"""Degradation, in the paper's sense: a deeper net with a higher training error than a shallower one.

Compared are nets of one family. What twins of one depth have in common and what not is another sentence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from explorer.analysis import wording
from explorer.analysis.aggregates import Final, final_of
from explorer.analysis.verdicts import Order, learnt_next_to_nothing, ordered
from explorer.nets.families import FAMILIES, net_title

REFERENCE_DEPTH = 20
"""The paper's shallowest net on CIFAR-10: what deeper ones are compared with, where it was trained."""


@dataclass(frozen=True)
class Deeper:
    """A net beside a shallower one of its family, by their training errors.

    Attributes:
        family: of both.
        depth: of the deeper net.
        than: depth of the shallower net.
        error: of the deeper net.
        shallow: error of the shallower net.
    """

    family: str
    depth: int
    than: int
    error: Final
    shallow: Final

    @property
    def order(self) -> Order:
        """Whether the deeper net trains worse ("higher") or not."""
        return ordered(self.error, self.shallow)

    @property
    def net(self) -> str:
        """Name of the deeper net."""
        return net_title(self.family, self.depth)

    @property
    def reference(self) -> str:
        """Name of the shallower net."""
        return net_title(self.family, self.than)

    @property
    def numbers(self) -> str:
        """Both errors: '70.4 against 0.0 %'."""
        return f"{self.error.mean:.1f} against {self.shallow.mean:.1f} %"


@dataclass(frozen=True)
class Gap:
    """Twins of one depth.

    Attributes:
        depth: of both.
        plain_train: final training error of the plain net, over seeds.
        residual_train: of its residual twin.
        plain_test: final test error of the plain net.
        residual_test: of its residual twin.
    """

    depth: int
    plain_train: Final
    residual_train: Final
    plain_test: Final
    residual_test: Final

    @property
    def seeds(self) -> int:
        """Runs of each."""
        return min(self.plain_train.seeds, self.residual_train.seeds)


def deeper(finals: pd.DataFrame, family: str, depth: int) -> Deeper | None:
    """That net beside a shallower one; None where it or a shallower one was not trained.

    Args:
        finals: as `aggregates.final_errors` gives them, of one protocol.
        family: of both nets.
        depth: of the deeper one.
    """
    mine = finals[(finals["family"] == family) & (finals["split"] == "train")]
    than = [int(one) for one in sorted(mine["depth"].unique()) if one < depth]
    error = final_of(finals, family, depth, "train")
    if error is None or not than:
        return None
    reference = REFERENCE_DEPTH if REFERENCE_DEPTH in than else than[0]
    shallow = final_of(finals, family, reference, "train")
    return None if shallow is None else Deeper(family, depth, reference, error, shallow)


def gap_at(finals: pd.DataFrame, depth: int) -> Gap | None:
    """The twins of that depth, or None where one of them was not trained; `finals` as for `deeper`."""
    pairs = [(family, split) for split in ("train", "test") for family in ("plain", "residual")]
    found = [final_of(finals, family, depth, split) for family, split in pairs]
    plain_train, residual_train, plain_test, residual_test = found
    if plain_train is None or residual_train is None or plain_test is None or residual_test is None:
        return None
    return Gap(depth, plain_train, residual_train, plain_test, residual_test)


def conclusion(
    finals: pd.DataFrame,
    depth: int,
    chance_pct: float | None = None,
    families: Sequence[str] = tuple(FAMILIES),
) -> str:
    """What the errors at that depth say: of degradation, of the twins, and of nets that learnt nothing.

    Args:
        finals: as for `deeper`.
        depth: of the nets.
        chance_pct: error of guessing, where it is known.
        families: that are spoken of.
    """
    shown = finals[finals["family"].isin(families)]
    said = [degradation(shown, depth)]
    if {"plain", "residual"} <= set(families):
        said.append(twins(finals, depth))
    if chance_pct is not None:
        said.append(idle(shown, depth, chance_pct))
    return " ".join(sentence for sentence in said if sentence) or _alone(shown, depth)


def _alone(finals: pd.DataFrame, depth: int) -> str:
    """Errors of nets that there is nothing to compare with."""
    found = [(family, final_of(finals, family, depth, "train")) for family in FAMILIES]
    said = [
        f"{net_title(family, depth)} with {one.mean:.1f} % training error" for family, one in found if one
    ]
    return (
        f"{wording.listed(said)}: the shallowest here." if said else f"No net of {depth} layers was trained."
    )


def degradation(finals: pd.DataFrame, depth: int) -> str:
    """One sentence about all families trained at that depth; empty where nothing shallower was trained."""
    found = [one for family in FAMILIES if (one := deeper(finals, family, depth))]
    if not found:
        return ""
    worse = [one for one in found if one.order == "higher"]
    on_average = [one for one in found if one.order == "higher on average"]
    head = "No degradation at this depth:"
    if worse:
        head = "Degradation in every family:" if len(worse) == len(found) > 1 else "Degradation:"
    elif on_average:
        head = "Degradation on average, with overlapping seeds:"
    # a family that degrades comes first, so that the others are told against it
    order = sorted(found, key=lambda one: (one not in worse, one not in on_average))
    clauses = [_clause(one, order[:number]) for number, one in enumerate(order)]
    return f"**{head}** {'; '.join(clauses)}."


def twins(finals: pd.DataFrame, depth: int) -> str:
    """One sentence about the plain and the residual net of one depth."""
    gap = gap_at(finals, depth)
    if gap is None:
        return f"At depth {depth} the plain and the residual net have not both been trained here."
    plain, residual = net_title("plain", depth), net_title("residual", depth)
    seeds = "one seed each" if gap.seeds == 1 else f"means of {gap.seeds} seeds"
    trained = (
        f"{plain} ends with {wording.percent(gap.plain_train.mean)} training error, {residual} with "
        f"{wording.percent(gap.residual_train.mean)} ({seeds}; in the test "
        f"{wording.percent(gap.plain_test.mean)} and {wording.percent(gap.residual_test.mean)})"
    )
    return f"Twins: {trained}. {_TWINS[ordered(gap.plain_train, gap.residual_train)]}"


_TWINS: dict[Order, str] = {
    "higher": "The plain net is worse in training already, so this is not overfitting.",
    "higher on average": "The plain net is worse in training on average, but their seeds overlap.",
    "same": "In training they are less than 2 points apart.",
    "lower on average": "The residual net is worse in training on average, but their seeds overlap.",
    "lower": "Here it is the residual net that is worse in training.",
}


def idle(finals: pd.DataFrame, depth: int, chance_pct: float) -> str:
    """Which nets of that depth learnt next to nothing; empty where all learnt."""
    found = [(family, final_of(finals, family, depth, "train")) for family in FAMILIES]
    names = [
        net_title(family, depth)
        for family, final in found
        if final and learnt_next_to_nothing(final.mean, chance_pct)
    ]
    if not names:
        return ""
    guessing = wording.percent(chance_pct)
    return (
        f"{wording.listed(names)} learnt next to nothing within this budget: guessing is wrong on {guessing}."
    )


def trend(finals: pd.DataFrame) -> str:
    """One sentence about the shallowest against the deepest twins; `finals` as for `deeper`."""
    depths = [gap for depth in sorted(finals["depth"].unique()) if (gap := gap_at(finals, int(depth)))]
    if len(depths) < 2:
        return "Plain and residual nets have not both been trained at several depths here."
    first, last = depths[0], depths[-1]
    several = min(first.seeds, last.seeds) > 1
    measured = "the plain nets' mean test error" if several else "the plain nets' test error (one seed each)"
    return (
        f"From {first.depth} to {last.depth} layers {measured} goes from "
        f"{wording.percent(first.plain_test.mean)} to {wording.percent(last.plain_test.mean)}, that of their "
        f"residual twins, with exactly as many parameters, from {wording.percent(first.residual_test.mean)} "
        f"to {wording.percent(last.residual_test.mean)}."
    )


def _clause(one: Deeper, before: list[Deeper]) -> str:
    """One family's part of the sentence."""
    unit = "" if before else " training error"
    numbers = f"({one.numbers}{unit})"
    if one.order == "higher":
        return f"{one.net} trains worse than {one.reference} {numbers}"
    if one.order == "higher on average":
        return f"{one.net} trains worse than {one.reference} on average, with overlapping seeds {numbers}"
    if any(other.order.startswith("higher") for other in before):
        return f"{one.net} {'trains better' if one.order == 'lower' else 'does not'} {numbers}"
    comparison = "better" if one.order == "lower" else "no worse"
    return f"{one.net} trains {comparison} than {one.reference} {numbers}"
