"""The paper's claims on every dataset of the zoo: its runs and records, judged by `analysis.claims`."""

from __future__ import annotations

import pandas as pd

from explorer import paper
from explorer.analysis import selection
from explorer.analysis.claims import Evidence, judge
from explorer.analysis.overfitting import finals_by_regulariser
from explorer.evidence import signal_propagation
from explorer.runs.library import RunSource

FINDING_COLUMNS = (
    "claim", "text", "source", "dataset", "iterations", "fraction_of_paper", "verdict", "reason", "others",
)  # fmt: skip
_ERROR_CLAIMS = ("degradation", "no-degradation", "gain", "twins", "very-deep")


def findings(source: RunSource) -> pd.DataFrame:
    """A line per claim and dataset of the zoo, columns `FINDING_COLUMNS`."""
    runs = source.runs()
    datasets = selection.of_zoo(runs)["dataset"].unique()
    rows = []
    for dataset in sorted(datasets, key=lambda name: (not name.startswith("cifar"), name)):
        evidence = evidence_on(source, str(dataset), runs)
        for claim in paper.CLAIMS.values():
            found = judge(claim.key, evidence)
            known = (claim.key, claim.text, claim.source, dataset, found.iterations)
            share = found.iterations / paper.ITERATIONS
            rows.append((*known, share, found.judged.verdict, found.judged.reason, others_found(claim)))
    return pd.DataFrame(rows, columns=list(FINDING_COLUMNS))


def evidence_on(source: RunSource, dataset: str, runs: pd.DataFrame | None = None) -> Evidence:
    """What the zoo's runs on one dataset show; records are read when a claim asks for them.

    Args:
        source: of the runs and their records.
        dataset: their id.
        runs: of the source, where they were read already.
    """
    every = source.runs() if runs is None else runs
    zoo = selection.of_zoo(every)
    mine = selection.without_regularisers(zoo[zoo["dataset"] == dataset])
    return Evidence(
        mine, source.layers, source.blocks, signal_propagation.kept(), finals_by_regulariser(every, dataset)
    )


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
