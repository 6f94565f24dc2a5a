"""Published weights, of ImageNet's and CIFAR's nets: fetched once into a folder of the user's, and checked.

A file is read only when its sha256 begins as its name says; then by `torch.load` with `weights_only=True`,
and its tensors are compared with the net's before they are used.
"""

from __future__ import annotations

import hashlib
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from urllib.error import HTTPError, URLError

import torch

from explorer.nets.conversion import from_torchvision
from explorer.nets.imagenet import ImageNet
from explorer.nets.normalisation import Normalisation
from explorer.nets.published_cifar import PUBLISHER, PublishedCifarNet
from explorer.nets.published_imagenet import PublishedNet

Progress = Callable[[float, float], None]
About = PublishedNet | PublishedCifarNet
_POLL_S = 0.2
_SILENCE_S = 30
_MIB = 2**20


class WeightsError(ValueError):
    """Published weights cannot be had; the text says why and what to do."""


def load_published(about: PublishedNet, folder: Path) -> ImageNet:
    """The net with its published weights, in eval mode.

    Raises:
        WeightsError: they are not in the folder, or the file there is not the published one.
    """
    path = folder / about.file
    if not about.file:
        raise WeightsError(
            f"Nobody has published weights of {about.title}; open it with random weights to see its design."
        )
    if not path.is_file():
        raise WeightsError(
            f"The published weights of {about.title} are not here yet. {how_to_get(about, folder)}"
        )
    _check_hash(about, path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            state = torch.load(path, map_location="cpu", weights_only=True)
        return from_torchvision(about, state)
    except Exception:  # noqa: BLE001 - torch's own text tells people to switch the protection off
        raise WeightsError(f"{path.name} is damaged. Delete it, then: {how_to_get(about, folder)}") from None


def published_file(about: PublishedCifarNet, folder: Path) -> Path:
    """The file of a CIFAR net, once it is here and its hash is right; a checkpoint reader opens it.

    Raises:
        WeightsError: it is not in the folder, or the file there is not the published one.
    """
    path = folder / about.file
    if not path.is_file():
        raise WeightsError(
            f"The published weights of {about.title} are not here yet. {how_to_get(about, folder)}"
        )
    _check_hash(about, path)
    return path


def fetch_published(
    about: About, folder: Path, progress: Progress | None = None, url: str | None = None
) -> Path:
    """Fetch the published weights, unless they are there; what was fetched is checked before it counts.

    Args:
        about: a net that has published weights.
        folder: gets the file; made if need be.
        progress: told the MiB that have come and the MiB that there are, a few times a second.
        url: where else than at its publisher's address.

    Raises:
        WeightsError: there is no connection, no space, or another file at that address.
    """
    path = folder / about.file
    if path.is_file():
        return path
    source = url or _address(about)
    failed: list[BaseException] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for stale in folder.glob(f"{about.file}.*.partial"):
            stale.unlink(missing_ok=True)
    except OSError as error:
        raise WeightsError(
            f"{folder} cannot be written ({error.strerror}); free it or choose another."
        ) from None
    # torch.hub fetches into a file beside the target and moves it there once its hash is right
    told = (source, path, about.sha256_start, failed)
    worker = Thread(target=_fetch, name=about.file, args=told, daemon=True)
    worker.start()
    _watch(worker, about, folder, progress)
    if failed:
        raise WeightsError(_why(failed[0], about, folder)) from None
    return path


def how_to_get(about: About, folder: Path) -> str:
    """What a person can do about missing weights."""
    if isinstance(about, PublishedCifarNet):
        return (
            f"Fetch them ({about.mib:.0f} MiB) on the Nets page or with `python -m explorer evaluate "
            f"published:{about.id} --data cifar10`; without a connection, put {about.file} of {PUBLISHER} "
            f"into {folder}."
        )
    return (
        f"Fetch them ({about.mib:.0f} MiB) on the Nets page or with `python -m explorer probe responses "
        f"torchvision:{about.id} …`; without a connection, put {about.file} of torchvision into {folder}, or "
        f"open the net with random weights as untrained:{about.id}."
    )


def labels() -> tuple[tuple[str, ...], Normalisation]:
    """The names of ImageNet's 1,000 classes and the scale of the inputs, from torchvision's metadata."""
    from torchvision.models import ResNet18_Weights

    weights = ResNet18_Weights.IMAGENET1K_V1
    preset = weights.transforms()
    return tuple(weights.meta["categories"]), Normalisation(tuple(preset.mean), tuple(preset.std))


def _address(about: About) -> str:
    if isinstance(about, PublishedCifarNet):
        return about.address
    from torchvision.models import get_model_weights

    return str(get_model_weights(about.id)["IMAGENET1K_V1"].url)


def _fetch(source: str, path: Path, sha256_start: str, failed: list[BaseException]) -> None:
    try:
        torch.hub.download_url_to_file(source, str(path), hash_prefix=sha256_start, progress=False)
    except BaseException as error:  # noqa: BLE001 - said by the thread that waits
        failed.append(error)
        if isinstance(error, HTTPError):
            error.close()


def _watch(worker: Thread, about: About, folder: Path, progress: Progress | None) -> None:
    """Wait for the file; give up where nothing has come for half a minute."""
    had, heard = 0.0, time.monotonic()
    while worker.is_alive():
        worker.join(_POLL_S)
        parts = list(folder.glob(f"{about.file}.*.partial"))
        sizes = [part.stat().st_size for part in parts if part.exists()]
        come = max(sizes, default=0) / _MIB
        if come > had:
            had, heard = come, time.monotonic()
            if progress is not None:
                progress(come, about.mib)
        if worker.is_alive() and time.monotonic() - heard > _SILENCE_S:
            raise WeightsError(
                f"Nothing has come for {_SILENCE_S} s. Check the connection. {how_to_get(about, folder)}"
            )


def _why(error: BaseException, about: About, folder: Path) -> str:
    if isinstance(error, RuntimeError) and "hash" in str(error):
        return f"What came is not the published file of {about.title}: its sha256 differs. Nothing was kept."
    unreached = isinstance(error, URLError | TimeoutError | ConnectionError)
    reason = "no connection" if unreached else "the disk is full or the folder cannot be written"
    return f"The weights of {about.title} cannot be fetched: {reason}. {how_to_get(about, folder)}"


def _check_hash(about: About, path: Path) -> None:
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if not found.startswith(about.sha256_start):
        raise WeightsError(
            f"{path} is not the published file of {about.title}: its sha256 begins with {found[:8]}, not "
            f"{about.sha256_start}. Delete it and fetch it again."
        )
