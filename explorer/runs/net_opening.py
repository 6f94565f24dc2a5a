"""From a choice, a name or a file to a net ready to be looked at; opening one wakes torch."""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from explorer.data import facts
from explorer.data.cifar import CIFAR10_CLASSES
from explorer.nets.checkpoint_reading import Assumption, Reading
from explorer.nets.families import Family
from explorer.nets.published_cifar import LICENCE, PUBLISHER, SCALE, published_cifar
from explorer.nets.published_imagenet import CLASSES, PUBLISHED, PublishedNet, published, published_like
from explorer.nets.published_imagenet import IMAGE_SIZE as IMAGENET_SIZE
from explorer.nets.spec import NetSpec
from explorer.nets.zipped_checkpoint import inside
from explorer.runs import weight_files
from explorer.runs.artifacts import brought
from explorer.runs.net_catalogue import (
    PUBLISHED_NET,
    TORCHVISION,
    UNTRAINED,
    UPLOAD,
    NetChoice,
    NetError,
    cifar_folder,
    find_net,
    trained_nets,
    untrained,
    weights_folder,
)

if TYPE_CHECKING:
    from explorer.nets.checkpoints import Checkpoint, VggCheckpoint
    from explorer.nets.imagenet import ImageNet
    from explorer.nets.loaded_net import LoadedNet
    from explorer.nets.normalisation import Normalisation

BY_NAME = (UNTRAINED, TORCHVISION, PUBLISHED_NET)
"""What the keys of nets begin with that are opened by their name alone."""
RANDOM = "Random weights: He initialisation, seed 0. Nothing was trained."


def named_net(
    name: str, runs: pd.DataFrame, data: str = "", reading: Reading | None = None
) -> tuple[LoadedNet, str]:
    """The net that a person means by `name`, and a remark on what had to be assumed.

    Args:
        name: key of a choice, id of a net, or path of a checkpoint.
        runs: columns as `RUN_COLUMNS`.
        data: of several trained nets of one id, one trained on this dataset is preferred.
        reading: how a checkpoint is to be read; of another net only its scale and size can be given.

    Raises:
        NetError: nothing has that name, or a reading is given that only a file can have.
        CheckpointError: the file cannot be read or trusted.
        WeightsError: published weights are not here.
    """
    asked = reading or Reading()
    choices = trained_nets(runs)
    listed = _is_listed(name, choices)
    if not listed and Path(name).exists():
        path = Path(name)
        return open_file(path, path.name, path.name, reading=asked), ""
    loaded, note = _listed_net(name, runs, choices, data)
    return _as_given(loaded, asked), note


def _listed_net(name: str, runs: pd.DataFrame, choices: list[NetChoice], data: str) -> tuple[LoadedNet, str]:
    if _is_listed(name, choices):
        return open_net(find_net(choices, name)), ""
    try:
        spec = NetSpec.parse(name)
    except ValueError as error:
        raise NetError(
            f"'{name[:80]}' is neither a run nor a file; `python -m explorer runs list` shows the "
            f"runs. {error}"
        ) from None
    trained = trained_nets(runs[runs["checkpoint"].notna() & (runs["id"] == spec.id)])
    if trained:
        taken = min(trained, key=lambda net: net.dataset != data)
        return open_net(taken), f"took the trained net {taken.key}: {taken.title}."
    return open_net(untrained(name)), f"{spec.title} has no trained weights here: taken untrained, seed 0."


def _is_listed(name: str, choices: list[NetChoice]) -> bool:
    run_id = name.partition(weight_files.AT)[0]
    return name.startswith(BY_NAME) or any(choice.key == run_id for choice in choices)


