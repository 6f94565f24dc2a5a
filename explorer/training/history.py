"""`EpochRecord`: what happened in an epoch, and tables made of such records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

EPOCH_COLUMNS = (
    "epoch",
    "iteration",
    "train_loss",
    "train_error_pct",
    "test_loss",
    "test_error_pct",
    "lr",
    "seconds",
    "images_per_s",
)


@dataclass(frozen=True)
class EpochRecord:
    """One epoch; epoch 0 is the net at initialisation, before any step.

    Attributes:
        epoch: number of the epoch, from 0.
        iteration: steps finished so far.
        train_loss: mean cross-entropy over the epoch's batches, as they were trained.
        train_error_pct: their error in per cent (as in the paper's training curves).
        test_loss: mean cross-entropy over the test split, in eval mode.
        test_error_pct: its error in per cent.
        lr: learning rate of the epoch's last step.
        seconds: time of the epoch's steps, without evaluation and probes.
        images_per_s: trained images over `seconds`.
        step_losses: loss of each step, (steps,).
        blocks: per block, columns as `probes.recorded.measure` gives them.
        layers: per 3x3 layer, likewise.
    """

    epoch: int
    iteration: int
    train_loss: float
    train_error_pct: float
    test_loss: float
    test_error_pct: float
    lr: float
    seconds: float
    images_per_s: float
    step_losses: NDArray[np.float32]
    blocks: pd.DataFrame
    layers: pd.DataFrame

    def row(self) -> dict[str, float]:
        """The scalars by name, in the order of `EPOCH_COLUMNS`."""
        return {name: getattr(self, name) for name in EPOCH_COLUMNS}


@dataclass(frozen=True)
class Live:
    """How far a run is within its current epoch.

    Attributes:
        iteration: finished steps of the run.
        losses: of the steps of this epoch so far, (steps,).
        images_per_s: images trained in this epoch over its time so far.
    """

    iteration: int
    losses: NDArray[np.float32]
    images_per_s: float


def epoch_table(records: Sequence[EpochRecord]) -> pd.DataFrame:
    """One row per epoch, columns `EPOCH_COLUMNS`."""
    return pd.DataFrame([record.row() for record in records], columns=list(EPOCH_COLUMNS))
