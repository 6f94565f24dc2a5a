"""Records as tables: what one run's epochs look like when they are stored or shown."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from explorer.runs.run import MEASURED, TABLE_COLUMNS, Run
from explorer.training.history import EpochRecord, epoch_table

Tables = dict[str, pd.DataFrame]
NUMBER = "float32"
"""Type of all columns but those of `TYPES`."""
TYPES = {
    "run_id": "str", "epoch": "int32", "iteration": "int32", "block": "int16", "stage": "int16",
    "layer": "int16",
}  # fmt: skip


def record_tables(run: Run, records: Sequence[EpochRecord]) -> Tables:
    """Tables epochs, blocks, layers and steps of one run, columns as in `TABLE_COLUMNS`."""
    made = {
        "epochs": epoch_table(records),
        "blocks": pd.concat([record.blocks.assign(epoch=record.epoch) for record in records]),
        "layers": pd.concat([record.layers.assign(epoch=record.epoch) for record in records]),
        "steps": step_table(run, np.concatenate([record.step_losses for record in records])),
    }
    return {name: tidy(name, table.assign(run_id=run.run_id)) for name, table in made.items()}


def step_table(run: Run, losses: np.ndarray, first: int = 1) -> pd.DataFrame:
    """Iteration, loss and learning rate of each step, from iteration `first` on."""
    iterations = np.arange(first, first + len(losses))
    rates = [run.recipe.lr_at(int(iteration) - 1, run.iterations) for iteration in iterations]
    return pd.DataFrame({"iteration": iterations, "loss": losses, "lr": rates})


def tidy(name: str, table: pd.DataFrame) -> pd.DataFrame:
    """Columns in order, whole numbers as such, the rest in single precision.

    A measurement that the table lacks is NaN: it was recorded before there was such a column. Columns that
    are not known are left out.
    """
    lacking = {column: np.nan for column in TABLE_COLUMNS[name] if column not in table and column in MEASURED}
    table = table.assign(**lacking) if lacking else table
    table = table[list(TABLE_COLUMNS[name])].reset_index(drop=True)
    wrong = {
        column: kind
        for column, is_now in table.dtypes.items()
        if is_now != (kind := TYPES.get(str(column), NUMBER))
    }
    return table.astype(wrong) if wrong else table


def empty(name: str) -> pd.DataFrame:
    """A table of that name without rows."""
    return tidy(name, pd.DataFrame({column: [] for column in TABLE_COLUMNS[name]}))
