"""The files of a folder or zip, and which may be read; nothing is ever unpacked to disk."""

from __future__ import annotations

import hashlib
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from explorer.data.dataset import DataError

Read = Callable[["File"], bytes]
MAX_FILES = 200_000
MAX_TOTAL = 4 * 2**30
MAX_RATIO = 100
_RATIO_FROM = 50 * 2**20
_MAX_DEPTH = 12


@dataclass(frozen=True)
class File:
    """One file.

    Attributes:
        path: its folders and its name, below the tree's root.
        size: in bytes.
        changed: something that changes with its content: time in ns, or a zip's checksum.
    """

    path: tuple[str, ...]
    size: int
    changed: int


@dataclass(frozen=True)
class Tree:
    """The files below a folder or in a zip.

    Attributes:
        root: the folder or the zip.
        files: in the order of their paths.
        folders: all folders below the root, empty ones included.
        opened: a context in which files can be read.
    """

    root: Path
    files: tuple[File, ...]
    folders: frozenset[tuple[str, ...]]
    opened: Callable[[], AbstractContextManager[Read]]

    @property
    def name(self) -> str:
        """What the folder is called, or the zip without its ending."""
        root = self.root.resolve()
        return root.stem if root.is_file() else root.name

    def stamp(self) -> str:
        """Changes when a file comes, goes or changes."""
        digest = hashlib.sha256(str(self.root.resolve()).encode())
        for file in self.files:
            digest.update(f"\n{'/'.join(file.path)}\0{file.size}\0{file.changed}".encode("utf-8", "replace"))
        return digest.hexdigest()


def folder_tree(root: Path) -> Tree:
    """Everything below a folder, hidden files left out.

    Raises:
        DataError: a link leads out of the folder, or there is too much in it.
    """
    files, folders, base = [], set(), root.resolve()
    for path in _walk(root, base, ()):
        parts = path.relative_to(root).parts
        if path.is_dir():
            folders.add(parts)
        elif path.is_file():
            about = path.stat()
            files.append(File(parts, about.st_size, about.st_mtime_ns))
        if len(files) > MAX_FILES:
            raise DataError(f"{root} holds more than {MAX_FILES:,} files. Use parquet shards instead.")

    @contextmanager
    def opened() -> Iterator[Read]:
        yield lambda file: root.joinpath(*file.path).read_bytes()

    return Tree(root, tuple(sorted(files, key=lambda file: file.path)), frozenset(folders), opened)


def _walk(folder: Path, base: Path, above: tuple[Path, ...]) -> Iterator[Path]:
    try:
        inside, above = sorted(folder.iterdir()), (*above, folder.resolve())
    except OSError as error:
        raise DataError(f"{folder} cannot be read: {error.strerror or error}.") from None
    if len(above) > _MAX_DEPTH:
        raise DataError(f"{folder} lies more than {_MAX_DEPTH} folders deep. Give a folder further down.")
    for path in inside:
        if path.name.startswith("."):
            continue
        if path.is_symlink() and not path.resolve().is_relative_to(base):
            raise DataError(f"{path} is a link that leads out of the folder. Put the file itself there.")
        if path.is_symlink() and path.resolve() in above:
            continue  # a link to a folder that it lies in
        yield path
        if path.is_dir():
            yield from _walk(path, base, above)


def tree_of(path: Path) -> Tree:
    """The files of a folder or a zip. Raises as `folder_tree` and `zip_tree`."""
    return zip_tree(path) if path.is_file() else folder_tree(path)


def zip_tree(path: Path) -> Tree:
    """Everything in a zip that looks harmless; files are read from it one by one, never unpacked.

    Raises:
        DataError: it is not a zip, or one that no honest program makes.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            inside = [info for info in archive.infolist() if not info.is_dir()]
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        raise DataError(f"{path.name} cannot be read as a zip file. Make it again.") from None
    _check_size(path, inside)
    files = [File(_checked(info), info.file_size, info.CRC) for info in inside if not _hidden(info)]
    files.sort(key=lambda file: file.path)
    if len({file.path for file in files}) < len(files):
        raise DataError(f"{path.name} holds two files of one name. Make it again.")
    folders = {file.path[:depth] for file in files for depth in range(1, len(file.path))}
    return Tree(path, tuple(files), frozenset(folders), lambda: _opened_zip(path))


def _hidden(info: zipfile.ZipInfo) -> bool:
    parts = PurePosixPath(info.filename).parts
    return any(part == "__MACOSX" or (part.startswith(".") and part != "..") for part in parts)


@contextmanager
def _opened_zip(path: Path) -> Iterator[Read]:
    with zipfile.ZipFile(path) as archive:

        def read(file: File) -> bytes:
            name = "/".join(file.path)
            try:
                return archive.read(name)
            except (zipfile.BadZipFile, zlib.error, OSError, EOFError, KeyError, ValueError):
                raise DataError(f"{name} in {path.name} is damaged. Make the zip again.") from None

        yield read


def _check_size(path: Path, inside: list[zipfile.ZipInfo]) -> None:
    if len(inside) > MAX_FILES:
        raise DataError(f"{path.name} holds {len(inside):,} files; {MAX_FILES:,} are taken.")
    total, packed = sum(info.file_size for info in inside), max(path.stat().st_size, 1)
    if total > MAX_TOTAL:
        raise DataError(
            f"{path.name} would unpack to {total / 2**30:,.1f} GiB; {MAX_TOTAL // 2**30} GiB are taken."
        )
    if total > _RATIO_FROM and total > MAX_RATIO * packed:
        raise DataError(
            f"{path.name} would unpack to {total // packed:,} times its size. Images do not: it is refused."
        )


def _checked(info: zipfile.ZipInfo) -> tuple[str, ...]:
    name, path = info.filename, PurePosixPath(info.filename)
    shown = ascii(name[:80])
    outside = path.is_absolute() or ".." in path.parts or "\\" in name or ":" in path.parts[0]
    if outside or any(ord(letter) < 32 for letter in name):
        raise DataError(f"The zip holds a file called {shown}, which leads out of it. It is refused.")
    if stat.S_ISLNK(info.external_attr >> 16):
        raise DataError(f"{shown} in the zip is a link. Put the file itself there.")
    if info.flag_bits & 1:
        raise DataError(f"{shown} in the zip is encrypted. Make the zip without a password.")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise DataError(f"{shown} is packed in an unusual way. Make the zip with the usual method, deflate.")
    return path.parts
