"""Exports of a run: JSON, CSV, safetensors, TensorBoard events and a PyTorch script."""

from __future__ import annotations

import io
import json
import math
import shutil
import zipfile
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from explorer.runs.artifacts import brought
from explorer.runs.library import RunSource, find_run, store_of
from explorer.runs.run import TABLES, Run
from explorer.system.files import new_folder, place_file
from explorer.transfer.script import run_script
from explorer.transfer.tensorboard_events import events_name, run_events

Format = Literal["json", "csv", "safetensors", "tensorboard", "script", "zip"]
Content = bytes | Path
USUAL: tuple[Format, ...] = ("json", "csv", "safetensors")
ALL: tuple[Format, ...] = (*USUAL, "tensorboard", "script")


class ExportError(ValueError):
    """The run was not exported; the text says why and what to do."""


def run_json(source: RunSource, run_id: str) -> str:
    """Settings, origin, results and epochs: an object of run, as `Run.row` gives it, words and epochs.

    Words are the name and the note that a person gave it, and the reason why it ended.

    NaN and infinity are null, since JSON has neither; the checkpoint is the file name that
    `export_run` gives it. Raises as `find_run`.
    """
    run = find_run(source, run_id)
    weights = _weights(run)
    run = replace(run, checkpoint=f"{run_id}{weights.suffix}" if weights else None)
    row = {name: _plain(value) for name, value in run.row().items()}
    epochs = _records(source.epochs([run_id]).drop(columns="run_id"))
    whole = {"run": row, "words": _words(source, run), "epochs": epochs}
    return json.dumps(whole, indent=1, allow_nan=False) + "\n"


def table_csv(source: RunSource, name: str, run_id: str) -> str:
    """One of `TABLES` of a run as CSV: the shortest digits that read back to the same float32, NaN empty.

    Raises as `find_run`.
    """
    find_run(source, run_id)
    table: pd.DataFrame = getattr(source, name)([run_id])
    return str(table.to_csv(index=False, lineterminator="\n"))


def run_files(source: RunSource, run_id: str, formats: Collection[Format] = USUAL) -> dict[str, Content]:
    """Names and contents of an exported run's files; weights only where there are any.

    Raises as `find_run`.
    """
    run = find_run(source, run_id)
    files: dict[str, Content] = {}
    if "json" in formats:
        files[f"{run_id}.json"] = run_json(source, run_id).encode()
    if "csv" in formats:
        files |= {f"{run_id}-{name}.csv": table_csv(source, name, run_id).encode() for name in TABLES}
    weights = _weights(run)
    if "safetensors" in formats and weights:
        files[f"{run_id}{weights.suffix}"] = weights
    if "tensorboard" in formats:
        files[events_name(run)] = run_events(source, run_id)
    if "script" in formats:
        files[f"{run_id}.py"] = run_script(source, run_id).encode()
    return files


def zip_runs(source: RunSource, run_ids: Sequence[str], formats: Collection[Format] = ALL) -> bytes:
    """One zip with a folder per run, which TensorBoard shows once unpacked. Raises as `find_run`."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for run_id in run_ids:
            for name, content in run_files(source, run_id, formats).items():
                if isinstance(content, Path):  # weights do not get smaller
                    archive.write(content, f"{run_id}/{name}", zipfile.ZIP_STORED)
                else:
                    archive.writestr(f"{run_id}/{name}", content)
    return packed.getvalue()


def export_run(
    source: RunSource,
    run_id: str,
    folder: Path,
    *,
    formats: Collection[Format] = USUAL,
    overwrite: bool = False,
) -> list[Path]:
    """Write <run_id>.json, a CSV per table and the weights to a folder, or whatever is asked for.

    Returns:
        The files written.

    Raises:
        ExportError: a file is already there and may not be replaced, or one cannot be written; then
            none is.
        UnknownRunError: the source has no such run.
    """
    if "zip" in formats:
        contents: dict[str, Content] = {f"{run_id}.zip": zip_runs(source, [run_id])}
    else:
        contents = run_files(source, run_id, formats)
    if not contents:
        raise ExportError(f"No weights of {run_id} are kept here, so there is nothing to write.")
    files = [folder / name for name in contents]
    there = [file.name for file in files if file.exists()]
    if there and not overwrite:
        raise ExportError(
            f"{folder} already holds {', '.join(there)}. Choose another folder, or allow overwriting."
        )
    try:
        with new_folder(folder / run_id) as part:
            for name, content in contents.items():
                if isinstance(content, Path):
                    shutil.copyfile(content, part / name)
                else:
                    (part / name).write_bytes(content)
            for file in files:
                place_file(part / file.name, file)
    except OSError as error:
        raise ExportError(f"The run cannot be written to {folder}: {error.strerror or error}.") from error
    return files


def _words(source: RunSource, run: Run) -> dict[str, str | None]:
    store = store_of(source)
    if store is None or run.source == "zoo":
        return dict.fromkeys(("name", "note", "reason"))
    state = store.get_state(run.run_id)
    return {"name": state.name, "note": state.note, "reason": state.reason}


def _weights(run: Run) -> Path | None:
    path = brought(Path(run.checkpoint)) if run.checkpoint else None
    return path if path is not None and path.is_file() else None


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
