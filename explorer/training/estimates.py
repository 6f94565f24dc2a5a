"""Time and memory of a run, from its cost in closed form and speeds measured here; no torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

import numpy as np

from explorer.nets.cost_formula import checkpointed_memory_mib, totals, training_memory_mib
from explorer.nets.spec import NetSpec
from explorer.training.recipe import Recipe

PROCESS_MIB = 450
"""Memory of a training process before it has a net: torch and its libraries."""
_EVALUATION = 1 / 12  # of the steps: a forward pass alone, over a test split a quarter as large
_RECORD_STEPS = 0.5  # probing the blocks once an epoch takes about half a step
_NEAREST = 5
_MIB = 2**20


class DoesNotFitError(ValueError):
    """The run asks for more than the machine has; the text gives the numbers and what to change."""


@dataclass(frozen=True)
class Timing:
    """How long a step took, once, on this machine.

    Attributes:
        spec: the net.
        image_size: height of the images in pixels.
        batch_size: images per step.
        step_s: seconds of one step.
        run: whether this was a whole run, and not a step of the calibration.
    """

    spec: NetSpec
    image_size: int
    batch_size: int
    step_s: float
    run: bool = False

    @property
    def cost(self) -> tuple[float, float, float]:
        """What a step's time grows with: layers, values written, and multiply-adds, in millions."""
        return _step_cost(self.spec, self.image_size, self.batch_size)


@dataclass(frozen=True)
class Speed:
    """How fast this machine trains on one device, in one precision.

    Attributes:
        weights: seconds per layer, per million values and per million multiply-adds.
        runs: finished runs to compare with, the latest last.
    """

    weights: tuple[float, float, float]
    runs: tuple[Timing, ...] = field(default=())

    def step_s(self, spec: NetSpec, image_size: int, batch_size: int) -> tuple[float, str]:
        """Seconds per step, and a sentence on where they come from."""
        here = [run for run in self.runs if (run.image_size, run.batch_size) == (image_size, batch_size)]
        same = [run.step_s for run in here if run.spec == spec][-_NEAREST:]
        if same:
            return median(same), f"Time as in {_counted(len(same), 'finished run')} of this very net here."
        cost = _step_cost(spec, image_size, batch_size)
        scaled = self._seconds(cost)
        if not self.runs:
            return scaled, "Time from a short calibration on this machine, scaled by the net's cost."
        near = sorted(self.runs, key=lambda run: _distance(run.cost, cost))[:_NEAREST]
        factor = median(run.step_s / self._seconds(run.cost) for run in near)
        said = _counted(len(near), "comparable finished run")
        return scaled * factor, f"Time from {said} on this machine, scaled by the net's cost."

    def _seconds(self, cost: tuple[float, float, float]) -> float:
        return float(np.dot(self.weights, cost))


@dataclass(frozen=True)
class Estimate:
    """What one run costs.

    Attributes:
        parameters: of the net.
        macs: multiply-adds for one image.
        memory_mib: of the training process, the process itself included.
        seconds: of the whole run with its evaluations, or None before this machine was measured.
        images_per_s: trained images per second, or None likewise.
        basis: a sentence on where the time comes from.
    """

    parameters: int
    macs: int
    memory_mib: float
    seconds: float | None
    images_per_s: float | None
    basis: str


def estimate(
    spec: NetSpec, recipe: Recipe, image_size: int, train_images: int, speed: Speed | None = None
) -> Estimate:
    """What the run costs; without a measured speed its time is unknown, and never guessed."""
    batch = min(recipe.batch_size, train_images)
    per_epoch = max(train_images // batch, 1)
    steps = recipe.iterations or recipe.epochs * per_epoch
    cost = totals(spec, image_size)
    estimate = checkpointed_memory_mib if recipe.checkpointing else training_memory_mib
    memory = PROCESS_MIB + estimate(spec, image_size, batch, recipe.precision)
    if speed is None:
        unknown = "The time is unknown until this machine's speed has been measured."
        return Estimate(cost.parameters, cost.macs, memory, None, None, unknown)
    step_s, basis = speed.step_s(spec, image_size, batch)
    records = -(-steps // per_epoch) + 1
    seconds = step_s * (steps * (1 + _EVALUATION) + records * _RECORD_STEPS)
    return Estimate(cost.parameters, cost.macs, memory, seconds, batch / step_s, basis)


def check_fits(cost: Estimate, available_mib: float, max_seconds: float | None = None) -> None:
    """Refuse what cannot be trained here.

    Args:
        cost: of the run.
        available_mib: free memory of the device.
        max_seconds: the longest run that is allowed, or None for any.

    Raises:
        DoesNotFitError: it needs more memory than is free, or longer than is allowed.
    """
    if cost.memory_mib > available_mib:
        raise DoesNotFitError(
            f"This run needs about {memory_text(cost.memory_mib)}, and {memory_text(available_mib)} are "
            "free. Take a smaller batch, or a shallower or narrower net; half the batch takes about half "
            "the memory."
        )
    if max_seconds is not None and cost.seconds is not None and cost.seconds > max_seconds:
        raise DoesNotFitError(
            f"This run would take about {duration(cost.seconds)}, and at most {duration(max_seconds)} are "
            "allowed here. Take fewer epochs, or a shallower or narrower net."
        )


def fit_speed(timings: Sequence[Timing], runs: Sequence[Timing] = ()) -> Speed:
    """The non-negative weights that fit the timings best, each error counted relative to its time.

    Raises:
        ValueError: there is no timing.
    """
    if not timings:
        raise ValueError("A speed needs at least one timed step.")
    from scipy.optimize import nnls  # slow to import, and wanted once per calibration

    costs = np.array([timing.cost for timing in timings])
    matrix = costs / np.array([[timing.step_s] for timing in timings])
    best, _ = nnls(matrix, np.ones(len(matrix)))
    return Speed((float(best[0]), float(best[1]), float(best[2])), tuple(runs))


def together(seconds: Sequence[float], workers: int) -> float:
    """When the last of several runs ends, if each worker takes the next one as soon as it is free."""
    free = [0.0] * max(workers, 1)
    for length in seconds:
        free.sort()
        free[0] += length
    return max(free)


def duration(seconds: float) -> str:
    """'8 s', '2 min', '1.5 h': as many digits as an estimate deserves."""
    if seconds < 100:
        return f"{max(round(seconds), 1)} s"
    if seconds < 100 * 60:
        return f"{round(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h"


def memory_text(mib: float) -> str:
    """'640 MiB', '2.4 GiB'."""
    return f"{mib:.0f} MiB" if mib < 1000 else f"{mib / 1024:.1f} GiB"


def _step_cost(spec: NetSpec, image_size: int, batch_size: int) -> tuple[float, float, float]:
    cost = totals(spec, image_size)
    values = cost.values + 2 * cost.gate_values
    return float(cost.layers), values * batch_size / 1e6, cost.macs * batch_size / 1e6


def _distance(one: tuple[float, float, float], other: tuple[float, float, float]) -> float:
    return float(np.abs(np.log(one) - np.log(other)).sum())


def _counted(count: int, what: str) -> str:
    return f"one {what}" if count == 1 else f"{count} {what}s"
