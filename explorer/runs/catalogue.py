"""Which nets can be looked at? The zoo's, the user's own and untrained ones; only opening one wakes torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from explorer.nets.spec import NetSpec

if TYPE_CHECKING:
    from explorer.nets.checkpoints import Checkpoint
    from explorer.nets.loaded import LoadedNet

Group = Literal["zoo", "mine", "untrained"]
UNTRAINED = "untrained:"
DATASET_TITLE = {"digits": "digits", "cifar10-jpeg": "CIFAR-10 (JPEG)", "digits-small": "200 digits"}
IMAGE_SIZE = {"digits": 8, "digits-validation": 8, "digits-small": 8}
_CIFAR_SIZE = 32


class NetError(ValueError):
    """The net cannot be opened; the text says why and what to do."""


@dataclass(frozen=True)
class NetChoice:
    """One net that can be opened.

    Attributes:
        key: run id, or `untrained:` and a net id.
        title: the name shown to people.
        group: where it comes from.
        family: plain, residual, preact or highway.
        depth: weighted layers.
        dataset: what it was trained on, or would be.
        checkpoint: its file, or None for an untrained net.
    """

    key: str
    title: str
    group: Group
    family: str
    depth: int
    dataset: str
    checkpoint: str | None = None


def trained_nets(runs: pd.DataFrame) -> list[NetChoice]:
    """Every run with weights, colour before grey, then by family and depth.

    Args:
        runs: columns as `RUN_COLUMNS`.
    """
    found = [_choice(row) for row in runs.to_dict("records") if row["checkpoint"]]
    return sorted(
        found,
        key=lambda net: (net.group != "zoo", net.dataset == "digits", net.depth, net.family != "residual"),
    )


def untrained(net: str) -> NetChoice:
    """A net at initialisation, for colour images of 32 pixels.

    Raises:
        ValueError: the id names no net.
    """
    spec = NetSpec.parse(net)
    return NetChoice(
        UNTRAINED + spec.id, f"{spec.title}, untrained", "untrained", spec.family, spec.depth, ""
    )


def find_net(choices: Sequence[NetChoice], key: str) -> NetChoice:
    """The choice of that key.

    Raises:
        NetError: there is none.
    """
    if key.startswith(UNTRAINED):
        return untrained(key.removeprefix(UNTRAINED))
    for choice in choices:
        if choice.key == key:
            return choice
    raise NetError(f"There is no net '{key[:80]}' here. Choose another from the list.")


def named_net(name: str, runs: pd.DataFrame) -> tuple[LoadedNet, str]:
    """The net that a person means by `name`, and a remark on what had to be assumed.

    Args:
        name: key of a choice, id of a net, or path of a checkpoint.
        runs: columns as `RUN_COLUMNS`.

    Raises:
        NetError: nothing has that name.
        CheckpointError: the file cannot be read or trusted.
    """
    choices = trained_nets(runs)
    if name.startswith(UNTRAINED) or any(choice.key == name for choice in choices):
        return open_net(find_net(choices, name)), ""
    if Path(name).exists():
        return open_file(Path(name)), ""
    try:
        spec = NetSpec.parse(name)
    except ValueError as error:
        raise NetError(
            f"'{name[:80]}' is no run and no file; `python -m explorer runs list` shows the runs. {error}"
        ) from None
    runs = runs[runs["checkpoint"].notna() & (runs["id"] == spec.id)]
    trained = trained_nets(runs)
    if trained:
        return open_net(trained[0]), f"took the trained net {trained[0].key}: {trained[0].title}."
    return open_net(untrained(name)), f"{spec.title} has no trained weights here: taken untrained, seed 0."


def open_file(path: Path) -> LoadedNet:
    """A checkpoint that somebody brought.

    Raises:
        CheckpointError: it cannot be read or trusted.
    """
    from explorer.nets.checkpoints import load_checkpoint

    kept = load_checkpoint(path)
    title = f"{kept.spec.title}, {path.name}"
    return _loaded(kept, path.name, title, kept.dataset or "", f"From the file {path.name}.")


def open_net(choice: NetChoice) -> LoadedNet:
    """Read or build the net.

    Raises:
        CheckpointError: its file cannot be read or trusted.
    """
    from explorer.nets.build import build
    from explorer.nets.checkpoints import load_checkpoint
    from explorer.nets.loaded import LoadedNet
    from explorer.nets.normalisation import Normalisation

    if choice.checkpoint is None:
        spec = NetSpec.parse(choice.key.removeprefix(UNTRAINED))
        plain = Normalisation((0.5,) * spec.in_channels, (0.25,) * spec.in_channels)
        names = tuple(f"class {number}" for number in range(spec.classes))
        return LoadedNet(
            choice.key, choice.title, build(spec, 0).eval(), plain, names, _CIFAR_SIZE, False,
            "Random weights: He initialisation, seed 0. Nothing was trained.",
        )  # fmt: skip
    kept = load_checkpoint(Path(choice.checkpoint))
    origin = f"Trained here on {DATASET_TITLE.get(choice.dataset, choice.dataset)}; run {choice.key}."
    return _loaded(kept, choice.key, choice.title, choice.dataset, origin)


def _loaded(kept: Checkpoint, key: str, title: str, dataset: str, origin: str) -> LoadedNet:
    from explorer.nets.loaded import LoadedNet
    from explorer.nets.normalisation import Normalisation

    channels = kept.spec.in_channels
    return LoadedNet(
        key=key,
        title=title,
        net=kept.net,
        normalisation=kept.normalisation or Normalisation((0.5,) * channels, (0.25,) * channels),
        classes=kept.classes or tuple(f"class {number}" for number in range(kept.spec.classes)),
        image_size=IMAGE_SIZE.get(dataset, _CIFAR_SIZE),
        trained=True,
        origin=origin,
    )


def _choice(row: dict[Any, Any]) -> NetChoice:
    spec = NetSpec.from_dict(row["spec"])
    dataset = str(row["dataset"])
    title = f"{spec.title}, {DATASET_TITLE.get(dataset, dataset)}, seed {row['seed']}"
    group: Group = "zoo" if row["source"] == "zoo" else "mine"
    return NetChoice(
        str(row["run_id"]), title, group, spec.family, spec.depth, dataset, str(row["checkpoint"])
    )
