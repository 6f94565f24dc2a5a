"""The time left of a sweep, from what its epochs took so far; deeper nets count as longer."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from explorer.training.estimates import duration


@dataclass(frozen=True)
class EpochDone:
    """What one net of a sweep has just done.

    Attributes:
        run: name of the run within the sweep.
        epoch: number of the epoch, from 0.
        epochs: of the whole run.
        fraction: finished steps over all steps.
        train_error_pct: of the epoch.
        test_error_pct: after it.
        resumed: whether an earlier sweep did it.
    """

    run: str
    epoch: int
    epochs: int
    fraction: float
    train_error_pct: float
    test_error_pct: float
    resumed: bool = False

    def __str__(self) -> str:
        """One line for a person."""
        if self.resumed:
            return f"{self.run}: goes on after epoch {self.epoch} of {self.epochs}"
        if self.epoch == 0:
            return f"{self.run}: starts, {_percent(self.test_error_pct)} test error untrained"
        return (
            f"{self.run}: epoch {self.epoch} of {self.epochs}, training error "
            f"{_percent(self.train_error_pct)}, test error {_percent(self.test_error_pct)}"
        )


class EtaEstimator:
    """What is left, in time.

    Args:
        depths: layers of each net: its steps take as long as it is deep.
        parallelism: nets that are trained at the same time.
    """

    def __init__(self, depths: Mapping[str, int], parallelism: int) -> None:
        self._depths, self._parallelism = dict(depths), parallelism
        self._fraction = dict.fromkeys(depths, 0.0)
        self._started, self._trained = time.monotonic(), 0.0

    def update(self, epoch: EpochDone) -> None:
        """Take note of a finished epoch."""
        if not epoch.resumed:
            self._trained += (epoch.fraction - self._fraction[epoch.run]) * self._depths[epoch.run]
        self._fraction[epoch.run] = epoch.fraction

    def seconds_left(self) -> float | None:
        """Until the last net is trained; None before the first epoch."""
        if self._trained <= 0:
            return None
        rate = self._trained / (time.monotonic() - self._started)
        left = [(1 - self._fraction[run]) * depth for run, depth in self._depths.items()]
        # the last nets do not share their work equally
        return max(sum(left) / rate, max(left) / rate * min(self._parallelism, len(left)))

    def __str__(self) -> str:
        """'3 of 12 nets done, about 2.1 h left'."""
        done, seconds = sum(value >= 1 for value in self._fraction.values()), self.seconds_left()
        left = "" if seconds is None or seconds == 0 else f", about {duration(seconds)} left"
        return f"{done} of {len(self._fraction)} nets done{left}"


def _percent(value: float) -> str:
    return f"{value:.2f} %"