def _as_given(loaded: LoadedNet, asked: Reading) -> LoadedNet:
    """The net with the scale and the size that a person gives."""
    if asked != Reading(normalisation=asked.normalisation, image_size=asked.image_size):
        raise NetError(
            f"{loaded.title} says itself what it is: family, padding, projection and weights are for "
            "checkpoint files that others saved."
        )
    if asked.normalisation is not None:
        _check_channels(loaded.in_channels, asked)
        loaded = replace(loaded, normalisation=asked.normalisation)
    if asked.image_size is not None:
        loaded = replace(loaded, image_size=asked.image_size, sized=True)
    return loaded


def _check_channels(channels: int, asked: Reading) -> None:
    given = asked.normalisation
    if given is not None and len(given.mean) != channels:
        raise NetError(
            f"The net takes {channels} channels, and the mean and std given are for {len(given.mean)}."
        )


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
    if choice.group == "published":
        return _published_cifar(choice)
    if choice.checkpoint is None:
        raise NetError(f"{choice.title} is not kept here any more. Upload it again on the Nets page.")
    if choice.epoch is not None:
        return _of_epoch(choice, Path(choice.checkpoint), choice.epoch)
    kept = load_checkpoint(brought(Path(choice.checkpoint)))
    origin = f"Trained here on {facts.title(choice.dataset, short=True)}; run {choice.key}."
    return _loaded(kept, choice, origin)


def _of_epoch(choice: NetChoice, path: Path, epoch: int) -> LoadedNet:
    from explorer.nets.build import build
    from explorer.nets.loaded_net import LoadedNet
    from explorer.nets.normalisation import Normalisation
    from explorer.nets.weight_history import rebuild

    about = weight_files.about(path)
    rows = pd.read_parquet(path, filters=[("epoch", "<=", epoch)])
    net = build(NetSpec.from_dict(about["spec"]), 0).eval()
    net.load_state_dict(rebuild(rows, epoch))
    origin = (
        f"Weights after epoch {epoch} of {about['epochs'][-1]}: run {about['run_id']} trained again with the "
        f"same recipe and seed. They are kept as small changes from epoch to epoch; the test error of these "
        f"is within {about['largest_difference_points']:.1f} points of the exact weights' at every epoch."
    )
    return LoadedNet(
        key=choice.key, title=choice.title, net=net, trained=epoch > 0, origin=origin,
        normalisation=Normalisation.from_dict(about["normalisation"]), classes=tuple(about["classes"]),
        image_size=int(about["image_size"]),
    )  # fmt: skip


def open_file(
    path: Path, key: str, name: str, family: Family | None = None, *, reading: Reading | None = None
) -> LoadedNet:
    """A checkpoint that somebody brought, called `name`; also one alone in a zip.

    Raises:
        CheckpointError: it cannot be read or trusted.
    """
    from explorer.nets.checkpoints import VggCheckpoint, load_any

    asked = reading or Reading()
    if family is not None:
        asked = replace(asked, family=family)
    with inside(path) as (found, note):
        kept = load_any(found, reading=asked)
    if isinstance(kept, VggCheckpoint):
        return _as_given(_of_photographs(kept, key, name), asked)
    return _brought(kept, key, name, asked, note)


def other_readings_of(path: Path, name: str, reading: Reading) -> list[tuple[Reading, LoadedNet]]:
    """The file's net by every reading that the file leaves open, the one that `open_file` takes first.

    Raises:
        CheckpointError: it cannot be read or trusted.
    """
    from explorer.nets.checkpoints import load_readings

    with inside(path) as (found, note):
        return [
            (way, _brought(kept, name, name, reading, note)) for way, kept in load_readings(found, reading)
        ]


def _brought(kept: Checkpoint, key: str, name: str, asked: Reading, note: str) -> LoadedNet:
    like = published_like(kept.spec)
    dataset = kept.dataset or ""
    title = f"{like.title if like else kept.spec.title}, your file {name}"
    assumed = [*kept.assumptions, *_guessed(kept, asked)]
    usual = IMAGENET_SIZE if kept.spec.design.imagenet_stem else facts.image_size(dataset)
    spec = kept.spec
    choice = NetChoice(
        key, title, "upload", spec.family, spec.depth, dataset, image_size=asked.image_size or usual
    )
    loaded = _loaded(kept, choice, _origin(kept, like, name, assumed), asked)
    if like is not None and like.file and spec.classes == CLASSES and kept.classes is None:
        loaded = _with_labels(loaded)
    notes = (*([note] if note else []), *kept.notes)
    return replace(loaded, assumptions=tuple(assumed), notes=notes, sized=asked.image_size is not None)


