"""Figure 7's two findings, asked of recorded responses: medians over layers and seeds at one epoch.

Medians, since a single run whose values explode would be the mean of all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import pandas as pd

from explorer.analysis import wording
from explorer.analysis.verdicts import SAME_SHARE
from explorer.nets.families import net_title

STD = "response std"
"""The quantity of Figure 7, as sentences call it."""
_FRESH = 0.1


class RecordedNet(Protocol):
    """A net as a table of responses names it."""

    @property
    def key(self) -> str:
        """Its name in the table."""
        ...

    @property
    def family(self) -> str:
        """Plain, residual, preact or highway."""
        ...

    @property
    def depth(self) -> int:
        """Weighted layers."""
        ...


@dataclass(frozen=True)
class Answer:
    """Whether a finding holds in some comparisons.

    Attributes:
        question: what is asked, or empty where nothing can be compared.
        yes: the cases in which it holds, such as "at 56 layers".
        no: those in which it is the other way round.
        same: those in which there is hardly any difference.
        numbers: behind it, in words, with the choice that they depend on.
    """

    question: str
    yes: tuple[str, ...]
    no: tuple[str, ...]
    same: tuple[str, ...]
    numbers: str

    @property
    def holds(self) -> bool:
        """Whether it holds in every comparison, of which there is one at least."""
        return bool(self.yes) and not self.no and not self.same

    @property
    def text(self) -> str:
        """The answer in words: 'yes', 'no', or which is which."""
        parts = (("yes", self.yes), ("no, the other way round", self.no), (_SAME, self.same))
        given = [(word, cases) for word, cases in parts if cases]
        if len(given) == 1 and len(given[0][1]) > 1:
            return f"{given[0][0]}, {wording.listed(list(given[0][1]))}"
        return "; ".join(f"{word} {wording.listed(list(cases))}" for word, cases in given)

    def __str__(self) -> str:
        """Question, answer and numbers."""
        return f"**{self.question}** Here: {self.text}. {self.numbers}"


_SAME = f"hardly any difference (less than {100 * SAME_SHARE:.0f} %)"


def typical(table: pd.DataFrame, nets: Sequence[RecordedNet], epoch: int) -> pd.DataFrame:
    """The median over each net's layers at one epoch: columns key, family, depth, value."""
    rows = []
    for net in nets:
        values = table[(table["net"] == net.key) & (table["epoch"] == epoch)]["value"]
        if len(values):
            rows.append((net.key, net.family, net.depth, float(values.median())))
    return pd.DataFrame(rows, columns=["key", "family", "depth", "value"])


def against_plain(typical_values: pd.DataFrame, when: str) -> Answer | None:
    """The first finding: residual nets respond less than plain nets of the same depth.

    Args:
        typical_values: response stds as `typical` gives them; of a ratio to the input a plain block has none.
        when: the epoch they are of, in words.

    Returns:
        None where no plain net stands beside a residual one.
    """
    depths = sorted(typical_values["depth"].unique())
    pairs = [pair for depth in depths if (pair := _pair(typical_values, int(depth)))]
    if not pairs:
        return None
    cases = [(f"at {depth} layers", residual, plain) for depth, plain, residual in pairs]
    numbers = "; ".join(
        f"{residual:.3g} against {plain:.3g} in {net_title('plain', depth)}"
        for depth, plain, residual in pairs
    )
    return _answer("Do residual nets respond less than plain nets?", cases, f"{_how(STD, when)}: {numbers}.")


def by_depth(typical_values: pd.DataFrame, quantity: str, when: str) -> Answer | None:
    """The second finding: the deeper the residual net, the less each layer responds.

    Args:
        typical_values: as `typical` gives them.
        quantity: what they are of; `STD` is the paper's.
        when: as for `against_plain`.

    Returns:
        None where there are no residual nets of two depths.
    """
    mine = typical_values[typical_values["family"] == "residual"].sort_values("depth")
    mine = mine.drop_duplicates("depth")
    if len(mine) < 2:
        return None
    found = list(zip(mine["depth"].tolist(), mine["value"].tolist(), strict=True))
    cases = [
        (f"from {shallow} to {deep} layers", after, before)
        for (shallow, before), (deep, after) in pairwise(found)
    ]
    asked = "Do deeper residual nets respond less per layer?"
    if quantity != STD:
        asked = f"Is {quantity} smaller in deeper residual nets?"
    numbers = wording.listed([f"{value:.3g} at {depth}" for depth, value in found])
    return _answer(asked, cases, f"{_how(quantity, when)}: {numbers} layers.")


def near_their_start(table: pd.DataFrame, nets: Sequence[RecordedNet], epoch: int) -> str:
    """Why a response std can be near 1 everywhere: BN's scales are where they began."""
    keys = [net.key for net in nets]
    values = table[(table["epoch"] == epoch) & table["net"].isin(keys)]["value"]
    near = float(((values - 1).abs() < _FRESH).mean()) if len(values) else 0.0
    if near < 0.5:
        return ""
    return (
        f"{100 * near:.0f} % of these layers respond within 10 % of 1: BN's scales start at 1, and training "
        "this short has hardly moved them."
    )


def _how(quantity: str, when: str) -> str:
    named = quantity[:1].upper() + quantity[1:]
    return f"{named}, median over layers and seeds, {when}"


def _answer(question: str, cases: Sequence[tuple[str, float, float]], numbers: str) -> Answer:
    """Cases are a name, the value that should be smaller, and the one that it is compared with."""
    yes = tuple(name for name, less, more in cases if less < more * (1 - SAME_SHARE))
    no = tuple(name for name, less, more in cases if less > more * (1 + SAME_SHARE))
    same = tuple(name for name, _, _ in cases if name not in (*yes, *no))
    return Answer(question, yes, no, same, numbers)


def _pair(values: pd.DataFrame, depth: int) -> tuple[int, float, float] | None:
    here = values[values["depth"] == depth].drop_duplicates("family").set_index("family")["value"]
    if "plain" not in here or "residual" not in here:
        return None
    return depth, float(here["plain"]), float(here["residual"])
