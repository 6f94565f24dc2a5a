"""The paper's claims beyond its tables, judged on the runs of one dataset: verdicts and their numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from explorer import paper
from explorer.analysis import gradients, overfitting, responses, selection
from explorer.analysis.aggregates import median_over_seeds
from explorer.analysis.verdicts import (
    Difference,
    Judged,
    Verdict,
    differences,
    final,
    judge_higher,
    judge_not_higher,
    learnt_next_to_nothing,
    under,
)
from explorer.nets.cost_formula import totals
from explorer.nets.spec import NetSpec

RESPONSE_DEPTHS = (20, 56, 110)
"""The nets of Figure 7."""
_PLAIN_110_PCT = 60
_MISSING = Judged("not measured yet", "not all of the nets compared were trained on these images")
_TRAINING_FREE = ("parameters",)
LAST_EPOCH = "after the last epoch"
"""When the responses are read that a claim is judged by."""


@dataclass(frozen=True)
class NetKey:
    """A net as `responses` wants it named: its id, family and depth."""

    key: str
    family: str
    depth: int


@dataclass(frozen=True)
class Evidence:
    """What was measured on one dataset.

    Attributes:
        runs: that count, as `selection.counted` gives them; of the zoo, without regularisers.
        layers: reads the layer responses of some run ids.
        blocks: reads the block records of some run ids.
        signal: gradients of untrained nets; see `gradients.measured`.
        finals: errors of residual nets by regulariser; see `overfitting.finals_by_regulariser`.
    """

    runs: pd.DataFrame
    layers: Callable[[Sequence[str]], pd.DataFrame]
    blocks: Callable[[Sequence[str]], pd.DataFrame]
    signal: pd.DataFrame
    finals: pd.DataFrame

    def of(self, nets: Sequence[str]) -> Compared:
        """The runs of these nets under the longest protocol that has them all."""
        part = selection.longest_with(self.runs, nets)
        return Compared(part[part["id"].isin(list(nets))], self)

    def best_of(self, choices: Sequence[Sequence[str]]) -> Compared:
        """As `of`, for the first of some choices of nets that were trained under one protocol."""
        found = [self.of(nets) for nets in choices if nets]
        return next((one for one in found if len(one.runs)), self.of(["none"]))

    def trained(self, family: str, depths: Sequence[int]) -> list[str]:
        """Ids of those nets of a family that were trained, at these depths."""
        there = set(self.runs["id"])
        return [net for depth in depths if (net := f"{family}-{depth}") in there]


@dataclass(frozen=True)
class Compared:
    """Runs of the nets that a claim compares, of one protocol; empty where there is none.

    Attributes:
        runs: of these nets.
        evidence: that they are from.
    """

    runs: pd.DataFrame
    evidence: Evidence

    def errors(self, net: str, split: str) -> list[float]:
        """Final errors of all seeds in per cent."""
        mine = self.runs[self.runs["id"] == net]
        return mine[f"{split}_error_pct"].dropna().astype(float).tolist()

    @cached_property
    def differences(self) -> list[Difference]:
        """How these runs depart from the paper's protocol."""
        rows = self.runs.drop_duplicates(["protocol", "settings"]).to_dict("records")
        found = [differences({str(name): value for name, value in row.items()}) for row in rows]
        return list(dict.fromkeys(difference for one in found for difference in one))

    @property
    def iterations(self) -> int:
        """How long these nets were trained."""
        return int(self.runs["iterations"].max()) if len(self.runs) else 0

    @cached_property
    def responses(self) -> pd.DataFrame:
        """Response std after the last epoch, typical value per net; see `responses.typical`."""
        table = response_stds(self.runs, self.evidence.layers(list(self.runs["run_id"])))
        nets = [NetKey(*row) for row in self.runs[["id", "family", "depth"]].drop_duplicates().to_numpy()]
        return pd.concat([responses.typical(table, [net], _last_epoch(table, net.key)) for net in nets])


@dataclass(frozen=True)
class Finding:
    """A claim's verdict on one dataset.

    Attributes:
        judged: verdict and numbers.
        iterations: that the nets compared were trained for; 0 where none was.
    """

    judged: Judged
    iterations: int


def judge(key: str, evidence: Evidence) -> Finding:
    """The verdict on one claim of `paper.CLAIMS`."""
    compared, judged = _JUDGES[key](evidence)
    if key not in _TRAINING_FREE and len(compared.runs):
        judged = under(compared.differences, judged)
    return Finding(judged, compared.iterations)


def sentence(key: str, judged: Judged) -> str:
    """A claim with its verdict and numbers, as pages say it."""
    claim = paper.CLAIMS[key]
    return f"“{claim.text}” ({claim.source}): **{judged.verdict}**. {as_sentence(judged.reason)}"


def as_sentence(reason: str) -> str:
    """A verdict's reason as a sentence of its own."""
    return f"{reason[:1].upper()}{reason[1:].rstrip('.')}."


def response_stds(runs: pd.DataFrame, layers: pd.DataFrame) -> pd.DataFrame:
    """Response std of each net, layer and epoch, median over seeds; see `aggregates.median_over_seeds`."""
    nets = runs.rename(columns={"id": "net"})[["run_id", "net"]]
    return median_over_seeds(layers, nets, "response_std")


def gradient_facts(evidence: Evidence) -> gradients.Gradients:
    """Gradient ratios of all nets of the protocol by which the claim on gradients is judged."""
    protocols = _with_gradients(evidence).runs["protocol"].unique()
    part = evidence.runs[evidence.runs["protocol"].isin(protocols)]
    return gradients.measured(part, evidence.blocks(list(part["run_id"])), evidence.signal)


_Answer = tuple[Compared, Judged]


