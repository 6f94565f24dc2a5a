"""The list of runs: one light row each, with the settings that people sort and filter by.

`Library.runs` hands out whole runs, specs, recipes and provenance included. A list of thousands that is
read at every click wants less: scalar columns, and each distinct text of settings parsed once per process.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import pandas as pd
from sqlalchemy import Connection, Text, cast, select

from explorer.nets.spec import NetSpec
from explorer.runs import schema
from explorer.runs.run import RESULTS, Run

LISTING_COLUMNS = (
    "run_id", "net", "family", "depth", "dataset", "seed", "status", "reason", "epochs", "iterations",
    *RESULTS, "seconds", "created", "source", "name", "note", "pinned", "weights",
)  # fmt: skip
_TYPES = (
    dict.fromkeys(("depth", "seed", "epochs", "iterations"), "int64")
    | dict.fromkeys((*RESULTS, "seconds"), "float64")
    | dict.fromkeys(("pinned", "weights"), "bool")
)
_SCALARS = (
    "dataset", "status", "reason", "epochs", "iterations", *RESULTS, "seconds", "created", "source",
    "name", "note", "pinned",
)  # fmt: skip


class _NetText(NamedTuple):
    net: str
    family: str
    depth: int


_Settings = tuple[_NetText, int]
_KEPT: dict[str, dict[tuple[str, str], _Settings]] = {}
"""By database; a reader may find out twice what another one has just kept, and finds the same."""
_MOST_KEPT = 100_000
_AT_ONCE = 5_000


def list_runs(connection: Connection) -> pd.DataFrame:
    """The runs of a database that are not deleted, in the order of arrival, columns `LISTING_COLUMNS`."""
    table = schema.runs
    query = (
        select(table.c.run_id, table.c.created, table.c.checkpoint, *(table.c[name] for name in _SCALARS))
        .where(table.c.deleted.is_(None))
        .order_by(table.c.position, table.c.run_id)
    )
    found = connection.execute(query).all()
    known = _settings(connection, [(row[0], row[1]) for row in found])
    rows = [
        (run_id, *settings[0], dataset, settings[1], *rest, checkpoint is not None)
        for (run_id, _, checkpoint, dataset, *rest), settings in zip(found, known, strict=True)
        if settings is not None
    ]
    return as_listing(rows)


def _settings(connection: Connection, runs: Sequence[tuple[str, str]]) -> list[_Settings | None]:
    """Net and seed of each run, by its id and when it was made.

    A run's net and seed never change, and their texts are most of what a list would fetch: each is fetched
    once per process. None stands for a run that was removed a moment ago.
    """
    place = str(connection.engine.url)
    kept = _KEPT.setdefault(place, {})
    missing = [run_id for run_id, made in runs if (run_id, made) not in kept]
    if len(kept) + len(missing) > _MOST_KEPT:
        kept = {}
        missing = [run_id for run_id, _ in runs]
    table = schema.runs
    texts = cast(table.c.spec, Text), cast(table.c.recipe, Text)
    query = select(table.c.run_id, table.c.created, *texts)
    for start in range(0, len(missing), _AT_ONCE):
        part = query.where(table.c.run_id.in_(missing[start : start + _AT_ONCE]))
        for run_id, made, spec, recipe in connection.execute(part):
            kept[run_id, made] = _shown(spec), _seed(recipe)
    if missing:
        _KEPT[place] = kept
    return [kept.get(run) for run in runs]


def list_finished(runs: Iterable[Run]) -> pd.DataFrame:
    """Runs that are kept whole, such as the zoo's, columns `LISTING_COLUMNS`."""
    return as_listing([_row(run) for run in runs])


def as_listing(rows: Sequence[Sequence[Any]]) -> pd.DataFrame:
    """Rows as a table whose columns and types do not depend on what is there; '' where nothing is said."""
    table = pd.DataFrame(list(rows), columns=list(LISTING_COLUMNS))
    for name in LISTING_COLUMNS:
        if name not in _TYPES:
            table[name] = table[name].fillna("").astype("str")
    table["pinned"] = table["pinned"].eq(True)
    return table.astype(_TYPES)


def _row(run: Run) -> tuple[Any, ...]:
    spec, results = run.spec, [run.results.get(name) for name in RESULTS]
    return (
        run.run_id, spec.title, spec.family, spec.depth, run.dataset, run.recipe.seed, run.status, None,
        run.epochs, run.iterations, *results, run.seconds, run.created, run.source,
        None, None, False, run.checkpoint is not None,
    )  # fmt: skip


@lru_cache(maxsize=4096)
def _shown(spec: str) -> _NetText:
    found = NetSpec.from_dict(json.loads(spec))
    return _NetText(found.title, found.family, found.depth)


@lru_cache(maxsize=16_384)
def _seed(recipe: str) -> int:
    return int(json.loads(recipe)["seed"])
