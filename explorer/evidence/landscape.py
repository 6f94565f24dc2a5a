"""Landscapes around nets on digits, and the trajectory of training through them: measured once and kept.

Kept in pretrained/: landscape.parquet, a row per point of each grid; landscape_trajectories.parquet, where
each epoch lies on the plane of the trajectory; and plain-56-built.safetensors, the fair twin: a plain net
that started at the identity and was trained like the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from explorer.evidence.table_files import with_rows, write_table
from explorer.nets.spec import NetSpec
from explorer.runs.net_catalogue import NetChoice
from explorer.runs.zoo import PRETRAINED
from explorer.training.recipe import Recipe

if TYPE_CHECKING:
    from torch import Tensor

    from explorer.nets.loaded_net import LoadedNet
    from explorer.probes.landscape import Grid, Statistics
    from explorer.probes.probe_images import ProbeImages
    from explorer.training.trainer import Trainer

FILE, TRAJECTORIES_FILE, BUILT_FILE = (
    "landscape.parquet",
    "landscape_trajectories.parquet",
    "plain-56-built.safetensors",
)
COMMAND = "python -m explorer zoo landscape"
BUILT = "built-56"
DEPTHS = (20, 56)
NETS = ("residual-20", "plain-20", "residual-56", "plain-56", BUILT)
SEED = 0
DIRECTIONS = (0, 1, 2)
TRAJECTORY = "trajectory"
"""Name of the plane of training's trajectory; the others have the seed of their directions as a name."""
POINTS, COARSE, TRAJECTORY_POINTS = 41, 21, 21
IMAGES, IMAGES_IF_LARGE = 180, 128
MARGIN = 0.15
COLUMNS = ["net", "plane", "statistics", "x", "y", "loss", "error_pct"]
TRAJECTORY_COLUMNS = ["net", "epoch", "x", "y", "share_1", "share_2", "train_loss", "train_error_pct"]


@dataclass(frozen=True)
class Wanted:
    """A grid that is kept: of a net, on a plane, with `points` a side."""

    net: str
    plane: str
    statistics: Statistics
    points: int


def wanted() -> Iterator[Wanted]:
    """All grids that are kept, the most needed first."""
    for seed in DIRECTIONS:
        for net in NETS:
            yield Wanted(net, str(seed), "batch", POINTS)
    for net in NETS:
        yield Wanted(net, "0", "running", COARSE)


def choice_of(net: str, pretrained: Path = PRETRAINED) -> NetChoice:
    """The zoo's net of seed 0, or the fair twin, as pages and the shell open it."""
    if net == BUILT:
        title, file = "plain-56 built by identity, digits, seed 0", pretrained / BUILT_FILE
        return NetChoice(BUILT, title, "zoo", "plain", 56, "digits", str(file), 8, SEED)
    spec, file = NetSpec.parse(net), pretrained / "digits" / f"{net}.safetensors"
    key, title = f"digits-{net}-s{SEED}", f"{spec.title}, digits, seed {SEED}"
    return NetChoice(key, title, "zoo", spec.family, spec.depth, "digits", str(file), 8, SEED)


def images_of(loaded: LoadedNet, dataset: str) -> ProbeImages:
    """The training images that the loss is the mean of: class-balanced, 180, of larger ones 128."""
    from explorer.data.sources import open_dataset
    from explorer.probes.probe_images import probe_images

    count = IMAGES if loaded.image_size <= 16 else IMAGES_IF_LARGE
    return probe_images(open_dataset(dataset), "train", loaded, count)


def measure(asked: Wanted, pretrained: Path = PRETRAINED) -> pd.DataFrame:
    """One grid of random directions; columns `COLUMNS`."""
    from explorer.probes.landscape import fill, random_plane, square
    from explorer.runs.net_opening import open_net

    loaded, grid = open_net(choice_of(asked.net, pretrained)), square(asked.points)
    seen = images_of(loaded, "digits")
    plane = random_plane(loaded.net, int(asked.plane))
    fill(loaded.net, plane, grid, seen.images, seen.labels, statistics=asked.statistics)
    return as_table(grid).assign(net=asked.net, plane=asked.plane, statistics=asked.statistics)[COLUMNS]


def as_table(grid: Grid) -> pd.DataFrame:
    """A row per point: x, y, loss (four digits), error_pct; all float32."""
    across, up = np.meshgrid(grid.x, grid.y)
    loss = [float(f"{value:.4g}") for value in grid.loss.ravel()]
    columns = {"x": across.ravel(), "y": up.ravel(), "loss": loss, "error_pct": grid.error_pct.ravel()}
    return pd.DataFrame(columns).astype("float32")


def trained_trajectory(net: str) -> tuple[Trainer, list[dict[str, Tensor]], list[tuple[float, float]]]:
    """Train a net as the zoo does: its parameters, and training loss and error, after each epoch from 0."""
    trainer, states, errors = _trainer(net), [], []
    for record in trainer.records():
        row = record.row()
        states.append({name: weight.detach().clone() for name, weight in trainer.net.named_parameters()})
        errors.append((float(row["train_loss"]), float(row["train_error_pct"])))
    return trainer, states, errors


