"""One finished run in one folder: run.json, its tables as parquet, its weights."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd

from explorer.runs.run import TABLES, Run
from explorer.runs.tables import Tables, empty
from explorer.system.files import new_folder, replace_folder

_COMPLETE = "run.json"
_UNFINISHED = (".partial", ".part")


def write_archive(folder: Path, run: Run, tables: Tables, weights: Path | None) -> None:
    """Write the run to `folder`, which appears whole or not at all."""
    with new_folder(folder) as part:
        for name in TABLES:
            tables[name].to_parquet(part / f"{name}.parquet", index=False)
        if weights is not None:
            shutil.copyfile(weights, part / "weights.safetensors")
        (part / _COMPLETE).write_text(json.dumps(run.row(), indent=1))
        replace_folder(part, folder)


def read_run(folder: Path) -> Run:
    """The run that `write_archive` wrote, without its tables."""
    return Run.from_row(json.loads((folder / _COMPLETE).read_text()))


def read_archive(folder: Path) -> tuple[Run, Tables]:
    """Read what `write_archive` wrote."""
    run = read_run(folder)
    tables = {}
    for name in TABLES:
        path = folder / f"{name}.parquet"
        tables[name] = pd.read_parquet(path) if path.exists() else empty(name)
    return run, tables


def archives(root: Path) -> list[Path]:
    """The folders of finished runs below `root`."""
    found = (path.parent for path in root.glob(f"*/{_COMPLETE}"))
    return sorted(folder for folder in found if folder.suffix not in _UNFINISHED)
