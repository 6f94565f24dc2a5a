"""`Experiment`: what a person wants to train, several families and seeds with everything else alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from explorer.data.dataset import Dataset
from explorer.nets.families import FAMILIES, Family
from explorer.nets.spec import DEFAULT_GATE_BIAS, BlockKind, NetSpec, Shortcut
from explorer.training.estimates import Estimate, Speed, estimate, together
from explorer.training.recipe import Recipe

MOST_RUNS = 24
TWINS: tuple[Family, ...] = ("plain", "residual")


class ExperimentError(ValueError):
    """The order cannot be trained; the text says why and what to change."""


@dataclass(frozen=True)
class DatasetInfo:
    """What an order has to know of its dataset.

    Attributes:
        name: of the dataset.
        image_size: height of the images in pixels.
        channels: 1 or 3.
        classes: how many.
        train: images to train on.
    """

    name: str = "digits"
    image_size: int = 8
    channels: int = 1
    classes: int = 10
    train: int = 1437


def dataset_info(dataset: Dataset) -> DatasetInfo:
    """What an order has to know of an opened dataset."""
    train = dataset.split("train")
    return DatasetInfo(
        dataset.id, train.image_size, train.in_channels, len(dataset.classes), len(train.labels)
    )


@dataclass(frozen=True)
class Experiment:
    """Nets that are trained alike: the same initial weights, the same batches in the same order.

    Attributes:
        families: of the nets, one each.
        depth: weighted layers.
        width: filters of the first stage.
        block: basic or bottleneck.
        shortcut: option A, B or C of the families that have shortcuts.
        gate_bias: of the highway nets.
        seeds: how many runs per net.
        recipe: of all runs; its seed is the first.
        auto_precision: whether the precision is left to this machine; see `settled`.
    """

    families: tuple[Family, ...] = TWINS
    depth: int = 56
    width: int = 16
    block: BlockKind = "basic"
    shortcut: Shortcut = "A"
    gate_bias: float = DEFAULT_GATE_BIAS
    seeds: int = 1
    recipe: Recipe = field(default_factory=Recipe)
    auto_precision: bool = False

    def specs(self, images: DatasetInfo) -> list[NetSpec]:
        """The nets, in the order of `families`.

        Raises:
            ExperimentError: there is none.
            ValueError: one of them cannot be built.
        """
        if not self.families:
            raise ExperimentError("Choose at least one family to train.")
        return [self._spec(family, images) for family in self.families]

    def runs(self, images: DatasetInfo) -> list[tuple[NetSpec, Recipe]]:
        """Every net with every seed, twins side by side.

        Raises:
            ExperimentError: there are too many, or none.
            ValueError: a net cannot be built.
        """
        specs = self.specs(images)
        if len(specs) * self.seeds > MOST_RUNS:
            raise ExperimentError(
                f"{len(specs)} families with {self.seeds} seeds are {len(specs) * self.seeds} runs; start at "
                f"most {MOST_RUNS} at once. Take fewer seeds."
            )
        first = self.recipe.seed
        recipes = [replace(self.recipe, seed=seed) for seed in range(first, first + self.seeds)]
        return [(spec, recipe) for recipe in recipes for spec in specs]

    def _spec(self, family: Family, images: DatasetInfo) -> NetSpec:
        traits = FAMILIES[family]
        return NetSpec(
            family=family,
            depth=self.depth,
            width=self.width,
            block=self.block,
            shortcut=self.shortcut if traits.shortcut else "A",
            in_channels=images.channels,
            classes=images.classes,
            **{option: getattr(self, option) for option in traits.options},
        )


@dataclass(frozen=True)
class CostEstimate:
    """What an order costs.

    Attributes:
        each: per run.
        seconds: until the last run ends, or None where that is unknown.
    """

    each: tuple[Estimate, ...]
    seconds: float | None


@lru_cache(maxsize=64)  # a page asks for the same few each time it is drawn
def estimate_cost(order: Experiment, images: DatasetInfo, speed: Speed | None, workers: int) -> CostEstimate:
    """Cost of the whole order, with that many runs at once; raises as `Experiment.runs`."""
    each = tuple(
        estimate(spec, recipe, images.image_size, images.train, speed) for spec, recipe in order.runs(images)
    )
    known = [cost.seconds for cost in each if cost.seconds is not None]
    return CostEstimate(each, together(known, workers) if len(known) == len(each) else None)


def iterations(order: Experiment, images: DatasetInfo) -> int:
    """Steps of each run."""
    return order.recipe.epochs * max(images.train // min(order.recipe.batch_size, images.train), 1)


def learning_rates(order: Experiment, images: DatasetInfo, points: int = 200) -> list[float]:
    """The learning rate of steps spread evenly over the run."""
    total = iterations(order, images)
    points = min(points, total)
    steps = [round(number * (total - 1) / max(points - 1, 1)) for number in range(points)]
    return [order.recipe.lr_at(step, total) for step in steps]


@dataclass(frozen=True)
class Preset:
    """A prepared order.

    Attributes:
        key: its name in code.
        title: what people read.
        changes: how it differs from the default order; fields of `Experiment`.
    """

    key: str
    title: str
    changes: dict[str, Any]

    def experiment(self) -> Experiment:
        """The order itself."""
        return replace(Experiment(), **self.changes)


# first what shows the paper's effect without fail: at 56 layers on digits, in all seeds of the zoo
PRESETS: Sequence[Preset] = (
    Preset("twins-56", "Twins, 56 layers", {}),
    Preset("twins-20", "Twins, 20 layers", {"depth": 20}),
    Preset("twins-110", "Twins, 110 layers", {"depth": 110}),
    Preset("highway-32", "Highway, 32", {"families": ("residual", "highway"), "depth": 32}),
    Preset("preact-56", "Pre-activation, 56", {"families": ("residual", "preact")}),
    Preset("seeds-20", "Twins, 3 seeds", {"depth": 20, "seeds": 3}),
)
