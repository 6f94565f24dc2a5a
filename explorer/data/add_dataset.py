"""Adding a dataset under a name, and removing it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from explorer.data import array_cache, registry
from explorer.data.cifar import ARCHIVES, fetch, mirrored
from explorer.data.cifar_files import known_as
from explorer.data.dataset import DataError, Dataset, Progress
from explorer.data.decoding import checked_size
from explorer.data.sampling import parted
from explorer.data.sources import find_source

HELD_OUT = 0.2
MAX_UPLOAD = 64 * 2**20
_SHARD_MARK = b"PAR1"


@dataclass(frozen=True)
class AddRequest:
    """What is to be added.

    Attributes:
        name: what it will be called.
        source: cifar10, cifar100, or the path of a folder or a zip.
        resize: make every image this many pixels wide and high.
        title: what people read; by default the name.
        url: another place to download CIFAR from.
    """

    name: str
    source: str
    resize: int | None = None
    title: str | None = None
    url: str | None = None


def add(
    request: AddRequest, progress: Progress | None = None, downloaded: Progress | None = None
) -> registry.RegisteredDataset:
    """Decode a dataset once and keep it under a name, replacing what had the name before.

    A dataset of one split only gets a second: a fifth of each class's images become the test split.

    Args:
        request: what, and from where.
        progress: told how many images are decoded.
        downloaded: told how many bytes of CIFAR's archive are there.

    Raises:
        DataError: it cannot be read, or the name cannot be used.
    """
    registry.folder_of(request.name)
    if request.name in registry.BUILT_IN or (request.name in registry.CIFAR and not _is_own(request)):
        raise DataError(f"The name {request.name} is taken by the explorer. Choose another.")
    if request.source in registry.CIFAR:
        archive = ARCHIVES[request.source]
        fetch(mirrored(archive, request.url) if request.url else archive, downloaded)
    entry = _measured(request, progress)
    registry.keep(entry)
    return entry


def _is_own(request: AddRequest) -> bool:
    """Whether a name of CIFAR is wanted for CIFAR itself."""
    return request.source == request.name or known_as(Path(request.source).expanduser()) == request.name


def _measured(request: AddRequest, progress: Progress | None) -> registry.RegisteredDataset:
    path = (
        request.source
        if request.source in registry.CIFAR
        else str(Path(request.source).expanduser().absolute())
    )
    source = find_source(path, checked_size(request.resize))
    title = request.title or (source.title if source.title != source.id else request.name)
    dataset = array_cache.cached(replace(source, id=request.name, title=title), progress)
    held_out = HELD_OUT if len(source.parts) == 1 else None
    if held_out:
        dataset = parted(dataset, held_out)
    train, test = dataset.split("train"), dataset.split("test")
    if train.images.shape[1:] != test.images.shape[1:]:
        raise DataError(
            f"Training images are {train.images.shape[1:]}, test images {test.images.shape[1:]} (channels, "
            "height, width). Make them one size, for example with --resize 32."
        )
    return registry.RegisteredDataset(
        name=request.name, title=title, source=path, classes=source.classes, image_size=train.image_size,
        channels=train.in_channels, train=len(train.labels), test=len(test.labels),
        resize=request.resize, held_out=held_out, notes=_told(dataset, held_out),
    )  # fmt: skip


def _told(dataset: Dataset, held_out: float | None) -> tuple[str, ...]:
    share = f"It has one split: {100 * HELD_OUT:.0f} % of each class, drawn with seed 0, are the test split."
    return (*dataset.told(), share) if held_out else dataset.told()


def add_upload(
    request: AddRequest, content: bytes, progress: Progress | None = None, limit: int = MAX_UPLOAD
) -> registry.RegisteredDataset:
    """Keep an uploaded zip, or parquet shard, below the data folder and add it; else nothing stays.

    Args:
        request: what to call it; its source is not looked at.
        content: the bytes of the file.
        progress: told how many images are decoded.
        limit: the most bytes that are taken.

    Raises:
        DataError: the name is taken, or the zip cannot be read as a dataset.
    """
    folder = registry.folder_of(request.name)
    if folder.exists() or request.name in (*registry.BUILT_IN, *registry.CIFAR):
        raise DataError(
            f"There is a dataset called {request.name} already. Remove it, or choose another name."
        )
    if len(content) > limit:
        raise DataError(f"The file has more than {limit // 2**20} MiB. Add it in a shell instead.")
    try:
        folder.mkdir(parents=True)
        path = folder / f"{request.name}{'.parquet' if content.startswith(_SHARD_MARK) else '.zip'}"
        path.write_bytes(content)
        return add(replace(request, source=str(path)), progress)
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise DataError(f"{folder} cannot be written to: {error.strerror or error}.") from None
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def remove(name: str) -> None:
    """Forget a dataset: its name, its decoded images, and what was downloaded or uploaded for it.

    A folder or zip elsewhere stays as it is.

    Raises:
        DataError: no dataset of that name was added, or it cannot be deleted.
    """
    folder = registry.folder_of(name)
    if not folder.is_dir():
        raise DataError(f"No dataset called {name} was added. `python -m explorer data list` shows all.")
    try:
        array_cache.forget(name)
        shutil.rmtree(folder)
    except OSError as error:
        raise DataError(f"{folder} cannot be deleted: {error.strerror or error}.") from None
