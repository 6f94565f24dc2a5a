"""Runs as rows of the tables of `schema`, and rows as runs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from explorer.runs import schema
from explorer.runs.database import StoreError
from explorer.runs.run import TABLE_COLUMNS, Run
from explorer.runs.tables import NUMBER, TYPES, Tables, empty, step_table, tidy
from explorer.training.history import EpochRecord

SERIES = ("blocks", "layers", "steps")
# of series that were stored without the names of their columns
_UNNAMED_COLUMNS = {
    "blocks": (
        "block", "stage", "layer", "residual_norm", "input_norm", "residual_ratio", "gradient_norm",
    ),
    "layers": ("layer", "response_std"),
    "steps": ("iteration", "loss", "lr"),
}  # fmt: skip


def run_values(run: Run) -> dict[str, Any]:
    """Values of `schema.runs`; what the run does not say is left out."""
    row = run.row()
    return without_nan({column: row[column] for column in row if column in schema.runs.columns})


def read_run(row: dict[str, Any]) -> Run:
    """The inverse of `run_values`.

    Raises:
        StoreError: the row holds a spec or a recipe that is not valid.
    """
    try:
        return Run.from_row(row)
    except (ValueError, TypeError, KeyError) as error:
        raise StoreError(f"The stored run {row['run_id']} cannot be read: {error}") from error


def without_nan(values: dict[str, Any]) -> dict[str, Any]:
    """NaN as None: SQLite has no NaN and stores it so anyway, PostgreSQL would not."""
    return {
        name: None if isinstance(value, float) and math.isnan(value) else value
        for name, value in values.items()
    }


def series_values(run: Run, record: EpochRecord) -> list[dict[str, Any]]:
    """Values of `schema.series`, one row per series of the epoch."""
    losses = record.step_losses
    tables = {
        "blocks": record.blocks,
        "layers": record.layers,
        "steps": step_table(run, losses, record.iteration - len(losses) + 1),
    }
    key = {"run_id": run.run_id, "epoch": record.epoch}
    return [key | {"name": name, **_pack(name, table)} for name, table in tables.items()]


def table_values(run_id: str, tables: Tables) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Values of `schema.epochs` and of `schema.series` for a run that is kept whole."""
    epochs = tables["epochs"]
    ends = epochs["iteration"].to_numpy()
    place = np.searchsorted(ends, tables["steps"]["iteration"].to_numpy())
    steps = tables["steps"].assign(epoch=epochs["epoch"].to_numpy()[place])
    parts = {"blocks": tables["blocks"], "layers": tables["layers"], "steps": steps}
    by_epoch = {name: dict(list(table.groupby("epoch"))) for name, table in parts.items()}
    rows, series = [], []
    for row in epochs.drop(columns="run_id").to_dict("records"):
        numbers = {str(name): value for name, value in row.items()}
        rows.append({"run_id": run_id, **without_nan(numbers)})
        key = {"run_id": run_id, "epoch": row["epoch"]}
        for name in parts:
            table = by_epoch[name].get(row["epoch"], empty(name))
            series.append(key | {"name": name, **_pack(name, table)})
    return rows, series


def read_epochs(columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> pd.DataFrame:
    """The table of epochs, of rows with these columns; what was not measured is NaN."""
    if not rows:
        return empty("epochs")
    values = dict(zip(columns, zip(*rows, strict=True), strict=True))
    wanted = {name: np.array(values[name], _kind(name)) for name in TABLE_COLUMNS["epochs"]}
    return tidy("epochs", pd.DataFrame(wanted))


def read_series(name: str, rows: Sequence[tuple[str, int, bytes, str | None]]) -> pd.DataFrame:
    """One table, columns `TABLE_COLUMNS[name]`, of rows (run_id, epoch, data, columns).

    Each row is cut by the columns with which it was stored; a measurement that it lacks is NaN.

    Raises:
        StoreError: the data of a row has been cut or lengthened.
    """
    if not rows:
        return empty(name)
    kinds = list(dict.fromkeys(row[3] for row in rows))
    tables = [_cut(name, columns, [row[:3] for row in rows if row[3] == columns]) for columns in kinds]
    if len(tables) == 1:
        return tidy(name, tables[0])
    # in the order of the rows, whatever their columns are
    place = {(run_id, epoch): number for number, (run_id, epoch, _, _) in enumerate(rows)}
    joined = pd.concat(tables, ignore_index=True)
    keys = zip(joined["run_id"], joined["epoch"], strict=True)
    order = np.argsort([place[key] for key in keys], kind="stable")
    return tidy(name, joined.iloc[order])


def _cut(name: str, named: str | None, rows: Sequence[tuple[str, int, bytes]]) -> pd.DataFrame:
    """The rows of one set of columns, names separated by commas."""
    columns = named.split(",") if named else _UNNAMED_COLUMNS[name]
    for run_id, epoch, data in rows:
        if len(data) % (4 * len(columns)):
            raise StoreError(f"The stored {name} of run {run_id}, epoch {epoch}, are damaged.")
    parts = [np.frombuffer(data, "<f4").reshape(-1, len(columns)) for _, _, data in rows]
    lengths = [len(part) for part in parts]
    ids, epochs, _ = zip(*rows, strict=True)
    made = {"run_id": np.repeat(np.array(ids, object), lengths)}
    made["epoch"] = np.repeat(np.array(epochs, TYPES["epoch"]), lengths)
    for column, values in zip(columns, np.concatenate(parts).T, strict=True):
        made[column] = values.astype(_kind(column))
    return pd.DataFrame(made)


def _pack(name: str, table: pd.DataFrame) -> dict[str, Any]:
    """Little-endian float32, row by row, with the names of the columns.

    Every number is a single-precision measurement or a whole number below 2**24: exact in float32.
    """
    columns = [column for column in TABLE_COLUMNS[name] if column not in ("run_id", "epoch")]
    data = table.reindex(columns=columns).to_numpy("<f4").tobytes()
    return {"data": data, "columns": ",".join(columns)}


def _kind(column: str) -> str:
    """Type of the column in NumPy, which has texts as objects."""
    kind = TYPES.get(column, NUMBER)
    return "object" if kind == "str" else kind
