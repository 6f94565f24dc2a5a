"""`Grid`: a sweep that a person orders, families x depths x seeds x the values of one more setting."""

from __future__ import annotations

import json
import secrets
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from explorer.jobs.experiment import DatasetInfo, Experiment, ExperimentError
from explorer.jobs.sweep import RunConfig
from explorer.nets.spec import NetSpec
from explorer.training.estimates import Estimate, Speed, estimate, together
from explorer.training.recipe import Recipe

MOST_SWEPT = 200
GROUP = "sweep-"
"""How the group ids of sweeps begin."""
Order = tuple[NetSpec, Recipe]


@dataclass(frozen=True)
class Setting:
    """What a grid may vary beside families, depths and seeds.

    Attributes:
        title: as the form of Live training calls it.
        read: the value that a text means; raises a ValueError.
        example: values to begin with.
        of_net: whether it is a field of the experiment's nets; else of its recipe.
    """

    title: str
    read: Callable[[str], Any]
    example: str
    of_net: bool = False


SETTINGS: dict[str, Setting] = {
    "lr": Setting("Peak learning rate", float, "0.01, 0.03, 0.1"),
    "batch_size": Setting("Batch size", int, "32, 128"),
    "weight_decay": Setting("Weight decay", float, "0, 0.0001, 0.001"),
    "warmup": Setting("Warm-up (fraction of the run)", float, "0, 0.15"),
    "epochs": Setting("Epochs", int, "5, 10"),
    "survival": Setting("Survival of the last block", float, "0.5, 1"),
    "dropout": Setting("Dropout", float, "0, 0.3"),
    "width": Setting("Width", int, "8, 16", of_net=True),
}
"""By field of `Recipe` or `Experiment`."""


@dataclass(frozen=True)
class Grid:
    """A sweep: everything that is not varied is the experiment's.

    Attributes:
        experiment: families, seeds, and all settings that stay.
        depths: of the nets.
        setting: what else is varied, a key of `SETTINGS`; empty for nothing.
        values: of that setting.
    """

    experiment: Experiment
    depths: tuple[int, ...]
    setting: str = ""
    values: tuple[Any, ...] = ()

    def runs(self, images: DatasetInfo) -> list[Order]:
        """Nets and recipes, the deepest first, so that the last to finish are the quick ones.

        Raises:
            ExperimentError: there is none, or too many.
            ValueError: a net cannot be built, or a recipe not be trained with.
        """
        parts = [
            self._one(depth, value)
            for depth in sorted(self.depths, reverse=True)
            for value in (self.values if self.setting else (None,))
        ]
        count = len(parts) * self.experiment.seeds * len(self.experiment.families)
        if not parts or not count:
            raise ExperimentError("Nothing to train: give at least one family, depth and value.")
        if count > MOST_SWEPT:
            raise ExperimentError(
                f"This grid has {count:,} runs; a sweep has at most {MOST_SWEPT}. Take fewer depths, values "
                "or seeds."
            )
        first, seeds = self.experiment.recipe.seed, self.experiment.seeds
        return [
            (spec, replace(part.recipe, seed=seed))
            for part in parts
            for seed in range(first, first + seeds)
            for spec in part.specs(images)
        ]

    def command(self, images: DatasetInfo) -> str:
        """The shell's command that trains the same grid; raises as `runs`."""
        orders, recipe = self.runs(images), self.experiment.recipe
        nets = dict.fromkeys(spec.id for spec, _ in orders)
        seeds = dict.fromkeys(str(recipe.seed) for _, recipe in orders)
        changed = {
            field.name: value
            for field in fields(Recipe)
            if (value := getattr(recipe, field.name)) != getattr(Recipe(), field.name)
            and field.name not in ("seed", self.setting)
        }
        words = ["python", "-m", "explorer", "sweep", "--nets", ",".join(nets), "--seeds", ",".join(seeds)]
        words += ["--data", images.name]
        words += ["--recipe", json.dumps(changed)] if changed else []
        if self.setting and not SETTINGS[self.setting].of_net:
            words += ["--vary", f"{self.setting}={','.join(f'{value:g}' for value in self.values)}"]
        return shlex.join(words)

    def _one(self, depth: int, value: Any) -> Experiment:
        part = replace(self.experiment, depth=depth)
        if not self.setting:
            return part
        if SETTINGS[self.setting].of_net:
            return replace(part, **{self.setting: value})
        return replace(part, recipe=replace(part.recipe, **{self.setting: value}))


