"""Do the paper's claims hold in the zoo? A verdict for each, on each dataset, with its numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import pandas as pd

from explorer import paper
from explorer.evidence.verdicts import HEALTHY_GRADIENT, Judged, Verdict, judge_higher, judge_not_higher
from explorer.nets.spec import NetSpec
from explorer.nets.totals import totals
from explorer.runs.library import RunSource
from explorer.runs.status import Status

FINDING_COLUMNS = (
    "claim", "text", "source", "dataset", "iterations", "fraction_of_paper", "verdict", "reason", "others",
)  # fmt: skip
_DEPTHS = (20, 56, 110)
_VERY_DEEP_FROM = 302
_ERROR_CLAIMS = ("degradation", "no-degradation", "gain", "twins", "very-deep")
_MISSING = Judged("not measured yet", "not all of the nets compared were trained on these images")


@dataclass(frozen=True)
class Records:
    """The zoo's runs on one dataset, without regularisers, and their records.

    Attributes:
        runs: columns `RUN_COLUMNS`.
        source: where their records are read.
    """

    runs: pd.DataFrame
    source: RunSource

    @property
    def budget(self) -> tuple[int, float]:
        """Iterations that these runs were trained for, at most, and what fraction of the paper's they are."""
        return int(self.runs["iterations"].max()), float(self.runs["fraction_of_paper"].max())

    def errors(self, net: str, split: str) -> list[float]:
        """Final errors of all seeds in per cent; empty where the net was not trained."""
        return self._of(net)[f"{split}_error_pct"].dropna().astype(float).tolist()

    def depths(self, family: str) -> list[int]:
        """Depths trained, in order."""
        return sorted({int(depth) for depth in self.runs.loc[self.runs["family"] == family, "depth"]})

    def response(self, net: str) -> float | None:
        """Response std in the last epoch, mean over 3x3 layers and seeds."""
        layers = self._layers[self._layers["run_id"].isin(self._of(net)["run_id"])]
        return float(layers["response_std"].mean()) if len(layers) else None

    def gradient_ratio(self, net: str) -> tuple[float, float] | None:
        """Gradient norm of the first block over the last one's, after the first and last epoch."""
        blocks = self.source.blocks(list(self._of(net)["run_id"]))
        blocks = blocks[(blocks["epoch"] > 0) & blocks["gradient_norm"].notna()]
        if blocks.empty:
            return None
        ratios = []
        for epoch in (blocks["epoch"].min(), blocks["epoch"].max()):
            means = blocks[blocks["epoch"] == epoch].groupby("block")["gradient_norm"].mean()
            ratios.append(float(means.iloc[0] / means.iloc[-1]))
        return ratios[0], ratios[1]

    def _of(self, net: str) -> pd.DataFrame:
        return self.runs[self.runs["id"] == net]

    @cached_property
    def _layers(self) -> pd.DataFrame:
        wanted = self.runs[self.runs["depth"].isin(_DEPTHS)]
        layers = self.source.layers(list(wanted["run_id"]))
        return layers[layers["epoch"] == layers.groupby("run_id")["epoch"].transform("max")]


def findings(source: RunSource) -> pd.DataFrame:
    """A line per claim and dataset of the zoo, columns `FINDING_COLUMNS`."""
    runs = source.runs()
    runs = runs[(runs["source"] == "zoo") & (runs["status"] == Status.DONE) & (runs["width"] == 16)]
    runs = runs[runs["recipe"].map(_unregularised).astype(bool)]
    rows = []
    for dataset in sorted(runs["dataset"].unique(), key=lambda name: (not name.startswith("cifar"), name)):
        records = Records(runs[runs["dataset"] == dataset], source)
        for claim in paper.CLAIMS.values():
            judged = _JUDGES[claim.key](records)
            known = (claim.key, claim.text, claim.source, dataset, *records.budget)
            rows.append((*known, judged.verdict, judged.reason, others_found(claim)))
    return pd.DataFrame(rows, columns=list(FINDING_COLUMNS))


def others_found(claim: paper.Claim) -> str:
    """Errors that published reproductions give for the nets which the claim compares; empty without two."""
    said = []
    for source in dict.fromkeys(found.source for found in paper.REPRODUCTIONS):
        mine = [found for found in paper.REPRODUCTIONS if found.source == source and found.id in claim.nets]
        if len(mine) < 2 or claim.key not in _ERROR_CLAIMS:
            continue
        train = "degradation" in claim.key and mine[0].training_error_pct is not None
        numbers = ", ".join(
            f"{found.id} {found.training_error_pct if train else found.test_error_pct:g} %" for found in mine
        )
        said.append(f"{numbers} in {'training' if train else 'the test'} ({source})")
    return "; ".join(said)


def _unregularised(recipe: dict[str, object]) -> bool:
    return recipe.get("survival", 1) == 1 and not recipe.get("dropout")


def _training_at_56(
    records: Records, family: str, judge: Callable[[Sequence[float], Sequence[float]], Verdict]
) -> Judged:
    deep, shallow = (records.errors(f"{family}-{depth}", "train") for depth in (56, 20))
    if not (deep and shallow):
        return _MISSING
    said = f"training error {_said(deep)} at 56 layers, {_said(shallow)} at 20"
    return Judged(judge(deep, shallow), said)


