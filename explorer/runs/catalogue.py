"""Which nets can be looked at? Runs, untrained ones, torchvision's, files; only opening one wakes torch."""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from explorer.nets.published import IMAGE_SIZE as IMAGENET_SIZE
from explorer.nets.published import PUBLISHED, PublishedNet, published
from explorer.nets.spec import Family, NetSpec
from explorer.runs.home import home

if TYPE_CHECKING:
    from explorer.nets.checkpoints import Checkpoint
    from explorer.nets.imagenet import ImageNet
    from explorer.nets.loaded import LoadedNet

Group = Literal["zoo", "mine", "upload", "torchvision", "untrained"]
UNTRAINED = "untrained:"
TORCHVISION = "torchvision:"
UPLOAD = "upload:"
RANDOM = "Random weights: He initialisation, seed 0. Nothing was trained."
DATASET_TITLE = {
    "digits": "digits",
    "cifar10-jpeg": "CIFAR-10 (JPEG)",
    "digits-small": "200 digits",
    "imagenet": "ImageNet",
}
IMAGE_SIZE = {"digits": 8, "digits-validation": 8, "digits-small": 8}
_CIFAR_SIZE = 32


class NetError(ValueError):
    """The net cannot be opened; the text says why and what to do."""


@dataclass(frozen=True)
class NetChoice:
    """One net that can be opened.

    Attributes:
        key: run id; or `untrained:`, `torchvision:` or `upload:` and a name.
        title: the name shown to people.
        group: where it comes from.
        family: plain, residual, preact or highway.
        depth: weighted layers.
        dataset: what it was trained on; empty where it was not, or where nobody says.
        checkpoint: the file of a run's weights.
        image_size: side of its inputs in pixels.
        seed: of a run.
    """

    key: str
    title: str
    group: Group
    family: str
    depth: int
    dataset: str
    checkpoint: str | None = None
    image_size: int = _CIFAR_SIZE
    seed: int = 0


def trained_nets(runs: pd.DataFrame) -> list[NetChoice]:
    """Every run with weights, colour before grey, then by depth and family.

    Args:
        runs: columns as `RUN_COLUMNS`.
    """
    found = [_choice(row) for row in runs.to_dict("records") if row["checkpoint"]]
    return sorted(
        found,
        key=lambda net: (net.group != "zoo", net.dataset == "digits", net.depth, net.family != "residual"),
    )


def weights_folder() -> Path:
    """Where published weights are kept; it may not exist yet."""
    return home() / "torchvision"


def published_nets() -> list[NetChoice]:
    """The ImageNet nets whose published weights are here."""
    folder = weights_folder()
    return [_of_torchvision(net) for net in PUBLISHED.values() if net.file and (folder / net.file).is_file()]


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
    return NetChoice(
        UNTRAINED + spec.id, f"{spec.title}, untrained", "untrained", spec.family, spec.depth, ""
    )


def find_net(choices: Sequence[NetChoice], key: str) -> NetChoice:
    """The choice of that key.

    Raises:
        ValueError: there is none; the text says what to do.
    """
    if key.startswith(UNTRAINED):
        return untrained(key.removeprefix(UNTRAINED))
    if key.startswith(TORCHVISION):
        return _of_torchvision(published(key.removeprefix(TORCHVISION)))
    for choice in choices:
        if choice.key == key:
            return choice
    raise NetError(f"There is no net '{key[:80]}' here. Choose another from the list.")


def named_net(name: str, runs: pd.DataFrame, data: str = "") -> tuple[LoadedNet, str]:
    """The net that a person means by `name`, and a remark on what had to be assumed.

    Args:
        name: key of a choice, id of a net, or path of a checkpoint.
        runs: columns as `RUN_COLUMNS`.
        data: of several trained nets of one id, one trained on this dataset is preferred.

    Raises:
        NetError: nothing has that name.
        CheckpointError: the file cannot be read or trusted.
        WeightsError: published weights are not here.
    """
    choices = trained_nets(runs)
    if name.startswith((UNTRAINED, TORCHVISION)) or any(choice.key == name for choice in choices):
        return open_net(find_net(choices, name)), ""
    if Path(name).exists():
        path = Path(name)
        return open_file(path, path.name, path.name), ""
    try:
        spec = NetSpec.parse(name)
    except ValueError as error:
        raise NetError(
            f"'{name[:80]}' is no run and no file; `python -m explorer runs list` shows the runs. {error}"
        ) from None
    trained = trained_nets(runs[runs["checkpoint"].notna() & (runs["id"] == spec.id)])
    if trained:
        taken = min(trained, key=lambda net: net.dataset != data)
        return open_net(taken), f"took the trained net {taken.key}: {taken.title}."
    return open_net(untrained(name)), f"{spec.title} has no trained weights here: taken untrained, seed 0."


def open_net(choice: NetChoice) -> LoadedNet:
    """Read or build the net; an upload is opened by `open_upload` alone.

    Raises:
        CheckpointError: its file cannot be read or trusted.
        WeightsError: published weights are not here.
    """
    from explorer.nets.checkpoints import load_checkpoint

    if choice.group == "untrained":
        return _built(choice)
    if choice.group == "torchvision":
        return _published(choice)
    if choice.checkpoint is None:
        raise NetError(f"{choice.title} is not kept here any more. Upload it again on the Nets page.")
    kept = load_checkpoint(Path(choice.checkpoint))
    origin = f"Trained here on {DATASET_TITLE.get(choice.dataset, choice.dataset)}; run {choice.key}."
    return _loaded(kept, choice, origin)


