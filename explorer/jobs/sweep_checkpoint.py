"""Where a net of a sweep was when the sweep ended: one file, replaced after every epoch."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from explorer.jobs.resume import ResumeError, frozen_state, load_resume, write_resume
from explorer.training.history import EpochRecord
from explorer.training.trainer import Trainer

_TABLES = ("blocks", "layers")
log = logging.getLogger(__name__)


class SweepCheckpoint:
    """A trainer and its records so far, kept on disk.

    Args:
        path: the file; it need not exist. One that does not fit is left aside, in words.
        trainer: goes on from where the file says.
    """

    def __init__(self, path: Path, trainer: Trainer) -> None:
        """Read the file, if it is there."""
        self.path, self.trainer = path, trainer
        self.records: list[EpochRecord] = []
        try:
            if load_resume(path, trainer):
                kept = torch.load(path, map_location="cpu", weights_only=True)["records"]
                self.records = [_unpacked(values) for values in kept]
        except (ResumeError, KeyError) as error:
            log.warning("%s begins again: %s", path.stem, error)
            path.unlink(missing_ok=True)

    def keep(self, record: EpochRecord) -> None:
        """Add the record of the epoch that has just ended, and write all that the rest depends on.

        Raises:
            ResumeError: the file cannot be written.
        """
        self.records.append(record)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        packed = [_packed(record) for record in self.records]
        write_resume(self.path, frozen_state(self.trainer) | {"records": packed})

    def forget(self) -> None:
        """Delete the file, once the run is kept elsewhere."""
        self.path.unlink(missing_ok=True)


def _packed(record: EpochRecord) -> dict[str, Any]:
    """Plain values and tensors, as a file that is read without unpickling objects may hold."""
    tables = {
        name: {
            column: torch.from_numpy(values.to_numpy(copy=True))
            for column, values in getattr(record, name).items()
        }
        for name in _TABLES
    }
    row = {name: getattr(value, "item", lambda v=value: v)() for name, value in record.row().items()}
    return {"row": row, "step_losses": torch.from_numpy(record.step_losses.copy()), **tables}


def _unpacked(values: dict[str, Any]) -> EpochRecord:
    tables: dict[str, Any] = {
        name: pd.DataFrame({column: part.numpy() for column, part in values[name].items()})
        for name in _TABLES
    }
    return EpochRecord(**values["row"], step_losses=values["step_losses"].numpy(), **tables)
