"""The runs of a zoo: families, depths and seeds, and the recipe of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from explorer.jobs.sweep import RunConfig, sweep
from explorer.nets.spec import NetSpec
from explorer.runs.zoo import PRETRAINED
from explorer.runs.zoo_build import write_zoo
from explorer.training.recipe import (
    PAPER_ITERATIONS,
    DeviceName,
    Kernels,
    Precision,
    Recipe,
    Schedule,
    paper_recipe,
)

if TYPE_CHECKING:
    from explorer.training.evaluation import Evaluation


def nets(families: Sequence[str], depths: Sequence[int]) -> list[str]:
    """Ids of all combinations."""
    return [f"{family}-{depth}" for family, depth in product(families, depths)]


DIGITS_DEPTHS = (8, 14, 20, 26, 32, 38, 44, 50, 56, 74, 92, 110)
HIGHWAY_DEPTHS = (20, 32, 56, 110)
SEEDS = (0, 1, 2)
SMALL = "digits-small"
SMALL_DEPTHS = (8, 20, 56, 110, 302)
SMALL_SEEDS = {302: (0, 1)}
SMALL_REGULARISERS: tuple[dict[str, float], ...] = ({}, {"survival": 0.5}, {"dropout": 0.3})
WARMUP_FROM = 110
SAME_ERROR_PCT = 0.05
# all weights of all specs would take three times the room that the repository gives them; these take 16 MB
# on digits and 13 MB on CIFAR-10, in half precision, of 32 MiB for the whole zoo
KEPT_WEIGHTS = {
    "digits": (*nets(("plain", "residual"), (8, 20, 32, 56, 110)), *nets(("highway",), (20,))),
    "cifar10-jpeg": nets(("plain", "residual"), (20, 32, 56, 110)),
}

# of nets of 302 layers, block and layer records of every epoch would take more room than their weights
BLOCKS_EVERY = {SMALL: 5}


class SweepOptions(Protocol):
    """What a sweep is asked for."""

    families: Sequence[str]
    depths: Sequence[int]
    seeds: Sequence[int]
    data: str
    fraction: float | None
    epochs: int | None
    precision: Precision | Literal["auto"]
    device: DeviceName
    lr: float | None
    schedule: Schedule | None
    warmup_epochs: float | None
    kernels: Kernels | Literal["auto"]


def make_run_configs(options: SweepOptions) -> list[RunConfig]:
    """All combinations, the deepest first, so that the last to finish are the quick ones.

    With a fraction or, on other data than digits, a number of epochs it is the paper's recipe, its drops at
    the same fractions of the run; else the recipe for digits. Learning rate, schedule and warm-up replace
    the recipe's where they are given. What is left to this machine is chosen by its calibration, which is
    taken first where there is none.

    Raises:
        ValueError: a net cannot be built, or there is nothing to do.
    """
    configs = []
    fraction = _fraction(options)
    depths = sorted(set(options.depths), reverse=True)
    for depth, seed, family in product(depths, options.seeds, options.families):
        net = NetSpec.parse(f"{family}-{depth}").id
        recipe = Recipe(seed=seed, epochs=options.epochs or Recipe().epochs)
        if fraction is not None:
            recipe = paper_recipe(seed, fraction, warmup=depth >= WARMUP_FROM)
        precision = "fp32" if options.precision == "auto" else options.precision
        recipe = replace(_changed(recipe, options), precision=precision, device=options.device)
        configs.append(RunConfig(net, recipe, options.data))
    if not configs:
        raise ValueError("Nothing to train: give at least one family, depth and seed.")
    return _settled(configs, options)


def _changed(recipe: Recipe, options: SweepOptions) -> Recipe:
    """The recipe with what was given in its place."""
    changes: dict[str, Any] = {"lr": options.lr, "schedule": options.schedule}
    if options.warmup_epochs is not None:
        images = _train_images(options)
        steps = images // min(recipe.batch_size, images)
        changes["warmup"] = options.warmup_epochs * steps / (recipe.iterations or recipe.epochs * steps)
        if changes["warmup"] > 1:
            raise ValueError(f"--warmup-epochs {options.warmup_epochs:g} is longer than the run; take fewer.")
    return replace(recipe, **{name: value for name, value in changes.items() if value is not None})


def _settled(configs: list[RunConfig], options: SweepOptions) -> list[RunConfig]:
    """The same configs with the precision and the kernels that are left to this machine, alike for all."""
    from explorer.data.sources import open_dataset
    from explorer.jobs.experiment import dataset_info
    from explorer.jobs.fastest_settings import fastest_here

    if options.kernels != "auto" and options.precision != "auto":
        return [replace(config, recipe=replace(config.recipe, kernels=options.kernels)) for config in configs]
    images = dataset_info(open_dataset(options.data))
    costliest = NetSpec.parse(configs[0].net, in_channels=images.channels, classes=images.classes)
    found = fastest_here(costliest, configs[0].recipe, images, options.precision, options.kernels).recipe
    changes = {"precision": found.precision, "kernels": found.kernels}
    return [replace(config, recipe=replace(config.recipe, **changes)) for config in configs]  # type: ignore[arg-type]


def _fraction(options: SweepOptions) -> float | None:
    """The fraction of the paper's iterations that is asked for, if any."""
    if options.fraction is not None and options.epochs is not None:
        raise ValueError("Give --fraction or --epochs, not both.")
    if options.epochs is None or options.data.partition(":")[0].startswith("digits"):
        return options.fraction
    images = _train_images(options)
    steps = images // min(Recipe().batch_size, images)
    return options.epochs * steps / PAPER_ITERATIONS


