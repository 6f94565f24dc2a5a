"""From a sweep to the zoo: tables joined, the weights of some nets kept, the manifest written."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from explorer.runs.run import RESULTS, TABLES, Run
from explorer.runs.run_folder import archives, read_archive
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


def write_zoo(
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
        keep_weights: ids of the nets whose weights are kept: of their first seed, of each length of training,
            until the net and its twin were both trained for longer.
        shrink: writes a checkpoint's smallest file of the same error, from path to path, and tests it.
        blocks_every: block and layer records are kept of each so many epochs; curves of all.
        add: keep what the zoo has of that dataset beside these runs; without it, they replace it. A run that
            was trained for another length than the one that has its name there gets the length into its name.

    Returns:
        All runs that the zoo now has of that dataset.

    Raises:
        ValueError: there is no run, or runs of several datasets, or runs that cannot stand beside each other.
    """
    old = Zoo(pretrained)
    made = _read(work, {run.run_id: run.iterations for run in old.manifest} if add else {})
    dataset = next(iter(made.values())).run.dataset
    stay = [run for run in old.manifest if add and run.dataset == dataset and run.run_id not in made]
    runs = [*stay, *(one.run for one in made.values())]
    _check_alike(runs)
    with new_folder(pretrained / dataset) as folder:
        _join_tables(list(made.values()), blocks_every, old, stay, folder)
        placed = []
        for run in runs:
            first = run.recipe.seed == min(other.recipe.seed for other in runs if _alike(run, other))
            if not (first and run.spec.id in keep_weights) or _outgrown(run, runs):
                run = _without_weights(run, old)
            elif run.run_id in made:
                file = folder / f"{_file_name(run)}.safetensors"
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


def _alike(one: Run, other: Run) -> bool:
    """Whether two runs differ by their seed at most, as far as the zoo is concerned."""
    return (one.spec, one.iterations) == (other.spec, other.iterations)


def _outgrown(run: Run, runs: Sequence[Run]) -> bool:
    """Whether this net and its twin were both trained for one longer time: its weights then go."""
    mine, twins = (
        {other.iterations for other in runs if other.spec == spec and other.iterations > run.iterations}
        for spec in (run.spec, run.spec.twin)
    )
    return bool(mine & twins)


def _file_name(run: Run) -> str:
    """The net's id, with what the run's name says beyond net and seed."""
    return run.run_id.removeprefix(f"{run.dataset}-").rpartition("-s")[0]


def _read(work: Path, there: Mapping[str, int]) -> dict[str, _Made]:
    """The runs of a sweep by id; `there` has the iterations of the zoo's runs."""
    made = {}
    for path in archives(work):
        run, tables = read_archive(path)
        run = replace(run, checkpoint=None)
        if there.get(run.run_id, run.iterations) != run.iterations:
            name, seed = run.run_id.rsplit("-", 1)
            run = replace(run, run_id=f"{name}-{run.iterations}-{seed}")
            tables = {name: table.assign(run_id=run.run_id) for name, table in tables.items()}
        made[run.run_id] = _Made(run, tables, path / "weights.safetensors")
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
        recipe = replace(run.recipe, seed=0, device="cpu", kernels="eager")
        if recipes.setdefault(f"{run.spec.id}{recipe.regularisers} {run.iterations}", recipe) != recipe:
            raise ValueError(
                f"{run.spec.id} was trained with two recipes for {run.iterations:,} iterations; in one zoo "
                "its runs of one length may differ by seed only."
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
