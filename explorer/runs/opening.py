"""How does a choice, a name or a file become a net ready to be looked at? Opening one wakes torch."""

from __future__ import annotations

import hashlib
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from explorer.data import facts
from explorer.nets.published import IMAGE_SIZE as IMAGENET_SIZE
from explorer.nets.published import PUBLISHED, PublishedNet, published
from explorer.nets.spec import Family, NetSpec
from explorer.runs.catalogue import (
    TORCHVISION,
    UNTRAINED,
    UPLOAD,
    NetChoice,
    NetError,
    find_net,
    trained_nets,
    untrained,
    weights_folder,
)

if TYPE_CHECKING:
    from explorer.nets.checkpoints import Checkpoint
    from explorer.nets.imagenet import ImageNet
    from explorer.nets.loaded import LoadedNet

RANDOM = "Random weights: He initialisation, seed 0. Nothing was trained."


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
    origin = f"Trained here on {facts.title(choice.dataset, short=True)}; run {choice.key}."
    return _loaded(kept, choice, origin)


def open_file(path: Path, key: str, name: str, family: Family | None = None) -> LoadedNet:
    """A checkpoint that somebody brought, called `name`.

    Raises:
        CheckpointError: it cannot be read or trusted.
    """
    from explorer.nets.checkpoints import Checkpoint, load_any

    kept = load_any(path, family=family)
    if not isinstance(kept, Checkpoint):
        return _of_photographs(kept, key, name)
    spec, dataset = kept.spec, kept.dataset or ""
    title = f"{spec.title}, your file {name}"
    size = facts.image_size(dataset)
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
    from explorer.nets.imagenet import ImageNet

    net = loaded.net
    about = net.about if isinstance(net, ImageNet) else net.spec
    assert isinstance(about, NetSpec | PublishedNet)
    dataset = "imagenet" if isinstance(net, ImageNet) else ""
    return NetChoice(
        loaded.key, loaded.title, "upload", about.family, about.depth, dataset, image_size=loaded.image_size
    )


def _of_photographs(net: ImageNet, key: str, name: str) -> LoadedNet:
    about = net.about
    choice = NetChoice(
        key, f"{about.title}, your file {name}", "upload", about.family, about.depth, "imagenet",
        image_size=IMAGENET_SIZE,
    )  # fmt: skip
    variant = f" Note: {about.variant}." if about.variant else ""
    origin = (
        f"From the file {name}: torchvision's {about.title} by its tensors, so with ImageNet's classes and "
        f"normalisation. Whether its weights are the published ones ({about.file}) was not checked.{variant}"
    )
    return _labelled(net, choice, origin)


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
    trained = choice.group != "untrained"
    return LoadedNet(choice.key, choice.title, net, normalisation, names, IMAGENET_SIZE, trained, origin)


def _numbered(classes: int) -> tuple[str, ...]:
    return tuple(f"class {number}" for number in range(classes))
