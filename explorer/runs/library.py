"""All runs, wherever they are kept: the zoo's and the user's own, read as one."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from explorer.runs.database import StoreAwayError
from explorer.runs.listing import as_listing
from explorer.runs.run import RESULTS, Run, run_table
from explorer.runs.store import Store, StoreError, UnknownRunError
from explorer.runs.tables import empty
from explorer.runs.zoo import PRETRAINED, Zoo

_TYPES = (
    dict.fromkeys(("run_id", "id", "family", "block", "shortcut", "dataset", "status"), "str")
    | dict.fromkeys(("depth", "width", "seed", "epochs", "iterations", "parameters"), "int64")
    | dict.fromkeys((*RESULTS, "seconds", "fraction_of_paper"), "float64")
    | dict.fromkeys(("checkpoint", "spec", "recipe", "provenance"), "object")
    | dict.fromkeys(("created", "source"), "str")
)


class RunSource(Protocol):
    """What can be read of runs, wherever they are kept. Ids that a source does not have are passed over."""

    def runs(self) -> pd.DataFrame:
        """One row per run, columns `RUN_COLUMNS`."""
        ...

    def listing(self) -> pd.DataFrame:
        """One light row per run, columns `LISTING_COLUMNS`."""
        ...

    def epochs(self, run_ids: Sequence[str]) -> pd.DataFrame:
        """Curves of these runs; see `TABLE_COLUMNS`."""
        ...

    def blocks(self, run_ids: Sequence[str]) -> pd.DataFrame:
        """Block records of these runs; see `TABLE_COLUMNS`."""
        ...

    def layers(self, run_ids: Sequence[str]) -> pd.DataFrame:
        """Layer responses of these runs; see `TABLE_COLUMNS`."""
        ...

    def steps(self, run_ids: Sequence[str]) -> pd.DataFrame:
        """Losses per step of these runs; see `TABLE_COLUMNS`."""
        ...


class Library:
    """Several sources read as one; a store that fails is left out and named in `problems`.

    Args:
        sources: in the order in which their runs are listed; of two runs with one id the first counts.
        problems: sentences about sources that could not be opened.
        away: whether one of them may be there later, since its server does not answer.
    """

    def __init__(
        self, sources: Sequence[RunSource], problems: Sequence[str] = (), *, away: bool = False
    ) -> None:
        self.away = away
        self.sources = tuple(sources)
        self._unopened = tuple(problems)
        self._failures: dict[int, str] = {}
        self.opened = time.monotonic()

    @property
    def problems(self) -> list[str]:
        """Readable sentences about what is missing, as of the last reading."""
        return [*self._unopened, *self._failures.copy().values()]

    @property
    def place(self) -> str:
        """Where the user's own runs are kept, without a password; empty where they cannot be."""
        store = self._store()
        return store.place if store else ""

    def runs(self) -> pd.DataFrame:
        """One row per run, columns `RUN_COLUMNS`; an unknown checkpoint is None, an unknown number NaN."""
        parts = [_typed(run_table([])), *(_typed(table) for table in self._read("runs"))]
        return pd.concat(parts).drop_duplicates("run_id", ignore_index=True)

    def finished_runs(self) -> pd.DataFrame:
        """As `runs`, but those alone that came with the explorer: the user's, maybe many, are not read."""
        parts = [source.runs() for source in self.sources if not isinstance(source, Store)]
        return pd.concat([_typed(run_table([])), *map(_typed, parts)], ignore_index=True)

    def epochs(self, run_ids: Sequence[str]) -> pd.DataFrame:
        """Curves of these runs; see `TABLE_COLUMNS`."""
        return self._gather("epochs", run_ids)

    def blocks(self, run_ids: Sequence[str]) -> pd.DataFrame:
        """Block records of these runs; see `TABLE_COLUMNS`."""
        return self._gather("blocks", run_ids)

    def layers(self, run_ids: Sequence[str]) -> pd.DataFrame:
        """Layer responses of these runs; see `TABLE_COLUMNS`."""
        return self._gather("layers", run_ids)

    def steps(self, run_ids: Sequence[str]) -> pd.DataFrame:
        """Losses per step of these runs; see `TABLE_COLUMNS`."""
        return self._gather("steps", run_ids)

    def listing(self) -> pd.DataFrame:
        """One light row per run, columns `LISTING_COLUMNS`: a list at a fraction of the cost of `runs`."""
        parts = [as_listing([]), *self._read("listing")]
        return pd.concat(parts).drop_duplicates("run_id", ignore_index=True)

    def run(self, run_id: str) -> Run:
        """One run; raises as `find_run`."""
        return find_run(self, run_id)

    def delete(self, run_id: str) -> None:
        """Delete one of the user's own runs.

        Raises:
            ValueError: there is none of that id, or it came with the explorer.
        """
        run, store = self.run(run_id), self._store()
        if run.source == "zoo" or store is None:
            raise ValueError(f"{run_id} came with the explorer; only your own runs can be deleted.")
        store.delete_run(run_id)

    def own(self) -> Store:
        """The user's own runs.

        Raises:
            StoreError: they cannot be opened; the text says why.
        """
        store = self._store()
        if store is None:
            raise StoreError(" ".join(self._unopened) or "There is no store of own runs here.")
        return store

    def _store(self) -> Store | None:
        return store_of(self)

    def _gather(self, name: str, run_ids: Sequence[str]) -> pd.DataFrame:
        parts, missing = [empty(name)], set(run_ids)
        for table in self._read(name, sorted(missing)):
            parts.append(table[table["run_id"].isin(missing)])
            missing -= set(table["run_id"])
        return pd.concat(parts, ignore_index=True)

    def _read(self, name: str, *arguments: Any) -> Iterator[pd.DataFrame]:
        for number, source in enumerate(self.sources):
            try:
                table = getattr(source, name)(*arguments)
            except StoreError as error:
                self._failures[number] = str(error)
                continue
            self._failures.pop(number, None)
            yield table


def find_run(source: RunSource, run_id: str) -> Run:
    """The run of that id.

    Raises:
        UnknownRunError: the source has none.
    """
    if isinstance(source, Store):
        return source.get_run(run_id)
    if isinstance(source, Library):
        for part in source.sources:
            with suppress(StoreError):
                return find_run(part, run_id)
    table = source.runs()
    found = table[table["run_id"] == run_id]
    if found.empty:
        raise UnknownRunError(f"There is no run '{run_id[:80]}'. `python -m explorer runs list` shows all.")
    row = {str(name): None if _missing(value) else value for name, value in found.iloc[0].items()}
    return Run.from_row(row)


def store_of(source: RunSource) -> Store | None:
    """The user's own store in it, if there is one."""
    parts = source.sources if isinstance(source, Library) else (source,)
    return next((part for part in parts if isinstance(part, Store)), None)


def open_library(pretrained: Path = PRETRAINED) -> Library:
    """The zoo and the user's store; a store that cannot be opened is left out and named in `problems`."""
    zoo = Zoo(pretrained)
    try:
        return Library([zoo, Store()])
    except StoreError as error:
        return Library([zoo], [str(error)], away=isinstance(error, StoreAwayError))


def _missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def _typed(table: pd.DataFrame) -> pd.DataFrame:
    typed = table.astype(_TYPES)
    typed["checkpoint"] = typed["checkpoint"].where(typed["checkpoint"].notna(), None)
    return typed
