"""CIFAR's own files in other places: an archive or an unpacked folder, in Python's form or as binary.

Python's form is pickles, which can run code when they are read: they are read only where each file has the
checksum that torchvision knows for it. The binary form is plain bytes.
"""

from __future__ import annotations

import hashlib
import pickle
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explorer.data.array_cache import Part, Source
from explorer.data.cifar import ARCHIVES, Archive, classes_of, how_to_get
from explorer.data.dataset import DataError, Progress, Split
from explorer.data.file_tree import Tree, zip_tree

_FOLDERS = ("cifar-10-batches-py", "cifar-100-python", "cifar-10-batches-bin", "cifar-100-binary",
            "cifar-10-batches-mat", "cifar-100-matlab")  # fmt: skip
_TARS = (".tar.gz", ".tgz", ".tar")
_MOST_FILES, _MOST_BYTES = 100, 400 * 2**20
_PIXELS = 3 * 32 * 32


@dataclass(frozen=True)
class _Form:
    """One form in which CIFAR is published.

    Attributes:
        name: cifar10 or cifar100.
        kind: python, binary or matlab.
        train: names of the files to train on.
        test: likewise.
    """

    name: str
    kind: str
    train: tuple[str, ...]
    test: tuple[str, ...]


_FIVE = tuple(f"data_batch_{number}" for number in range(1, 6))
_FORMS = (
    _Form("cifar10", "python", _FIVE, ("test_batch",)),
    _Form("cifar10", "binary", tuple(f"{name}.bin" for name in _FIVE), ("test_batch.bin",)),
    _Form("cifar10", "matlab", tuple(f"{name}.mat" for name in _FIVE), ("test_batch.mat",)),
    _Form("cifar100", "python", ("train",), ("test", "meta")),
    _Form("cifar100", "binary", ("train.bin",), ("test.bin",)),
    _Form("cifar100", "matlab", ("train.mat",), ("test.mat", "meta.mat")),
)


def cifar_at(path: Path) -> Source | None:
    """CIFAR from its own files at a path; None where they are none of CIFAR's.

    Raises:
        DataError: they are, but cannot be read or trusted; the text says what to do.
    """
    place = _place(path)
    if place is None:
        return None
    with _opened(place) as files:
        form = next((form for form in _FORMS if {*form.train[:1], *form.test} <= set(files)), None)
        if form is None:
            return None
        archive = ARCHIVES[form.name]
        if form.kind == "matlab":
            raise DataError(
                f"{path} holds {archive.title} for Matlab, which is not read here: take its Python or binary "
                f"version. {how_to_get(archive)}"
            )
        if form.kind == "python":
            _check(files, form, archive, path)
        train = tuple(name for name in form.train if name in files)
    notes = [f"{len(form.train) - len(train)} of the {len(form.train)} files to train on are missing."]
    parts = {
        split: Part(_stamp(place, names), partial(_read, place, form, names))
        for split, names in (("train", train), ("test", form.test[:1]))
    }
    missing = tuple(notes if len(train) < len(form.train) else ())
    name = (
        path.resolve().name.removesuffix(".gz").removesuffix(".tar").removesuffix(".tgz").removesuffix(".zip")
    )
    title = archive.title if form.kind == "python" else f"{archive.title} (binary version)"
    return Source(name, title, classes_of(archive), parts, path, notes=missing)


def known_as(path: Path) -> str | None:
    """cifar10 or cifar100, where the path holds its very files in Python's form; else None."""
    try:
        source = cifar_at(path)
    except DataError:
        return None
    titles = {archive.title: name for name, archive in ARCHIVES.items()}
    return titles.get(source.title) if source else None


def _place(path: Path) -> Path | None:
    """The folder or archive that may hold the files."""
    if path.is_file():
        name = path.name.lower()
        return (
            path if name.endswith(_TARS) or (name.endswith(".zip") and _is_cifars(zip_tree(path))) else None
        )
    if not path.is_dir():
        return None
    for name in _FOLDERS:
        if (path / name).is_dir():
            return path / name
    if (path / "test_batch").is_file() or any((path / form.test[0]).is_file() for form in _FORMS):
        return path
    tars = sorted(found for found in path.glob("cifar-10*.tar.gz") if found.is_file())
    return tars[0] if tars else None


