"""Nets that can be looked at: runs, untrained ones, published ones; `net_opening.py` opens them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from explorer.data import facts
from explorer.nets.published_cifar import PUBLISHED_CIFAR, PublishedCifarNet, published_cifar
from explorer.nets.published_imagenet import IMAGE_SIZE as IMAGENET_SIZE
from explorer.nets.published_imagenet import PUBLISHED, PublishedNet, published
from explorer.nets.spec import NetSpec
from explorer.runs import weight_files
from explorer.runs.run_paths import home

Group = Literal["zoo", "mine", "upload", "torchvision", "published", "untrained"]
UNTRAINED = "untrained:"
TORCHVISION = "torchvision:"
PUBLISHED_NET = "published:"
UPLOAD = "upload:"


class NetError(ValueError):
    """The net cannot be opened; the text says why and what to do."""


@dataclass(frozen=True)
class NetChoice:
    """One net that can be opened.

    Attributes:
        key: run id; or `untrained:`, `torchvision:`, `published:` or `upload:` and a name.
        title: the name shown to people.
        group: where it comes from.
        family: plain, residual, preact or highway.
        depth: weighted layers.
        dataset: what it was trained on; empty where it was not, or where nobody says.
        checkpoint: the file of a run's weights.
        image_size: side of its inputs in pixels.
        seed: of a run.
        iterations: that a run was trained for.
        epoch: whose weights are meant; None is the end of training.
    """

    key: str
    title: str
    group: Group
    family: str
    depth: int
    dataset: str
    checkpoint: str | None = None
    image_size: int = facts.USUAL_SIZE
    seed: int = 0
    iterations: int = 0
    epoch: int | None = None


def trained_nets(runs: pd.DataFrame) -> list[NetChoice]:
    """Every run with weights, colour before grey, then by depth and family.

    Args:
        runs: columns as `RUN_COLUMNS`.
    """
    found = _told_apart([_choice(row) for row in runs.to_dict("records") if row["checkpoint"]])
    return sorted(
        found,
        key=lambda net: (net.group != "zoo", net.dataset == "digits", net.depth, net.family != "residual"),
    )


def weights_folder() -> Path:
    """Where published weights are kept; it may not exist yet."""
    return home() / "torchvision"


def published_nets() -> list[NetChoice]:
    """The nets whose published weights are here: CIFAR's, then ImageNet's."""
    folder = weights_folder()
    cifar = [_of_cifar(net) for net in PUBLISHED_CIFAR.values() if is_here(net)]
    large = [_of_torchvision(net) for net in PUBLISHED.values() if net.file and (folder / net.file).is_file()]
    return cifar + large


def is_here(net: PublishedCifarNet) -> bool:
    """Whether the file of a published CIFAR net was fetched, or put into its folder."""
    return (cifar_folder() / net.file).is_file()


def cifar_folder() -> Path:
    """Where published weights of CIFAR nets are kept; it may not exist yet."""
    return home() / "published"


def untrained(net: str) -> NetChoice:
    """A net at initialisation: a CIFAR-style one for colour images of 32 pixels, or one for ImageNet.

    Raises:
        ValueError: the id names no net.
    """
    if net in PUBLISHED:
        about = published(net)
        return NetChoice(
            UNTRAINED + net, f"{about.title}, untrained", "untrained", about.family, about.depth, "",
            image_size=IMAGENET_SIZE,
        )  # fmt: skip
    spec = NetSpec.parse(net)
    size = IMAGENET_SIZE if spec.design.imagenet_stem else facts.USUAL_SIZE
    return NetChoice(
        UNTRAINED + spec.id, f"{spec.title}, untrained", "untrained", spec.family, spec.depth, "",
        image_size=size,
    )  # fmt: skip


def find_net(choices: Sequence[NetChoice], key: str) -> NetChoice:
    """The choice of that key.

    Raises:
        ValueError: there is none; the text says what to do.
    """
    if key.startswith(UNTRAINED):
        return untrained(key.removeprefix(UNTRAINED))
    if key.startswith(TORCHVISION):
        return _of_torchvision(published(key.removeprefix(TORCHVISION)))
    if key.startswith(PUBLISHED_NET):
        return _of_cifar(published_cifar(key.removeprefix(PUBLISHED_NET)))
    name, _, epoch = key.partition(weight_files.AT)
    for choice in choices:
        if choice.key == name:
            return at_epoch(choice, epoch) if epoch else choice
    raise NetError(f"There is no net '{key[:80]}' here. Choose another from the list.")


def at_epoch(choice: NetChoice, epoch: int | str) -> NetChoice:
    """A net as it was after an epoch of its training.

    Raises:
        NetError: its weights of that epoch are not kept.
    """
    there = weight_files.epochs_of(choice.key)
    if str(epoch) not in map(str, there):
        kept = f"Kept are epochs {there[0]} to {there[-1]}" if there else "Its epochs are not kept"
        raise NetError(f"There is no epoch '{str(epoch)[:20]}' of {choice.title}. {kept}.")
    number = int(epoch)
    when = f"after epoch {number}" if number else "before its first step"
    return replace(
        choice, key=f"{choice.key}{weight_files.AT}{number}", title=f"{choice.title}, {when}", epoch=number,
        checkpoint=str(weight_files.history_of(choice.key)),
    )  # fmt: skip


def _of_torchvision(net: PublishedNet) -> NetChoice:
    return NetChoice(
        TORCHVISION + net.id, f"{net.title}, torchvision", "torchvision", net.family, net.depth, "imagenet",
        image_size=IMAGENET_SIZE,
    )  # fmt: skip


def _of_cifar(net: PublishedCifarNet) -> NetChoice:
    return NetChoice(
        PUBLISHED_NET + net.id,
        f"{net.title}, CIFAR-10, published",
        "published",
        "residual",
        net.depth,
        "cifar10",
    )


def _choice(row: dict[Any, Any]) -> NetChoice:
    spec, dataset = NetSpec.from_dict(row["spec"]), str(row["dataset"])
    size = row["provenance"].get("image_size") or facts.image_size(dataset)
    return NetChoice(
        key=str(row["run_id"]),
        title=f"{spec.title}, {facts.title(dataset, short=True)}, seed {row['seed']}",
        group="zoo" if row["source"] == "zoo" else "mine",
        family=spec.family,
        depth=spec.depth,
        dataset=dataset,
        checkpoint=str(row["checkpoint"]),
        image_size=int(size),
        seed=int(row["seed"]),
        iterations=int(row["iterations"]),
    )


def _told_apart(nets: Sequence[NetChoice]) -> list[NetChoice]:
    """Nets of one name that were trained for different lengths say their length."""
    lengths: dict[str, set[int]] = {}
    for net in nets:
        lengths.setdefault(net.title, set()).add(net.iterations)
    return [
        replace(net, title=f"{net.title}, {net.iterations:,} iterations")
        if len(lengths[net.title]) > 1
        else net
        for net in nets
    ]
