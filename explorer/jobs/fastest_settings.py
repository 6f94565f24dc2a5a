"""The fastest way to train an experiment here: precision and kernels, chosen by the calibration."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from explorer.jobs.experiment import DatasetInfo, Experiment
from explorer.jobs.machine_speed import calibrate, load_calibration, speed
from explorer.nets.cost_formula import totals
from explorer.nets.spec import NetSpec
from explorer.training.estimates import Speed, duration, estimate
from explorer.training.recipe import Kernels, Precision, Recipe

SpeedOf = Callable[[Recipe], Speed | None]

PAYS_S = 5.0
"""Fused kernels are taken where they save at least this many seconds of a run."""
FASTER = 1.2
"""bf16 is taken where it trains at least this many times as fast; fp32 is the paper's."""
LONG_MACS = 1e13
"""A run of as many multiply-adds takes minutes, so a calibration of some seconds pays."""


@dataclass(frozen=True)
class Fastest:
    """A recipe with nothing left open.

    Attributes:
        recipe: how to train.
        reasons: sentences on what was chosen and why; empty where nothing was.
    """

    recipe: Recipe
    reasons: tuple[str, ...] = ()


def fastest(
    spec: NetSpec, recipe: Recipe, images: DatasetInfo, speed_of: SpeedOf, *, auto_precision: bool = False
) -> Fastest:
    """Choose kernels, and with `auto_precision` the precision too; fp32 and eager before the calibration.

    Args:
        spec: the costliest net of the experiment.
        recipe: what was asked for. Its kernels stay where they are fused already.
        images: of the dataset.
        speed_of: speed of this machine for a recipe, or None where that is unknown.
        auto_precision: whether the precision is left to this machine.
    """
    if not auto_precision:
        return _with_kernels(spec, recipe, images, speed_of)
    exact = _with_kernels(spec, replace(recipe, precision="fp32"), images, speed_of)
    half = _with_kernels(spec, replace(recipe, precision="bf16"), images, speed_of)
    times = [_seconds(spec, each.recipe, images, speed_of) for each in (exact, half)]
    if times[0] is None or times[1] is None:
        return replace(exact, reasons=("Precision: fp32, until this machine's speed has been measured.",))
    gain = times[0] / times[1]
    chosen: tuple[Fastest, Precision, str] = (
        (half, "bf16", f"about {gain:.1f} times as fast here as fp32")
        if gain >= FASTER
        else (exact, "fp32", f"bf16 would bring {gain:.1f} times its speed here, too little to leave fp32")
    )
    return replace(chosen[0], reasons=(f"Precision: {chosen[1]}, {chosen[2]}.", *chosen[0].reasons))


def settle(
    experiment: Experiment, images: DatasetInfo, speed_of: SpeedOf
) -> tuple[Experiment, tuple[str, ...]]:
    """The experiment with nothing left open, and the reasons; all its runs are trained alike.

    Raises:
        ValueError: a net of it cannot be built.
    """
    spec = costliest(experiment.specs(images), images.image_size)
    found = fastest(spec, experiment.recipe, images, speed_of, auto_precision=experiment.auto_precision)
    return replace(experiment, recipe=found.recipe, auto_precision=False), found.reasons


def fastest_here(
    spec: NetSpec,
    recipe: Recipe,
    images: DatasetInfo,
    precision: Precision | Literal["auto"],
    kernels: Kernels | Literal["auto"],
) -> Fastest:
    """Choose what is left to this machine, with a calibration first where there is none and it pays.

    Args:
        spec: the costliest net.
        recipe: everything else.
        images: of the dataset.
        precision: fp32, bf16 or auto.
        kernels: eager, fused or auto.
    """
    fixed = replace(
        recipe,
        precision="fp32" if precision == "auto" else precision,
        kernels="eager" if kernels == "auto" else kernels,
    )
    if "auto" not in (precision, kernels):
        return Fastest(fixed)
    if load_calibration() is None and (precision == "auto" or _macs(spec, fixed, images) >= LONG_MACS):
        calibrate()
    found = fastest(spec, fixed, images, _speed_here, auto_precision=precision == "auto")
    return found if kernels == "auto" else replace(found, recipe=replace(found.recipe, kernels=kernels))


def _speed_here(recipe: Recipe) -> Speed | None:
    return speed(recipe.device, recipe.precision, kernels=recipe.kernels)


def _macs(spec: NetSpec, recipe: Recipe, images: DatasetInfo) -> float:
    """Multiply-adds of a run: three times those of its forward passes."""
    batch = min(recipe.batch_size, images.train)
    steps = recipe.iterations or recipe.epochs * max(images.train // batch, 1)
    return 3.0 * steps * batch * totals(spec, images.image_size).macs


def _with_kernels(spec: NetSpec, recipe: Recipe, images: DatasetInfo, speed_of: SpeedOf) -> Fastest:
    fused = replace(recipe, kernels="fused")
    if recipe.kernels == "fused":
        return Fastest(recipe)
    eager_s, fused_s = (_seconds(spec, each, images, speed_of) for each in (recipe, fused))
    if eager_s is None or fused_s is None or eager_s - fused_s < PAYS_S:
        return Fastest(recipe)
    saved = f"Fused kernels save about {duration(eager_s - fused_s)} of {duration(eager_s)} per run."
    return Fastest(fused, (saved,))


def _seconds(spec: NetSpec, recipe: Recipe, images: DatasetInfo, speed_of: SpeedOf) -> float | None:
    return estimate(spec, recipe, images.image_size, images.train, speed_of(recipe)).seconds


def costliest(specs: list[NetSpec], image_size: int) -> NetSpec:
    """The net with the most multiply-adds."""
    return max(specs, key=lambda spec: totals(spec, image_size).macs)