def measure_trajectory(
    net: str, trained: tuple[Trainer, list[dict[str, Tensor]], list[tuple[float, float]]]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The grid on the plane of a trajectory (`COLUMNS`), and the trajectory (`TRAJECTORY_COLUMNS`)."""
    from explorer.probes.landscape import Grid, fill, principal_plane

    trainer, states, errors = trained
    plane, at, shares = principal_plane(states)
    grid = Grid(*(_around(at[:, axis]) for axis in (0, 1)))
    loaded = _loaded(net, trainer)
    seen = images_of(loaded, "digits")
    fill(loaded.net, plane, grid, seen.images, seen.labels)
    surface = as_table(grid).assign(net=net, plane=TRAJECTORY, statistics="batch")[COLUMNS]
    trajectory = pd.DataFrame({"epoch": range(len(at)), "x": at[:, 0], "y": at[:, 1]})
    trajectory[["train_loss", "train_error_pct"]] = errors
    return surface, trajectory.assign(net=net, share_1=shares[0], share_2=shares[1])[TRAJECTORY_COLUMNS]


def keep(out: Path, say: Callable[[str], None]) -> int:
    """Measure every grid that the files lack, and add each at once; returns the rows of landscape.parquet."""
    if not (out / BUILT_FILE).exists():
        _keep_trajectory(out, BUILT, say)
    for asked in wanted():
        table = kept(out)
        there = grid_of(table, asked.net, asked.plane, asked.statistics)
        if len(there) >= asked.points**2:
            continue
        made = measure(asked, out if asked.net == BUILT else PRETRAINED)
        _add(table.drop(there.index), made, out / FILE)
        say(f"{asked.net}, plane {asked.plane}, {asked.statistics} statistics: {asked.points}x{asked.points}")
    for net in NETS:
        if not (kept_trajectories(out)["net"] == net).any():
            _keep_trajectory(out, net, say)
    return len(kept(out))


def _keep_trajectory(out: Path, net: str, say: Callable[[str], None]) -> None:
    trained = trained_trajectory(net)
    if net == BUILT:
        _save(trained[0], out / BUILT_FILE, trained[2][-1][1])
    surface, trajectory = measure_trajectory(net, trained)
    _add(kept(out), surface, out / FILE)
    _add(kept_trajectories(out), trajectory, out / TRAJECTORIES_FILE)
    share = 100 * trajectory[["share_1", "share_2"]].iloc[0].sum()
    say(f"{net}: the trajectory of training, two components hold {share:.1f} %")


def kept(pretrained: Path = PRETRAINED) -> pd.DataFrame:
    """The grids that come with the explorer, columns `COLUMNS`; `attrs` say how they were made."""
    return _read(pretrained / FILE, COLUMNS)


def kept_trajectories(pretrained: Path = PRETRAINED) -> pd.DataFrame:
    """Columns `TRAJECTORY_COLUMNS`: x and y are distances in weights from the last epoch."""
    return _read(pretrained / TRAJECTORIES_FILE, TRAJECTORY_COLUMNS)


def grid_of(table: pd.DataFrame, net: str, plane: str, statistics: str = "batch") -> pd.DataFrame:
    """The rows of one grid."""
    return table[(table["net"] == net) & (table["plane"] == plane) & (table["statistics"] == statistics)]


def _read(path: Path, columns: list[str]) -> pd.DataFrame:
    return pd.read_parquet(path) if path.exists() else pd.DataFrame(columns=columns)


def _add(table: pd.DataFrame, made: pd.DataFrame, path: Path) -> None:
    write_table(with_rows(table, made), path, COMMAND)


def _around(at: Any) -> Any:
    """Positions that hold all of `at`, and a margin."""
    low, high = float(at.min()), float(at.max())
    margin = MARGIN * max(high - low, 1e-6)
    return np.linspace(low - margin, high + margin, TRAJECTORY_POINTS)


def _trainer(net: str) -> Trainer:
    from explorer.data.sources import digits
    from explorer.evidence.construct import started, training_from
    from explorer.training.trainer import Trainer

    recipe = Recipe(seed=SEED, device="cpu")
    if net == BUILT:
        return training_from(started("untrained", 56, recipe), recipe, digits())
    return Trainer(NetSpec.parse(net, in_channels=1), recipe, digits())


def _loaded(net: str, trainer: Trainer) -> LoadedNet:
    from explorer.data.sources import digits
    from explorer.nets.loaded_net import LoadedNet

    classes = tuple(digits().classes)
    return LoadedNet(net, net, trainer.net.eval(), trainer.normalisation, classes, 8, True, "")


def _save(trainer: Trainer, path: Path, error_pct: float) -> None:
    from explorer.data.sources import digits
    from explorer.nets.saving import save_checkpoint

    path.parent.mkdir(parents=True, exist_ok=True)
    recipe: Mapping[str, Any] = {**trainer.recipe.to_dict(), "start": "untrained plain-20 + identity blocks"}
    save_checkpoint(
        path, trainer.net, normalisation=trainer.normalisation, classes=digits().classes, recipe=recipe,
        metrics={"train_error_pct": error_pct}, dataset="digits", image_size=8, half=True,
    )  # fmt: skip
