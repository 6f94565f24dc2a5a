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


def list_runs(connection: Connection) -> pd.DataFrame:
    """The runs of a database that are not deleted, in the order of arrival, columns `LISTING_COLUMNS`."""
    table = schema.runs
    settings = cast(table.c.spec, Text), cast(table.c.recipe, Text)
    query = (
        select(table.c.run_id, *settings, table.c.checkpoint, *(table.c[name] for name in _SCALARS))
        .where(table.c.deleted.is_(None))
        .order_by(table.c.position, table.c.run_id)
    )
    rows = [
        (run_id, *_shown(spec), dataset, _seed(recipe), *rest, checkpoint is not None)
        for run_id, spec, recipe, checkpoint, dataset, *rest in connection.execute(query)
    ]
    return as_listing(rows)


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