def _origin(kept: Checkpoint, like: PublishedNet | None, name: str, assumed: list[Assumption]) -> str:
    """One paragraph on where the weights come from, and on what was assumed."""
    told = [f"From the file {name}."]
    if like is not None and like.file:
        told.append(f"It is torchvision's {like.title} by its tensors' shapes.")
        if kept.spec.classes == CLASSES:
            told.append(
                f"So with ImageNet's classes. Whether its weights are the published ones ({like.file}) was "
                "not checked."
            )
        if like.variant:
            told.append(f"Note: {like.variant}.")
    elif kept.origin == "published":
        told.append("It was published elsewhere.")
    return " ".join([*told, *(f"{found.text}." for found in assumed)])


def _guessed(kept: Checkpoint, asked: Reading) -> list[Assumption]:
    """What neither the file nor its names tell: the scale of its inputs, and their size."""
    found = []
    if kept.normalisation is None and asked.normalisation is None:
        scale = _unknown_scale(kept.spec.in_channels)
        text = f"It does not say how its inputs were normalised: {scale.said()} were taken"
        found.append(Assumption("normalisation", scale.said(), (), text, guess=True))
    if kept.image_size is None and asked.image_size is None and kept.origin == "published":
        large = kept.spec.design.imagenet_stem
        size, why = (IMAGENET_SIZE, "its stem is that of nets for photographs") if large else (
            facts.USUAL_SIZE, "its stem keeps the size, as CIFAR's nets do")  # fmt: skip
        text = f"Its inputs were taken to be {size} pixels wide and high, since {why}"
        found.append(Assumption("image_size", str(size), (), text))
    return found


def _unknown_scale(channels: int) -> Normalisation:
    from explorer.nets.normalisation import Normalisation

    return Normalisation((0.5,) * channels, (0.25,) * channels)


def _with_labels(loaded: LoadedNet) -> LoadedNet:
    from explorer.nets.weights import labels

    return replace(loaded, classes=labels()[0])


def open_upload(
    content: bytes, name: str, family: Family | None = None, *, reading: Reading | None = None
) -> LoadedNet:
    """A checkpoint that came as bytes; nothing of it stays on the disk.

    Args:
        content: the whole file.
        name: what its owner calls it; shown, and cleaned before it names a file.
        family: plain or residual, for a file that does not say.
        reading: all that its owner says about it.

    Raises:
        CheckpointError: it cannot be read or trusted.
    """
    asked = reading or Reading()
    asked = replace(asked, family=family) if family else asked
    said = asked.said()
    way = f"-{hashlib.sha256(said.encode()).hexdigest()[:6]}" if said else ""
    key = f"{UPLOAD}{hashlib.sha256(content).hexdigest()[:12]}{way}"
    with _on_disk(content, name) as path:
        return open_file(path, key, _shown(name), reading=asked)


def upload_readings(content: bytes, name: str, reading: Reading) -> list[tuple[Reading, LoadedNet]]:
    """As `other_readings_of`, of a checkpoint that came as bytes."""
    with _on_disk(content, name) as path:
        return other_readings_of(path, _shown(name), reading)


@contextmanager
def _on_disk(content: bytes, name: str) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="upload-", ignore_cleanup_errors=True) as folder:
        path = Path(folder) / (re.sub(r"[^\w.-]", "_", name).lstrip(".")[-60:] or "checkpoint")
        path.write_bytes(content)
        yield path


def _shown(name: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in name)[-60:]


