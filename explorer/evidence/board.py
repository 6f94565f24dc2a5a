"""The paper's numbers beside those measured here and by others, each with a verdict: one line per number."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import pandas as pd

from explorer import paper
from explorer.analysis import selection
from explorer.analysis.verdicts import (
    Difference,
    Judged,
    Verdict,
    differences,
    judge_error,
    judge_macs,
    judge_parameters,
)
from explorer.evidence.published_errors import kept_errors
from explorer.nets.cost_formula import totals
from explorer.nets.published_imagenet import IMAGE_SIZE, PUBLISHED
from explorer.nets.spec import NetSpec
from explorer.paper.reproductions import reproductions_of
from explorer.paper.tables import Column, Table, TableEntry
from explorer.training.recipe import Recipe


@dataclass(frozen=True)
class Cost:
    """What a net costs, counted exactly.

    Attributes:
        parameters: weights and biases.
        macs: multiply-adds for one image.
        variant: how the net departs from the paper's, or empty.
    """

    parameters: int
    macs: int
    variant: str = ""


@dataclass(frozen=True)
class Line:
    """One number of the paper beside what was measured here.

    Attributes:
        table: key of the table.
        net: the net's name in the paper.
        id: of the net here, or empty.
        quantity: name of the column.
        unit: of all numbers in the line.
        paper: as printed.
        measured: mean over seeds, or the exact count; None where nothing was measured.
        low: of the seeds.
        high: of the seeds.
        seeds: how many runs.
        dataset: on which it was measured here; empty for counts.
        origin: of the runs, zoo, own or imported; empty for counts.
        others: published reproductions, as text.
        differences: from the paper's protocol, as text.
        verdict: by the rules of `verdicts`.
        reason: numbers behind the verdict.
    """

    table: str
    net: str
    id: str
    quantity: str
    unit: str
    paper: str
    measured: float | None
    low: float | None
    high: float | None
    seeds: int
    dataset: str
    origin: str
    others: str
    differences: str
    verdict: Verdict
    reason: str


def board(runs: pd.DataFrame, tables: Iterable[Table] = paper.TABLES.values()) -> pd.DataFrame:
    """All lines of some tables, fields of `Line` as columns.

    Args:
        runs: columns `RUN_COLUMNS`; compared are those that count, see `analysis.selection`.
        tables: all of them by default; those on ImageNet wake torch for their counts.
    """
    lines = [asdict(line) for table in tables for line in table_lines(table, runs)]
    return pd.DataFrame(lines, columns=list(Line.__dataclass_fields__))


def table_lines(table: Table, runs: pd.DataFrame) -> list[Line]:
    """One line per printed number; errors measured on several datasets have a line for each."""
    done = selection.counted(runs)
    return [
        line
        for entry in table.entries
        for column in table.columns
        if column.name in entry.printed
        for line in _lines(table, entry, column, done)
    ]


def cost_of(net: str) -> Cost | None:
    """Exact cost of the net of that id; None where the explorer cannot build it."""
    try:
        found = totals(NetSpec.parse(net))
        return Cost(found.parameters, found.macs)
    except ValueError:
        return _imagenet_cost(net)


def _lines(table: Table, entry: TableEntry, column: Column, done: pd.DataFrame) -> Iterator[Line]:
    if column.name in ("parameters_m", "gmacs"):
        yield _count_line(table, entry, column)
        return
    groups = list(_groups(done, entry.id)) if table.dataset == "CIFAR-10" else []
    for part in groups or [done.iloc[:0]]:
        yield _error_line(table, entry, column, part)


def _count_line(table: Table, entry: TableEntry, column: Column) -> Line:
    printed, cost = entry.printed[column.name], cost_of(entry.id) if entry.id else None
    if cost is None:
        return _line(table, entry, column, Judged("not measured yet", "the explorer does not build this net"))
    if column.name == "parameters_m":
        judged, value = judge_parameters(printed, cost.parameters), cost.parameters / 1e6
    else:
        judged, value = judge_macs(printed, cost.macs, cost.variant), cost.macs / 1e9
    return _line(table, entry, column, judged, measured=value, differences=cost.variant)


def _error_line(table: Table, entry: TableEntry, column: Column, part: pd.DataFrame) -> Line:
    errors = part["test_error_pct"].dropna().astype(float).tolist()
    found = _merged([differences({str(k): v for k, v in row.items()}) for row in part.to_dict("records")])
    if table.key == "follow-ups":  # each of these papers has a protocol of its own
        found = [difference for difference in found if not difference.text.startswith("regularisers")]
    judged = judge_error(float(entry.printed[column.name]), errors, found)
    if not errors and (table.dataset != "CIFAR-10" or not entry.id):
        built = "errors on ImageNet are not measured here"
        judged = Judged("not measured yet", built if entry.id else "the explorer does not build this net")
    spread = (
        {"low": min(errors), "high": max(errors), "measured": sum(errors) / len(errors)} if errors else {}
    )
    return _line(
        table, entry, column, judged, seeds=len(errors), dataset="".join(part["dataset"].unique()),
        origin="".join(part["origin"].unique()),
        differences="; ".join(difference.text for difference in found), **spread,
    )  # fmt: skip


def _line(table: Table, entry: TableEntry, column: Column, judged: Judged, **found: Any) -> Line:
    others = ""
    if column.name == "test_error_pct" and table.key == "table-6":
        told = [f"{one.test_error_pct:g} ({one.source})" for one in reproductions_of(entry.id)]
        others = "; ".join([*told, *map(str, kept_errors(entry.id))])
    numbers: dict[str, Any] = {"measured": None, "low": None, "high": None}
    blank = numbers | {"seeds": 0, "dataset": "", "origin": "", "differences": ""}
    return Line(
        table=table.key, net=entry.net, id=entry.id, quantity=column.name, unit=column.unit,
        paper=entry.printed[column.name], others=others, verdict=judged.verdict, reason=judged.reason,
        **(blank | found),
    )  # fmt: skip


def _groups(done: pd.DataFrame, name: str) -> Iterator[pd.DataFrame]:
    """Runs of that net and those regularisers: seeds of one setting and one origin are a group."""
    if not name or done.empty:
        return
    named = done["id"] + done["recipe"].map(lambda recipe: Recipe.from_dict(recipe).regularisers)
    keys = ["dataset", "iterations", "origin", "settings"]
    for _, part in done[named == name].groupby(keys, sort=True):
        yield part


def _merged(found: Sequence[Sequence[Difference]]) -> list[Difference]:
    """Each difference once, in order."""
    return list(dict.fromkeys(difference for one in found for difference in one))


@lru_cache(maxsize=16)
def _imagenet_cost(net: str) -> Cost | None:
    if net not in PUBLISHED:
        return None
    from explorer.nets.cost_measured import layer_costs  # counts by running the net, which needs torch

    about = PUBLISHED[net]
    layers = layer_costs(about, IMAGE_SIZE)
    return Cost(int(layers["parameters"].sum()), int(layers["macs"].sum()), about.variant)
