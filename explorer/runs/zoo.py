"""Which runs come with the explorer? The zoo in pretrained/, read like a user's own runs, and made.

pretrained/manifest.json lists every run; pretrained/<dataset>/ holds the tables of all its runs as
parquet and the weights of some as safetensors.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import pandas as pd

from explorer.runs.archive import archives, read_archive
from explorer.runs.listing import list_finished
from explorer.runs.provenance import ROOT
from explorer.runs.run import TABLES, Run, run_table
from explorer.runs.tables import empty

PRETRAINED = ROOT / "pretrained"
MANIFEST = "manifest.json"
Shrink = Callable[[Path, Path], dict[str, float]]


class Zoo:
    """The finished runs below one folder.

    Args:
        folder: where manifest.json is; a folder without one is an empty zoo.
    """

    def __init__(self, folder: Path = PRETRAINED) -> None:
        """Nothing is read before it is asked for."""
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
        return pd.concat(parts, ignore_index=True) if parts else empty(table)


def bake(
    work: Path, pretrained: Path, keep_weights: Sequence[str], shrink: Shrink, *, blocks_every: int = 1
) -> list[Run]:
    """Make one dataset's part of the zoo from finished runs, replacing what it had of that dataset.

    Args:
        work: folder of finished runs, all of one dataset.
        pretrained: the zoo's folder.
        keep_weights: ids of the nets whose weights of their first seed are kept.
        shrink: writes a checkpoint's smallest file of the same error, from path to path, and tests it.
        blocks_every: block and layer records are kept of each so many epochs; curves of all.

    Raises:
        ValueError: there is no run, or runs of several datasets.
    """
    kept = [read_archive(folder) for folder in archives(work)]
    datasets = {run.dataset for run, _ in kept}
    if len(datasets) != 1:
        raise ValueError(
            f"{work} must hold finished runs of one dataset; it holds {sorted(datasets) or 'none'}."
        )
    dataset = datasets.pop()
    folder = pretrained / f".{dataset}.part"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in TABLES:
        table = pd.concat([tables[name] for _, tables in kept], ignore_index=True)
        if name in ("blocks", "layers"):
            table = table[table["epoch"] % blocks_every == 0]
        table.to_parquet(folder / f"{name}.parquet", index=False, compression="zstd")
    runs = []
    for path in archives(work):
        run, _ = read_archive(path)
        first_seed = min(other.recipe.seed for other, _ in kept if other.spec == run.spec)
        checkpoint = None
        if run.spec.id in keep_weights and run.recipe.seed == first_seed:
            checkpoint = f"{dataset}/{run.spec.id}.safetensors"
            file = folder / f"{run.spec.id}.safetensors"
            results = run.results | shrink(path / "weights.safetensors", file)
            run = replace(run, results=results)
        runs.append(replace(run, checkpoint=checkpoint, source="zoo"))
    runs.sort(key=lambda run: (run.spec.family, run.spec.depth, run.recipe.seed))
    shutil.rmtree(pretrained / dataset, ignore_errors=True)
    os.replace(folder, pretrained / dataset)
    _write_manifest(pretrained, dataset, runs)
    return runs


def _write_manifest(pretrained: Path, dataset: str, runs: list[Run]) -> None:
    path = pretrained / MANIFEST
    others = json.loads(path.read_text()) if path.exists() else []
    rows = [row for row in others if row["dataset"] != dataset] + [run.row() for run in runs]
    part = path.with_suffix(".part")
    part.write_text(json.dumps(rows, indent=1) + "\n")
    os.replace(part, path)
