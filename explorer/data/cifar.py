"""CIFAR-10 and CIFAR-100: downloaded and checked by torchvision, or put in place by hand.

torchvision unpickles CIFAR's batches, and does so only where each file has the checksum known for it.
"""

from __future__ import annotations

import contextlib
import io
import socket
import threading
import urllib.error
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from http.client import HTTPException
from pathlib import Path
from typing import Any

import numpy as np

from explorer.data.array_cache import Part, Source
from explorer.data.dataset import DataError, Progress, Split
from explorer.data.registry import folder_of

_TIMEOUT_S = 30.0
_WATCH_S = 0.5
CIFAR10_CLASSES = (
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
)  # fmt: skip


@dataclass(frozen=True)
class Archive:
    """An archive as torchvision knows it.

    Attributes:
        name: cifar10 or cifar100.
        title: what people read.
        bytes: size of the archive.
        differs: attributes of torchvision's class to be replaced, such as url for a mirror.
    """

    name: str
    title: str
    bytes: int
    differs: dict[str, Any] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """Where the archive is put, and unpacked."""
        return folder_of(self.name)

    @property
    def path(self) -> Path:
        """The archive's file; it may not exist yet."""
        return self.folder / f"{'cifar-10' if self.name == 'cifar10' else 'cifar-100'}-python.tar.gz"

    @property
    def batches(self) -> Path:
        """The folder that comes out of it; it may not exist yet."""
        return self.folder / ("cifar-10-batches-py" if self.name == "cifar10" else "cifar-100-python")

    def known(self) -> Any:
        """The class of torchvision: its URL, its checksums, its reader."""
        from torchvision.datasets import CIFAR10, CIFAR100

        base = CIFAR10 if self.name == "cifar10" else CIFAR100
        return type(base.__name__, (base,), self.differs) if self.differs else base


ARCHIVES = {
    "cifar10": Archive("cifar10", "CIFAR-10", 170_498_071),
    "cifar100": Archive("cifar100", "CIFAR-100", 169_001_437),
}


def cifar(name: str) -> Source:
    """CIFAR-10 or CIFAR-100, where it has been downloaded.

    Raises:
        DataError: it has not.
    """
    archive = ARCHIVES[name]
    files = sorted(path for path in archive.batches.glob("*") if path.is_file())
    if not files:
        raise DataError(f"{archive.title} is not here yet. {how_to_get(archive)}")
    about = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in files]
    stamp = f"{archive.batches.resolve()} {about}"
    parts = {split: Part(f"{stamp} {split}", partial(_read, archive, split)) for split in ("train", "test")}
    return Source(name, archive.title, classes_of(archive), parts, archive.batches)


def how_to_get(archive: Archive) -> str:
    """What to do where it is missing, with and without a network."""
    return (
        f"`python -m explorer data add {archive.name}` downloads it ({archive.bytes / 2**20:.0f} MiB). "
        f"Without a network, put {archive.path.name} into {archive.folder} by hand and give the same command."
    )


def fetch(archive: Archive, progress: Progress | None = None) -> None:
    """Download and unpack what is missing; a file put there by hand is taken when its checksum is right.

    Args:
        archive: what to get.
        progress: told twice a second how many bytes are there, of how many.

    Raises:
        DataError: it cannot be had, or is not what it should be; the text says what to do.
    """
    socket.setdefaulttimeout(_TIMEOUT_S)
    try:
        with _quiet(), _watched(archive, progress):
            archive.known()(str(archive.folder), download=True)
    except (OSError, RuntimeError, HTTPException, EOFError, ValueError) as error:
        why = _why(error, archive)
        raise DataError(f"{archive.title} could not be had: {why} {how_to_get(archive)}") from None
    finally:
        socket.setdefaulttimeout(None)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield


@contextlib.contextmanager
def _watched(archive: Archive, progress: Progress | None) -> Iterator[None]:
    """Tell how far the file has grown, since torchvision does not."""
    done = threading.Event()

    def watch() -> None:
        while progress and not done.wait(_WATCH_S):
            if archive.path.exists():
                progress(archive.path.stat().st_size, archive.bytes)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def mirrored(archive: Archive, url: str) -> Archive:
    """The same archive, the same checksums, from another place."""
    if not url.startswith(("https://", "http://")):
        raise DataError(f"'{url[:100]}' is not the address of an archive: that begins with https://.")
    return replace(archive, differs={**archive.differs, "url": url})


def _why(error: Exception, archive: Archive) -> str:
    if isinstance(error, RuntimeError):
        if archive.path.exists():
            with contextlib.suppress(OSError):
                archive.path.unlink()
        return "what arrived has the wrong checksum and was deleted."
    if isinstance(error, urllib.error.HTTPError):
        return f"the server answered {error.code}."
    if isinstance(error, urllib.error.URLError):
        return f"the server cannot be reached ({error.reason})."
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}."
    return "the download broke off."


def classes_of(archive: Archive) -> tuple[str, ...]:
    """The names of its classes, by label."""
    if archive.name == "cifar10":
        return CIFAR10_CLASSES
    return _CIFAR100_CLASSES


def _read(archive: Archive, split: str, progress: Progress | None) -> Split:
    try:
        read = archive.known()(str(archive.folder), train=split == "train")
    except (OSError, RuntimeError, EOFError, KeyError, ValueError):
        raise DataError(
            f"The files of {archive.title} in {archive.batches} are damaged. Delete that folder. "
            f"{how_to_get(archive)}"
        ) from None
    if progress:
        progress(len(read.targets), len(read.targets))
    images = np.ascontiguousarray(np.asarray(read.data).transpose(0, 3, 1, 2))
    return Split(images, np.asarray(read.targets, dtype=np.int64))


_CIFAR100_NAMES = """
    apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly
    camel can castle caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup
    dinosaur dolphin elephant flatfish forest fox girl hamster house kangaroo keyboard lamp lawn_mower
    leopard lion lizard lobster man maple_tree motorcycle mountain mouse mushroom oak_tree orange orchid
    otter palm_tree pear pickup_truck pine_tree plain plate poppy porcupine possum rabbit raccoon ray road
    rocket rose sea seal shark shrew skunk skyscraper snail snake spider squirrel streetcar sunflower
    sweet_pepper table tank telephone television tiger tractor train trout tulip turtle wardrobe whale
    willow_tree wolf woman worm"""
_CIFAR100_CLASSES = tuple(_CIFAR100_NAMES.split())