@dataclass(frozen=True)
class GridCost:
    """What a sweep costs.

    Attributes:
        each: per run, in the order of `Grid.runs`.
        seconds: until the last run ends, or None where that is unknown.
    """

    each: tuple[Estimate, ...]
    seconds: float | None


def grid_cost(orders: Sequence[Order], images: DatasetInfo, speed: Speed | None, lanes: int) -> GridCost:
    """Cost of all runs, so many of them at once."""
    known: dict[tuple[NetSpec, Recipe], Estimate] = {}  # runs that differ in their seeds cost the same
    each = []
    for spec, recipe in orders:
        alike = (spec, replace(recipe, seed=0))
        if alike not in known:
            known[alike] = estimate(*alike, images.image_size, images.train, speed)
        each.append(known[alike])
    seconds = [one.seconds for one in each if one.seconds is not None]
    return GridCost(tuple(each), together(seconds, lanes) if len(seconds) == len(each) else None)


def new_group() -> str:
    """A group id for a sweep."""
    return GROUP + secrets.token_hex(8)


def read_depths(text: str) -> tuple[int, ...]:
    """Depths with commas between them, each once.

    Raises:
        ExperimentError: one of them is not a whole number.
    """
    return _read_all(text, int, "Depths", "whole numbers such as 20, 56")


def read_values(setting: str, text: str) -> tuple[Any, ...]:
    """Values of a setting with commas between them, each once.

    Raises:
        ExperimentError: one of them is not a value of it.
    """
    one = SETTINGS.get(setting)
    if one is None:
        raise ExperimentError(f"'{setting[:40]}' cannot be varied; {', '.join(SETTINGS)} can.")
    return _read_all(text, one.read, one.title, f"values such as {one.example}")


def _read_all(text: str, read: Callable[[str], Any], title: str, wanted: str) -> tuple[Any, ...]:
    words = [word.strip() for word in text.split(",") if word.strip()]
    try:
        return tuple(dict.fromkeys(read(word) for word in words))
    except ValueError:
        raise ExperimentError(
            f"{title}: '{text[:60]}' cannot be read. Give {wanted}, with commas between them."
        ) from None


def grid_configs(
    nets: Sequence[str], recipe: str | None, vary: str | None, seeds: Sequence[int], data: str
) -> list[RunConfig]:
    """The runs of the shell's `sweep --nets`, the deepest first.

    Args:
        nets: their ids.
        recipe: fields of `Recipe` as JSON; what is not in it is the recipe for digits.
        vary: FIELD=VALUE,VALUE of one more setting of the recipe.
        seeds: of each net.
        data: name or path of the dataset.

    Raises:
        ValueError: a net, a field or a value is not known.
    """
    try:
        given = json.loads(recipe or "{}")
    except ValueError as error:
        raise ExperimentError(f"--recipe is not JSON: {error}. Give it as '{{\"lr\": 0.1}}'.") from None
    if not isinstance(given, dict):
        raise ExperimentError("--recipe has to be fields and values, as '{\"lr\": 0.1}'.")
    setting, _, text = (vary or "").partition("=")
    if setting in SETTINGS and SETTINGS[setting].of_net:
        raise ExperimentError(f"{setting} is part of a net's id; give such nets with --nets.")
    values: Sequence[Any] = read_values(setting, text) if vary else (None,)
    if not values:
        raise ExperimentError("--vary needs values, as lr=0.01,0.1.")
    specs = sorted((NetSpec.parse(net) for net in nets), key=lambda spec: -spec.depth)
    return [
        RunConfig(
            spec.id, Recipe.from_dict(given | ({setting: value} if vary else {}) | {"seed": seed}), data,
            f"-{setting}{value:g}" if vary else "",
        )
        for spec in specs for value in values for seed in seeds
    ]  # fmt: skip
