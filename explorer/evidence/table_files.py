"""Measured tables of pretrained/: files that name the command, commit, versions and processor behind them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from explorer.runs.provenance import commit, processor, versions
from explorer.system.files import replacing


def write_table(table: pd.DataFrame, path: Path, command: str) -> None:
    """Put the table in its place, whole or not at all.

    Args:
        table: what was measured.
        path: a parquet file; its folder is made if need be.
        command: of the shell, which makes the table again.

    Raises:
        OSError: it cannot be written; what was there before is unchanged.
    """
    table.attrs = {"command": command, "commit": commit(), "versions": versions(), "hardware": processor()}
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        table.to_parquet(temporary, index=False, compression="zstd")


def has_rows(table: pd.DataFrame, **wanted: Any) -> bool:
    """Whether a row has all these values, by column."""
    there = pd.Series(True, index=table.index)
    for name, value in wanted.items():
        there &= table[name] == value
    return bool(there.any())


def with_rows(table: pd.DataFrame, made: pd.DataFrame) -> pd.DataFrame:
    """The table and what was made after it; an empty table's columns say nothing of types."""
    return pd.concat([table, made], ignore_index=True) if len(table) else made