def _degradation(records: Records) -> Judged:
    return _training_at_56(records, "plain", judge_higher)


def _plain_110(records: Records) -> Judged:
    errors = records.errors("plain-110", "test")
    if not errors:
        return _MISSING
    return Judged("reproduced" if min(errors) > 60 else "not reproduced", f"test error {_said(errors)}")


def _no_degradation(records: Records) -> Judged:
    return _training_at_56(records, "residual", judge_not_higher)


def _gain(records: Records) -> Judged:
    shallow = records.errors("residual-20", "test")
    deeper = [depth for depth in (110, 56) if records.errors(f"residual-{depth}", "test")]
    if not (shallow and deeper):
        return _MISSING
    deep = records.errors(f"residual-{deeper[0]}", "test")
    lower = max(deep) < min(shallow)
    said = f"test error {_said(deep)} at {deeper[0]} layers, {_said(shallow)} at 20"
    return Judged("reproduced" if lower else "not reproduced", said)


def _twins(records: Records) -> Judged:
    plain, residual = records.errors("plain-56", "test"), records.errors("residual-56", "test")
    if not (plain and residual):
        return _MISSING
    return Judged(
        judge_higher(plain, residual), f"test error {_said(plain)} plain, {_said(residual)} residual"
    )


def _parameters(records: Records) -> Judged:
    depths = sorted(set(records.depths("plain")) & set(records.depths("residual")))
    if not depths:
        return _MISSING
    specs = [NetSpec("plain", depth) for depth in depths]
    same = all(totals(spec).parameters == totals(spec.twin).parameters for spec in specs)
    many = f"{len(depths)} depths from {depths[0]} to {depths[-1]} layers"
    said = f"counted at {many if len(depths) > 1 else 'one depth'}"
    said += f"; {totals(specs[-1]).parameters:,} each at {depths[-1]}"
    return Judged("reproduced" if same else "not reproduced", said)


def _response(records: Records) -> Judged:
    families = ("plain", "residual")
    pairs = {depth: [records.response(f"{family}-{depth}") for family in families] for depth in (20, 56)}
    known = {depth: (a, b) for depth, (a, b) in pairs.items() if a is not None and b is not None}
    if not known:
        return _MISSING
    said = ", ".join(f"{b:.3g} against {a:.3g} at {depth} layers" for depth, (a, b) in known.items())
    verdict: Verdict = "reproduced" if all(b < a for a, b in known.values()) else "not reproduced"
    return Judged(verdict, f"mean response std, residual against plain: {said}")


def _response_depth(records: Records) -> Judged:
    found = {depth: records.response(f"residual-{depth}") for depth in _DEPTHS}
    known = {depth: value for depth, value in found.items() if value is not None}
    if len(known) < 2:
        return _MISSING
    values = list(known.values())
    falls = all(deeper < shallower for shallower, deeper in pairwise(values))
    said = ", ".join(f"{value:.3g} at {depth} layers" for depth, value in known.items())
    return Judged("reproduced" if falls else "not reproduced", f"mean response std {said}")


def _gradients(records: Records) -> Judged:
    found = {depth: records.gradient_ratio(f"plain-{depth}") for depth in (56, 110)}
    known = {depth: ratios for depth, ratios in found.items() if ratios is not None}
    if not known:
        return _MISSING
    said = "; ".join(
        f"plain-{depth} {first:.2g} after the first epoch, {last:.2g} at the end"
        for depth, (first, last) in known.items()
    )
    healthy = min(ratio for ratios in known.values() for ratio in ratios) >= HEALTHY_GRADIENT
    verdict: Verdict = "reproduced" if healthy else "not reproduced"
    return Judged(verdict, f"gradient norm of the first block over the last one's: {said}")


def _very_deep(records: Records) -> Judged:
    depths = records.depths("residual")
    deepest = depths[-1] if depths else 0
    if deepest < _VERY_DEEP_FROM:
        return Judged("not measured yet", f"no net of {_VERY_DEEP_FROM} layers or more on these images")
    shallow, deep = f"residual-{depths[-2]}", f"residual-{deepest}"
    trains = judge_not_higher(records.errors(deep, "train"), records.errors(shallow, "train")) == "reproduced"
    errors, fewer = records.errors(deep, "test"), records.errors(shallow, "test")
    worse = judge_higher(errors, fewer) == "reproduced"
    training = _said(records.errors(deep, "train"))
    said = f"{deepest} layers: training error {training}, test error {_said(errors)}"
    said += f"; {_said(fewer)} in the test at {depths[-2]}"
    return Judged("reproduced" if trains and worse else "not reproduced", said)


_JUDGES: dict[str, Callable[[Records], Judged]] = {
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


def _said(errors: list[float]) -> str:
    mean = sum(errors) / len(errors)
    if len(errors) == 1:
        return f"{mean:.1f} % (one seed)"
    return f"{mean:.1f} % ({min(errors):.1f} to {max(errors):.1f}, {len(errors)} seeds)"