def _train_images(options: SweepOptions) -> int:
    from explorer.data.sources import open_dataset

    return len(open_dataset(options.data).split("train").labels)


def digits_runs() -> list[RunConfig]:
    """The runs of the digits zoo; on the CPU, so that anybody can make them again."""
    chosen = nets(("plain", "residual"), DIGITS_DEPTHS) + nets(("highway",), HIGHWAY_DEPTHS)
    chosen.sort(key=lambda net: -NetSpec.parse(net).depth)
    return [RunConfig(net, Recipe(seed=seed, device="cpu"), "digits") for net in chosen for seed in SEEDS]


def small_digits_runs() -> list[RunConfig]:
    """Residual nets on few images, with and without regularisers: does more depth overfit?

    With the peak learning rate of 0.03 that suits digits, 302 layers had 88 % training error after these 100
    steps; with 0.01 they get their 200 images right. It was chosen by training errors alone.
    """
    configs = []
    seeds = [(depth, seed) for depth in reversed(SMALL_DEPTHS) for seed in SMALL_SEEDS.get(depth, SEEDS)]
    for (depth, seed), settings in product(seeds, SMALL_REGULARISERS):
        recipe = replace(Recipe(epochs=25, batch_size=50, lr=0.01, seed=seed, device="cpu"), **settings)  # type: ignore[arg-type]
        configs.append(RunConfig(f"residual-{depth}", recipe, SMALL))
    return configs


_OWN_PLANS = {"digits": digits_runs, SMALL: small_digits_runs}


def build_zoo(
    dataset: str,
    *,
    data: str | None = None,
    work: Path | None,
    out: Path | None,
    workers: int | None,
    add: bool = False,
    progress: Callable[[str], None],
) -> dict[str, Any]:
    """Train what is missing (digits, digits-small), or take what a sweep left, and write the zoo.

    With `add`, what the zoo has of that dataset stays beside it.

    Raises:
        ValueError: there is no finished run of that dataset.
    """
    work = work or Path("sweep") / dataset
    if dataset in _OWN_PLANS:
        for line in sweep(_OWN_PLANS[dataset](), work, workers=workers):
            progress(line)
    kept_nets, every = KEPT_WEIGHTS.get(dataset, ()), BLOCKS_EVERY.get(dataset, 1)
    runs = write_zoo(
        work,
        out or PRETRAINED,
        kept_nets,
        partial(save_half_precision, data or dataset),
        blocks_every=every,
        add=add,
    )
    kept = sum(run.checkpoint is not None for run in runs)
    return {"dataset": dataset, "runs": len(runs), "checkpoints": kept, "folder": str(out or PRETRAINED)}


def save_half_precision(data: str, weights: Path, target: Path) -> dict[str, float]:
    """Write the checkpoint in half precision if its error stays the same, else as it is.

    Returns:
        test_error_pct and test_loss of the file written, as `evaluate` prints them.
    """
    from explorer.data.sources import open_dataset
    from explorer.nets.checkpoints import load_checkpoint, save_checkpoint
    from explorer.training.evaluation import evaluate_split

    def test(path: Path) -> Evaluation:
        kept = load_checkpoint(path)
        assert kept.normalisation is not None
        return evaluate_split(kept.net, dataset, "test", kept.normalisation)

    dataset, full = open_dataset(data), load_checkpoint(weights)
    for half in (True, False):
        save_checkpoint(
            target,
            full.net,
            normalisation=full.normalisation,
            classes=full.classes,
            recipe=full.recipe,
            metrics=full.metrics,
            dataset=full.dataset,
            image_size=full.image_size,
            half=half,
        )
        found = test(target)
        if not half or abs(found.error_pct - test(weights).error_pct) <= SAME_ERROR_PCT:
            break
    return {"test_error_pct": found.error_pct, "test_loss": found.loss}
