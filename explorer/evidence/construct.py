"""Deep plain nets from three starts, a constructed one among them: curves, measured once and kept.

The usual start and the residual twin are runs of the zoo. Trained here are nets built from plain-20 by
identity blocks: from a trained one, and from one that nothing has trained. What is kept is
pretrained/construct.parquet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

import pandas as pd

from explorer.evidence.table_files import has_rows, with_rows, write_table
from explorer.nets.spec import NetSpec
from explorer.runs.zoo import PRETRAINED, Zoo
from explorer.training.recipe import Recipe

if TYPE_CHECKING:
    from explorer.data.dataset import Dataset
    from explorer.nets.build import CifarNet
    from explorer.nets.identity import Constructed, Place
    from explorer.training.trainer import Trainer

Start = Literal["trained", "untrained"]
STARTS: tuple[Start, ...] = get_args(Start)
USUAL, TWIN = "usual", "residual"
FILE = "construct.parquet"
SHALLOW = 20
DEPTHS = (56, 110)
SEEDS = (0, 1, 2)
COMMAND = "python -m explorer zoo construct"
_CURVE = ["start", "depth", "seed", "epoch", "train_error_pct", "test_error_pct"]
_DELETED = ["without_inserted_pct", "without_other_pct"]
_COLUMNS = [*_CURVE, *_DELETED]


def started(start: Start, depth: int, recipe: Recipe, place: Place = "end") -> Constructed:
    """A plain net for digits, `depth` layers deep, built from a plain-20 that `recipe` has trained, or not.

    Raises:
        ValueError: a net of that depth cannot be built.
    """
    from explorer.data.sources import digits
    from explorer.nets.build import build
    from explorer.nets.identity import check_deepening, construct, settle
    from explorer.training.trainer import Trainer

    spec, dataset = NetSpec("plain", SHALLOW, in_channels=1), digits()
    check_deepening(spec, depth)
    images = Trainer(spec, recipe, dataset).train_images.normalised(slice(None))
    if start == "trained":
        return construct(_trained(spec, recipe), depth, images, place)
    net = build(spec, recipe.seed)
    settle(net, images)
    return construct(net, depth, images, place)


@lru_cache(maxsize=3)
def _trained(spec: NetSpec, recipe: Recipe) -> CifarNet:
    """The shallow net after all its epochs, in eval mode; made once for all depths."""
    from explorer.data.sources import digits
    from explorer.training.trainer import Trainer

    trainer = Trainer(spec, recipe, digits())
    while not trainer.finished:
        trainer.step()
    return trainer.net.eval()


def training_from(built: Constructed, recipe: Recipe, dataset: Dataset) -> Trainer:
    """A trainer whose first step begins with the net that was built."""
    from explorer.training.trainer import Trainer

    return Trainer(built.net.spec, recipe, dataset, start=built.net.state_dict())


def curve(trainer: Trainer, told: Callable[[float], None] | None = None) -> Iterator[dict[str, float]]:
    """Train to the end; after each epoch its number and errors in per cent.

    Epoch 0 is the net before its first step: its training error is that of all training images in eval mode.
    Later ones are what the net got wrong in training, with each batch's statistics.

    Args:
        trainer: that has not begun.
        told: given the share of the steps that is done, after each.
    """
    from explorer.training.evaluation import evaluate

    before = evaluate(trainer.net, trainer.train_images).error_pct
    yield _errors(trainer) | {"train_error_pct": before}
    while not trainer.finished:
        trainer.step()
        if told:
            told(trainer.iteration / trainer.total_iterations)
        if trainer.at_epoch_end:
            yield _errors(trainer)


def _errors(trainer: Trainer) -> dict[str, float]:
    row = trainer.record().row()
    return {name: row[name] for name in ("epoch", "train_error_pct", "test_error_pct")}


def measure(start: Start, depth: int, seed: int, recipe: Recipe | None = None) -> pd.DataFrame:
    """Build and train one net on digits with the default recipe: one row per epoch, columns as `kept`."""
    from explorer.data.sources import digits

    recipe, dataset = recipe or Recipe(seed=seed, device="cpu"), digits()
    built = started(start, depth, recipe)
    trainer = training_from(built, recipe, dataset)
    table = pd.DataFrame(curve(trainer)).assign(start=start, depth=depth, seed=seed)
    last = table["epoch"] == table["epoch"].max()
    table.loc[last, _DELETED] = deletions(trainer, built.inserted)
    return table[_COLUMNS]


def deletions(trainer: Trainer, inserted: Sequence[int]) -> tuple[float, float]:
    """Median test error in per cent with one inserted block removed, and with one of the others."""
    from explorer.probes.lesion import errors_pct, folded_net, single_deletions

    images = trainer.test_images
    logits = single_deletions(folded_net(trainer.net), images.normalised(slice(None)))
    found = pd.Series(errors_pct(logits, images.labels)[1:])
    there = found.index.isin(list(inserted))
    return float(found[there].median()), float(found[~there].median())


def keep(
    out: Path, say: Callable[[str], None], depths: Sequence[int] = DEPTHS, seeds: Sequence[int] = SEEDS
) -> int:
    """Measure every start at `depths` over `seeds` that the file lacks, and add it at once.

    Whatever ends it, nothing measured is lost; called again, it goes on. Returns the rows of the file.
    """
    table = kept(out)
    for depth in depths:
        for seed in seeds:
            for start in STARTS:
                if has_rows(table, start=start, depth=depth, seed=seed):
                    continue
                made = measure(start, depth, seed)
                table = with_rows(table, made)
                write_table(table, out / FILE, COMMAND)
                say(_line(made))
    return len(table)


def _line(curve: pd.DataFrame) -> str:
    last = curve.iloc[-1]
    return (
        f"plain-{last['depth']} from an identity start, {last['start']}, seed {last['seed']}: training error "
        f"{last['train_error_pct']:.1f} %, test error {last['test_error_pct']:.1f} %"
    )


def kept(pretrained: Path = PRETRAINED) -> pd.DataFrame:
    """The curves that come with the explorer: start, depth, seed, epoch and both errors in per cent.

    The last epoch of each also has the median test errors of `deletions`.
    `attrs` says how they were made: command, commit, versions, hardware. Empty where there are none.
    """
    path = pretrained / FILE
    return pd.read_parquet(path) if path.exists() else pd.DataFrame(columns=_COLUMNS)


def usual(pretrained: Path = PRETRAINED) -> pd.DataFrame:
    """The zoo's runs of the same depths from the usual start, plain as `usual`, residual as `residual`."""
    zoo = Zoo(pretrained)
    nets = {f"{family}-{depth}" for family in ("plain", TWIN) for depth in DEPTHS}
    runs = [run for run in zoo.manifest if run.dataset == "digits" and run.spec.id in nets]
    if not runs:
        return pd.DataFrame(columns=_CURVE)
    about = pd.DataFrame(
        {
            "run_id": [run.run_id for run in runs],
            "start": [USUAL if run.spec.family == "plain" else TWIN for run in runs],
            "depth": [run.spec.depth for run in runs],
            "seed": [run.recipe.seed for run in runs],
        }
    )
    return zoo.epochs(list(about["run_id"])).merge(about, on="run_id")[_CURVE]
