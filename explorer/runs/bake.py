"""How does a sweep become the zoo? Its tables joined, the weights of some nets kept, the manifest written."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from explorer.runs.archive import archives, read_archive
from explorer.runs.run import RESULTS, TABLES, Run
from explorer.runs.tables import Tables
from explorer.runs.zoo import MANIFEST, Zoo
from explorer.system.files import new_folder, replace_folder, replace_text
from explorer.training.recipe import Recipe

Shrink = Callable[[Path, Path], dict[str, float]]


@dataclass(frozen=True)
class _Made:
    run: Run
    tables: Tables
    weights: Path


def bake(
    work: Path,
    pretrained: Path,
    keep_weights: Sequence[str],
    shrink: Shrink,
    *,
    blocks_every: int = 1,
    add: bool = False,
) -> list[Run]:
    """Make one dataset's part of the zoo from finished runs.

    Args:
        work: folder of finished runs, all of one dataset.
        pretrained: the zoo's folder.
        keep_weights: ids of the nets whose weights of their first seed are kept.
        shrink: writes a checkpoint's smallest file of the same error, from path to path, and tests it.
        blocks_every: block and layer records are kept of each so many epochs; curves of all.
        add: keep what the zoo has of that dataset beside these runs; without it, they replace it.

    Returns:
        All runs that the zoo now has of that dataset.

    Raises:
        ValueError: there is no run, or runs of several datasets, or runs that cannot stand beside each other.
    """
    made = _read(work)
    dataset = next(iter(made.values())).run.dataset
    old = Zoo(pretrained)
    stay = [run for run in old.manifest if add and run.dataset == dataset and run.run_id not in made]
    runs = [*stay, *(one.run for one in made.values())]
    _check_alike(runs)
    with new_folder(pretrained / dataset) as folder:
        _join_tables(list(made.values()), blocks_every, old, stay, folder)
        placed = []
        for run in runs:
            first = run.recipe.seed == min(other.recipe.seed for other in runs if other.spec == run.spec)
            if not (first and run.spec.id in keep_weights):
                run = _without_weights(run, old)
            elif run.run_id in made:
                file = folder / f"{run.spec.id}.safetensors"
                results = shrink(made[run.run_id].weights, file)
                run = replace(run, results=run.results | results, checkpoint=f"{dataset}/{file.name}")
            elif run.checkpoint:
                shutil.copyfile(run.checkpoint, folder / Path(run.checkpoint).name)
                run = replace(run, checkpoint=f"{dataset}/{Path(run.checkpoint).name}")
            placed.append(replace(run, source="zoo"))
        placed.sort(key=lambda run: (run.spec.family, run.spec.depth, run.recipe.seed))
        replace_folder(folder, pretrained / dataset)
    _write_manifest(pretrained, dataset, placed)
    return placed


def _read(work: Path) -> dict[str, _Made]:
    made = {}
    for path in archives(work):
        run, tables = read_archive(path)
        made[run.run_id] = _Made(replace(run, checkpoint=None), tables, path / "weights.safetensors")
    datasets = {one.run.dataset for one in made.values()}
    if len(datasets) != 1:
        raise ValueError(
            f"{work} must hold finished runs of one dataset; it holds {sorted(datasets) or 'none'}."
        )
    return made


def _check_alike(runs: Sequence[Run]) -> None:
    """Runs of one net that differ by more than their seed would be taken for repetitions of each other."""
    if len({run.provenance["data_hash"] for run in runs}) > 1:
        raise ValueError("Runs on different images cannot stand in one zoo under one dataset's name.")
    recipes: dict[str, Recipe] = {}
    for run in runs:
        recipe = replace(run.recipe, seed=0, device="cpu")
        if recipes.setdefault(run.spec.id + recipe.regularisers, recipe) != recipe:
            raise ValueError(
                f"{run.spec.id} was trained with two recipes; in one zoo its runs may differ by seed only."
            )


def _join_tables(
    made: Sequence[_Made], blocks_every: int, old: Zoo, stay: Sequence[Run], folder: Path
) -> None:
    for name in TABLES:
        table = pd.concat([one.tables[name] for one in made], ignore_index=True)
        if name in ("blocks", "layers"):
            table = table[table["epoch"] % blocks_every == 0]
        if stay:
            kept = getattr(old, name)([run.run_id for run in stay])
            table = pd.concat([kept, table], ignore_index=True)
        table.to_parquet(folder / f"{name}.parquet", index=False, compression="zstd")


def _without_weights(run: Run, old: Zoo) -> Run:
    """The run as its curve ends; a kept file's error is that of the file, which may be in half precision."""
    if run.checkpoint is None:
        return run
    last = old.epochs([run.run_id]).iloc[-1]
    return replace(run, checkpoint=None, results={name: float(last[name]) for name in RESULTS})


def _write_manifest(pretrained: Path, dataset: str, runs: Sequence[Run]) -> None:
    path = pretrained / MANIFEST
    others = json.loads(path.read_text()) if path.exists() else []
    rows = [row for row in others if row["dataset"] != dataset] + [run.row() for run in runs]
    replace_text(path, json.dumps(rows, indent=1) + "\n")
