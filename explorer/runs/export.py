"""How does a run leave the explorer? As JSON, CSV and safetensors, for any other program."""

from __future__ import annotations

import json
import math
import os
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from explorer.runs.library import RunSource, find_run
from explorer.runs.run import TABLES, Run


class ExportError(ValueError):
    """The run was not exported; the text says why and what to do."""


def run_json(source: RunSource, run_id: str) -> str:
    """Settings, origin, results and epochs: an object of run, as `Run.row` gives it, and epochs.

    NaN and infinity are null, since JSON has neither; the checkpoint is the file name that
    `export_run` gives it. Raises as `find_run`.
    """
    run = find_run(source, run_id)
    weights = _weights(run)
    run = replace(run, checkpoint=f"{run_id}{weights.suffix}" if weights else None)
    row = {name: _plain(value) for name, value in run.row().items()}
    epochs = _records(source.epochs([run_id]).drop(columns="run_id"))
    return json.dumps({"run": row, "epochs": epochs}, indent=1, allow_nan=False) + "\n"


def table_csv(source: RunSource, name: str, run_id: str) -> str:
    """One of `TABLES` of a run as CSV: the shortest digits that read back to the same float32, NaN empty.

    Raises as `find_run`.
    """
    find_run(source, run_id)
    table: pd.DataFrame = getattr(source, name)([run_id])
    return str(table.to_csv(index=False, lineterminator="\n"))


def export_run(source: RunSource, run_id: str, folder: Path, *, overwrite: bool = False) -> list[Path]:
    """Write <run_id>.json, a CSV per table (<run_id>-epochs.csv, …) and the weights, where there are any.

    Returns:
        The files written.

    Raises:
        ExportError: a file is already there and may not be replaced, or one cannot be written; then
            none is.
        UnknownRunError: the source has no such run.
    """
    texts = {f"{run_id}.json": run_json(source, run_id)}
    texts |= {f"{run_id}-{name}.csv": table_csv(source, name, run_id) for name in TABLES}
    weights = _weights(find_run(source, run_id))
    names = [*texts, *([f"{run_id}{weights.suffix}"] if weights else [])]
    files = [folder / name for name in names]
    there = [file.name for file in files if file.exists()]
    if there and not overwrite:
        raise ExportError(
            f"{folder} already holds {', '.join(there)}. Choose another folder, or allow overwriting."
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".export-", dir=folder) as part:
            for name, text in texts.items():
                (Path(part) / name).write_text(text, encoding="utf-8", newline="\n")
            if weights:
                shutil.copyfile(weights, Path(part) / names[-1])
            for file in files:
                os.replace(Path(part) / file.name, file)
    except OSError as error:
        raise ExportError(f"The run cannot be written to {folder}: {error.strerror or error}.") from error
    return files


def _weights(run: Run) -> Path | None:
    return Path(run.checkpoint) if run.checkpoint and Path(run.checkpoint).is_file() else None


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    columns = [table[name].to_numpy() for name in table.columns]
    return [
        dict(zip(table.columns, map(_plain, values), strict=True)) for values in zip(*columns, strict=True)
    ]


def _plain(value: Any) -> Any:
    if isinstance(value, np.float32):
        value = float(str(value))  # the shortest digits, as in the CSV
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value.item() if isinstance(value, np.generic) else value
