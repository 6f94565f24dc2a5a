"""The runs that come with the explorer: the zoo in pretrained/, read like a user's own runs.

pretrained/manifest.json lists every run; pretrained/<dataset>/ holds the tables of all its runs as
parquet and the weights of some as safetensors.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import pandas as pd

from explorer.runs.listing import list_finished
from explorer.runs.run import Run, run_table
from explorer.runs.tables import empty, tidy
from explorer.system.paths import ROOT

PRETRAINED = ROOT / "pretrained"
MANIFEST = "manifest.json"


class Zoo:
    """The finished runs below one folder.

    Args:
        folder: where manifest.json is; a folder without one is an empty zoo.
    """

    def __init__(self, folder: Path = PRETRAINED) -> None:
        self.folder = folder

    @cached_property
    def manifest(self) -> list[Run]:
        """All runs, checkpoints as full paths."""
        path = self.folder / MANIFEST
        if not path.exists():
            return []
        runs = [Run.from_row(row) for row in json.loads(path.read_text())]
        return [
            run if run.checkpoint is None else replace(run, checkpoint=str(self.folder / run.checkpoint))
            for run in runs
        ]

    def runs(self) -> pd.DataFrame:
        """One row per run, columns `RUN_COLUMNS`."""
        return run_table(self.manifest)

    def listing(self) -> pd.DataFrame:
        """One light row per run, columns `LISTING_COLUMNS`."""
        return list_finished(self.manifest)

    def epochs(self, run_ids: Sequence[str]) -> pd.DataFrame:
        """Curves of these runs; see `TABLE_COLUMNS`."""
        return self._read("epochs", run_ids)

    def blocks(self, run_ids: Sequence[str]) -> pd.DataFrame:
        """Block records of these runs; see `TABLE_COLUMNS`."""
        return self._read("blocks", run_ids)

    def layers(self, run_ids: Sequence[str]) -> pd.DataFrame:
        """Layer responses of these runs; see `TABLE_COLUMNS`."""
        return self._read("layers", run_ids)

    def steps(self, run_ids: Sequence[str]) -> pd.DataFrame:
        """Losses per step of these runs; see `TABLE_COLUMNS`."""
        return self._read("steps", run_ids)

    def _read(self, table: str, run_ids: Sequence[str]) -> pd.DataFrame:
        wanted = set(run_ids)
        datasets = sorted({run.dataset for run in self.manifest if run.run_id in wanted})
        parts = [
            pd.read_parquet(self.folder / dataset / f"{table}.parquet", filters=[("run_id", "in", wanted)])
            for dataset in datasets
        ]
        return tidy(table, pd.concat(parts, ignore_index=True)) if parts else empty(table)