def _is_cifars(tree: Tree) -> bool:
    names = {file.path[-1] for file in tree.files}
    return any({form.train[0], form.test[0]} <= names for form in _FORMS)


@contextmanager
def _opened(place: Path) -> Iterator[Mapping[str, Any]]:
    """The files by name; each is read by calling it."""
    if place.is_dir():
        yield {file.name: file.read_bytes for file in place.iterdir() if file.is_file()}
        return
    if place.suffix.lower() == ".zip":
        tree = zip_tree(place)
        with tree.opened() as read:
            yield {file.path[-1]: partial(read, file) for file in tree.files}
        return
    try:
        with tarfile.open(place) as tar:
            yield {
                PurePath(member.name).name: partial(_member, tar, member) for member in _members(tar, place)
            }
    except (tarfile.TarError, OSError, EOFError, zlib.error):
        raise DataError(f"{place.name} is a damaged archive. Fetch it again.") from None


def _members(tar: tarfile.TarFile, place: Path) -> Iterator[tarfile.TarInfo]:
    """The plain files of an archive, as many as CIFAR's have; what is larger is refused unread."""
    size = 0
    for number, member in enumerate(tar):
        size += member.size
        if number >= _MOST_FILES or size > _MOST_BYTES:
            raise DataError(
                f"{place.name} is a tar archive, and not one of CIFAR's. Unpack it and give the folder, or "
                "make a zip."
            )
        if member.isfile():
            yield member


def _member(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = tar.extractfile(member)
    return file.read() if file else b""


def _stamp(place: Path, names: tuple[str, ...]) -> str:
    files = [place / name for name in names] if place.is_dir() else [place]
    about = [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    return f"{place.resolve()} {names} {about}"


def _sums(archive: Archive) -> dict[str, str]:
    """The checksum of each file, as torchvision knows it."""
    known = archive.known()
    return dict([*known.train_list, *known.test_list])


def _check(files: Mapping[str, Any], form: _Form, archive: Archive, path: Path) -> None:
    sums = _sums(archive)
    for name in (*form.train, form.test[0]):
        if name in files and not _is_known(files[name](), sums[name]):
            raise DataError(
                f"The file {name} in {path} has not the checksum of {archive.title}'s own, and files "
                f"of its kind (pickles) can run code: it is not read. {how_to_get(archive)} Other images can "
                "be given as folders of PNG files."
            )


def _is_known(content: bytes, md5: str) -> bool:
    return hashlib.md5(content, usedforsecurity=False).hexdigest() == md5


def _read(place: Path, form: _Form, names: tuple[str, ...], progress: Progress | None) -> Split:
    archive, images, labels = ARCHIVES[form.name], [], []
    with _opened(place) as files:
        for name in names:
            content = files[name]()
            if form.kind == "binary":
                pixels, numbers = _binary(content, form, name)
            elif _is_known(content, _sums(archive)[name]):
                pixels, numbers = _pickled(content)
            else:
                raise DataError(f"The file {name} has changed. {how_to_get(archive)}")
            images.append(pixels)
            labels.append(numbers)
    split = Split(np.concatenate(images), np.concatenate(labels))
    if progress:
        progress(len(split.labels), len(split.labels))
    return split


def _pickled(content: bytes) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """The images of a file whose checksum is known."""
    batch = pickle.loads(content, encoding="latin1")  # noqa: S301 - the very bytes that torchvision reads
    labels = batch["labels"] if "labels" in batch else batch["fine_labels"]
    return np.asarray(batch["data"]).reshape(-1, 3, 32, 32), np.asarray(labels, np.int64)


def _binary(content: bytes, form: _Form, name: str) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """The images of a file of rows: the label (in CIFAR-100 a coarse one before it) and 3,072 pixels."""
    first = 1 if form.name == "cifar10" else 2
    if not content or len(content) % (first + _PIXELS):
        raise DataError(
            f"{name} is not a binary file of CIFAR: its length must be a multiple of {first + _PIXELS} bytes."
        )
    rows = np.frombuffer(content, np.uint8).reshape(-1, first + _PIXELS)
    return rows[:, first:].reshape(-1, 3, 32, 32), rows[:, first - 1].astype(np.int64)