def open_file(path: Path, key: str, name: str, family: Family | None = None) -> LoadedNet:
    """A checkpoint that somebody brought, called `name`.

    Raises:
        CheckpointError: it cannot be read or trusted.
    """
    from explorer.nets.checkpoints import load_checkpoint

    kept = load_checkpoint(path, family=family)
    spec, dataset = kept.spec, kept.dataset or ""
    title = f"{spec.title}, your file {name}"
    size = IMAGE_SIZE.get(dataset, _CIFAR_SIZE)
    choice = NetChoice(key, title, "upload", spec.family, spec.depth, dataset, image_size=size)
    published_elsewhere = " It was published elsewhere." if kept.origin == "published" else ""
    unscaled = (
        "" if kept.normalisation else " It does not say how its inputs were normalised: mean 0.5, std 0.25."
    )
    return _loaded(kept, choice, f"From the file {name}.{published_elsewhere}{unscaled}")


def open_upload(content: bytes, name: str, family: Family | None = None) -> LoadedNet:
    """A checkpoint that came as bytes; nothing of it stays on the disk.

    Args:
        content: the whole file.
        name: what its owner calls it; shown, and cleaned before it names a file.
        family: plain or residual, for a file that does not say.

    Raises:
        CheckpointError: it cannot be read or trusted.
    """
    key = f"{UPLOAD}{hashlib.sha256(content).hexdigest()[:12]}" + (f"-{family}" if family else "")
    shown = "".join(letter if letter.isprintable() else " " for letter in name)[-60:]
    with tempfile.TemporaryDirectory(prefix="upload-", ignore_cleanup_errors=True) as folder:
        path = Path(folder) / (re.sub(r"[^\w.-]", "_", name).lstrip(".")[-60:] or "checkpoint")
        path.write_bytes(content)
        return open_file(path, key, shown, family)


def upload_choice(loaded: LoadedNet) -> NetChoice:
    """How an opened upload stands in the list."""
    spec = loaded.net.spec
    assert isinstance(spec, NetSpec)
    return NetChoice(
        loaded.key, loaded.title, "upload", spec.family, spec.depth, "", image_size=loaded.image_size
    )


def _loaded(kept: Checkpoint, choice: NetChoice, origin: str) -> LoadedNet:
    from explorer.nets.loaded import LoadedNet
    from explorer.nets.normalisation import Normalisation

    channels = kept.spec.in_channels
    return LoadedNet(
        key=choice.key,
        title=choice.title,
        net=kept.net,
        normalisation=kept.normalisation or Normalisation((0.5,) * channels, (0.25,) * channels),
        classes=kept.classes or _numbered(kept.spec.classes),
        image_size=kept.image_size or choice.image_size,
        trained=True,
        origin=origin,
    )


def _built(choice: NetChoice) -> LoadedNet:
    from explorer.nets.build import build
    from explorer.nets.imagenet import build_imagenet
    from explorer.nets.loaded import LoadedNet
    from explorer.nets.normalisation import Normalisation

    name = choice.key.removeprefix(UNTRAINED)
    if name in PUBLISHED:
        return _labelled(build_imagenet(published(name)).eval(), choice, RANDOM)
    spec = NetSpec.parse(name)
    plain = Normalisation((0.5,) * spec.in_channels, (0.25,) * spec.in_channels)
    net, names = build(spec, 0).eval(), _numbered(spec.classes)
    return LoadedNet(choice.key, choice.title, net, plain, names, choice.image_size, False, RANDOM)


def _published(choice: NetChoice) -> LoadedNet:
    from explorer.nets.weights import load_published

    about = published(choice.key.removeprefix(TORCHVISION))
    variant = f" Note: {about.variant}." if about.variant else ""
    origin = f"Published by torchvision (IMAGENET1K_V1, {about.file}), trained on ImageNet.{variant}"
    return _labelled(load_published(about, weights_folder()), choice, origin)


def _labelled(net: ImageNet, choice: NetChoice, origin: str) -> LoadedNet:
    from explorer.nets.loaded import LoadedNet
    from explorer.nets.weights import labels

    names, normalisation = labels()
    trained = choice.group == "torchvision"
    return LoadedNet(choice.key, choice.title, net, normalisation, names, IMAGENET_SIZE, trained, origin)


def _numbered(classes: int) -> tuple[str, ...]:
    return tuple(f"class {number}" for number in range(classes))


def _of_torchvision(net: PublishedNet) -> NetChoice:
    return NetChoice(
        TORCHVISION + net.id, f"{net.title}, torchvision", "torchvision", net.family, net.depth, "imagenet",
        image_size=IMAGENET_SIZE,
    )  # fmt: skip


def _choice(row: dict[Any, Any]) -> NetChoice:
    spec, dataset = NetSpec.from_dict(row["spec"]), str(row["dataset"])
    size = row["provenance"].get("image_size") or IMAGE_SIZE.get(dataset, _CIFAR_SIZE)
    return NetChoice(
        key=str(row["run_id"]),
        title=f"{spec.title}, {DATASET_TITLE.get(dataset, dataset)}, seed {row['seed']}",
        group="zoo" if row["source"] == "zoo" else "mine",
        family=spec.family,
        depth=spec.depth,
        dataset=dataset,
        checkpoint=str(row["checkpoint"]),
        image_size=int(size),
        seed=int(row["seed"]),
    )