def _training_at_56(
    evidence: Evidence, family: str, judge_by: Callable[[Sequence[float], Sequence[float]], Verdict]
) -> _Answer:
    nets = [f"{family}-{depth}" for depth in (20, 56)]
    compared = evidence.of(nets)
    shallow, deep = (compared.errors(net, "train") for net in nets)
    if not (deep and shallow):
        return compared, _MISSING
    said = f"training error {final(deep)} at 56 layers, {final(shallow)} at 20"
    return compared, Judged(judge_by(deep, shallow), said)


def _degradation(evidence: Evidence) -> _Answer:
    return _training_at_56(evidence, "plain", judge_higher)


def _no_degradation(evidence: Evidence) -> _Answer:
    return _training_at_56(evidence, "residual", judge_not_higher)


def _plain_110(evidence: Evidence) -> _Answer:
    compared = evidence.of(["plain-110"])
    errors = compared.errors("plain-110", "test")
    if not errors:
        return compared, _MISSING
    said = f"test error {final(errors)}"
    chance = 100 * (1 - 1 / int(compared.runs["spec"].iloc[0]["classes"]))
    trained = compared.errors("plain-110", "train")
    if trained and learnt_next_to_nothing(final(trained).mean, chance):
        said += f"; it learnt next to nothing: guessing is wrong on {chance:.0f} %"
    return compared, Judged("reproduced" if min(errors) > _PLAIN_110_PCT else "not reproduced", said)


def _gain(evidence: Evidence) -> _Answer:
    # of what was trained alike the longest, and of that the deepest: short training hides the gain
    pairs = [(net, evidence.of(["residual-20", net])) for net in ("residual-110", "residual-56")]
    net, compared = max(pairs, key=lambda pair: pair[1].iterations)
    nets = ["residual-20", net]
    shallow, deep = (compared.errors(net, "test") for net in nets)
    if not (shallow and deep):
        return compared, _MISSING
    said = f"test error {final(deep)} at {nets[1].rpartition('-')[2]} layers, {final(shallow)} at 20"
    return compared, Judged("reproduced" if max(deep) < min(shallow) else "not reproduced", said)


def _twins(evidence: Evidence) -> _Answer:
    nets = ["plain-56", "residual-56"]
    compared = evidence.of(nets)
    plain, residual = (compared.errors(net, "test") for net in nets)
    if not (plain and residual):
        return compared, _MISSING
    said = f"test error {final(plain)} plain, {final(residual)} residual"
    return compared, Judged(judge_higher(plain, residual), said)


def _parameters(evidence: Evidence) -> _Answer:
    runs = evidence.runs
    trained = [set(runs.loc[runs["family"] == family, "depth"]) for family in ("plain", "residual")]
    depths = sorted(int(depth) for depth in trained[0] & trained[1])
    if not depths:
        return evidence.of([]), _MISSING
    specs = [NetSpec("plain", depth) for depth in depths]
    same = all(totals(spec).parameters == totals(spec.twin).parameters for spec in specs)
    many = f"{len(depths)} depths from {depths[0]} to {depths[-1]} layers"
    said = f"counted at {many if len(depths) > 1 else 'one depth'}"
    said += f"; {totals(specs[-1]).parameters:,} each at {depths[-1]}"
    return evidence.of([]), Judged("reproduced" if same else "not reproduced", said)


def _response(evidence: Evidence) -> _Answer:
    pairs = [(f"plain-{depth}", f"residual-{depth}") for depth in RESPONSE_DEPTHS[:2]]
    there = set(evidence.runs["id"])
    nets = [net for pair in pairs if set(pair) <= there for net in pair]
    compared = evidence.of(nets)
    if not nets or compared.runs.empty:
        return compared, _MISSING
    return compared, _answered(responses.against_plain(compared.responses, LAST_EPOCH))


def _response_depth(evidence: Evidence) -> _Answer:
    nets = evidence.trained("residual", RESPONSE_DEPTHS)
    compared = evidence.best_of([nets, nets[:2]])
    if len(nets) < 2 or compared.runs.empty:
        return compared, _MISSING
    return compared, _answered(responses.by_depth(compared.responses, responses.STD, LAST_EPOCH))


def _answered(answer: responses.Answer | None) -> Judged:
    if answer is None:
        return _MISSING
    said = f"{answer.text}. {answer.numbers.rstrip('.')}"
    return Judged("reproduced" if answer.holds else "not reproduced", said)


def _gradients(evidence: Evidence) -> _Answer:
    return _with_gradients(evidence), gradients.judge(gradient_facts(evidence))


def _with_gradients(evidence: Evidence) -> Compared:
    """The plain nets that the claim on gradients is about, or where they share no protocol the deepest."""
    nets = evidence.trained("plain", gradients.JUDGED_DEPTHS)
    return evidence.best_of([nets, nets[-1:]])


def _very_deep(evidence: Evidence) -> _Answer:
    deepest = max((int(depth) for depth in evidence.finals["depth"]), default=0)
    nets = evidence.trained("residual", (overfitting.PAPER_DEPTH, deepest))
    return evidence.of(nets), overfitting.judge(evidence.finals)


_JUDGES: dict[str, Callable[[Evidence], _Answer]] = {
    "degradation": _degradation,
    "plain-110": _plain_110,
    "no-degradation": _no_degradation,
    "gain": _gain,
    "twins": _twins,
    "parameters": _parameters,
    "response": _response,
    "response-depth": _response_depth,
    "gradients": _gradients,
    "very-deep": _very_deep,
}


def _last_epoch(table: pd.DataFrame, net: str) -> int:
    epochs = table.loc[table["net"] == net, "epoch"]
    return int(epochs.max()) if len(epochs) else 0