def upload_choice(loaded: LoadedNet) -> NetChoice:
    """How an opened upload stands in the list."""
    from explorer.nets.cost_measured import design_of

    about = design_of(loaded.net)
    dataset = "imagenet" if len(loaded.classes) == CLASSES and loaded.classes[0] != "class 0" else ""
    return NetChoice(
        loaded.key, loaded.title, "upload", about.family, about.depth, dataset, image_size=loaded.image_size
    )


def _of_photographs(kept: VggCheckpoint, key: str, name: str) -> LoadedNet:
    about = kept.about
    choice = NetChoice(
        key, f"{about.title}, your file {name}", "upload", about.family, about.depth, "imagenet",
        image_size=IMAGENET_SIZE,
    )  # fmt: skip
    origin = (
        f"From the file {name}: torchvision's {about.title} by its tensors, so with ImageNet's classes and "
        f"normalisation. Whether its weights are the published ones ({about.file}) was not checked."
    )
    return _labelled(kept.net, choice, origin)


def _loaded(kept: Checkpoint, choice: NetChoice, origin: str, asked: Reading | None = None) -> LoadedNet:
    from explorer.nets.loaded_net import LoadedNet

    given = asked or Reading()
    _check_channels(kept.spec.in_channels, given)
    return LoadedNet(
        key=choice.key,
        title=choice.title,
        net=kept.net,
        normalisation=given.normalisation or kept.normalisation or _unknown_scale(kept.spec.in_channels),
        classes=kept.classes or _numbered(kept.spec.classes),
        image_size=given.image_size or kept.image_size or choice.image_size,
        trained=True,
        origin=origin,
    )


def _built(choice: NetChoice) -> LoadedNet:
    from explorer.nets.build import build
    from explorer.nets.imagenet import build_imagenet
    from explorer.nets.loaded_net import LoadedNet

    name = choice.key.removeprefix(UNTRAINED)
    if name in PUBLISHED:
        return _labelled(build_imagenet(published(name)).eval(), choice, RANDOM)
    spec = NetSpec.parse(name)
    plain = _unknown_scale(spec.in_channels)
    net, names = build(spec, 0).eval(), _numbered(spec.classes)
    return LoadedNet(choice.key, choice.title, net, plain, names, choice.image_size, False, RANDOM)


def _published(choice: NetChoice) -> LoadedNet:
    from explorer.nets.weights import load_published

    about = published(choice.key.removeprefix(TORCHVISION))
    variant = f" Note: {about.variant}." if about.variant else ""
    origin = f"Published by torchvision (IMAGENET1K_V1, {about.file}), trained on ImageNet.{variant}"
    return _labelled(load_published(about, weights_folder()), choice, origin)


def _published_cifar(choice: NetChoice) -> LoadedNet:
    from explorer.nets.checkpoints import Checkpoint, load_any
    from explorer.nets.weights import published_file

    about = published_cifar(choice.key.removeprefix(PUBLISHED_NET))
    reading = Reading(family="residual", padding="both", normalisation=SCALE)
    kept = load_any(published_file(about, cifar_folder()), reading=reading)
    assert isinstance(kept, Checkpoint)
    origin = (
        f"Published by {PUBLISHER} ({about.file}; {LICENCE}), trained on CIFAR-10's 50,000 training images; "
        f"its publisher states a test error of {about.error_pct:g} %."
    )
    return replace(_loaded(kept, choice, origin, reading), classes=CIFAR10_CLASSES)


def _labelled(net: ImageNet, choice: NetChoice, origin: str) -> LoadedNet:
    from explorer.nets.loaded_net import LoadedNet
    from explorer.nets.weights import labels

    names, normalisation = labels()
    trained = choice.group != "untrained"
    return LoadedNet(choice.key, choice.title, net, normalisation, names, IMAGENET_SIZE, trained, origin)


def _numbered(classes: int) -> tuple[str, ...]:
    return tuple(f"class {number}" for number in range(classes))
