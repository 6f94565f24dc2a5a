"""Files and folders that come to their place whole or not at all, also when their process is killed."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

import psutil

from explorer.system.processes import lives

_TEMPORARY = re.compile(r"\.(?:checkpoint|writing)-(\d{1,9})-(\d{1,12})-[0-9a-f]{16}\.partial")


def replace_file(path: Path, data: bytes | memoryview) -> None:
    """Put a file in its place whole and for good: written beside it, synced, renamed, the folder synced.

    Raises:
        OSError: it cannot be written; what was there before is unchanged.
    """
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def replace_text(path: Path, text: str) -> None:
    """As `replace_file`, in UTF-8."""
    replace_file(path, text.encode())


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """As `replace_file`, for what a library writes: a path beside `path`, which takes its place at the end.

    An error inside the context leaves `path` as it was and nothing beside it.
    """
    temporary = _beside(path)
    try:
        yield temporary
        place_file(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def place_file(new: Path, path: Path) -> None:
    """Put a file that is written already in a place of the same file system, for good."""
    with new.open("rb+") as file:
        os.fsync(file.fileno())
    os.replace(new, path)
    _sync_folder(path.parent)


@contextlib.contextmanager
def new_folder(beside: Path) -> Iterator[Path]:
    """An empty folder next to `beside`, to be filled and put in a place by `replace_folder`; else it goes.

    What earlier processes left there when they were killed is removed first.
    """
    beside.parent.mkdir(parents=True, exist_ok=True)
    sweep_temporaries(beside.parent)
    folder = _beside(beside)
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def replace_folder(new: Path, path: Path) -> None:
    """Put a folder in a place, instead of what is there; between the two there may be none for a moment."""
    shutil.rmtree(path, ignore_errors=True)
    os.replace(new, path)
    _sync_folder(path.parent)


def sweep_temporaries(folder: str | os.PathLike[str]) -> int:
    """Remove what was being written in `folder` when its process was killed; how many files and folders."""
    removed = 0
    for path in Path(folder).glob(".*.partial"):
        match = _TEMPORARY.fullmatch(path.name)
        if match and not lives(int(match[1]), int(match[2])):
            with contextlib.suppress(OSError):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
                removed += 1
    return removed


def _beside(path: Path) -> Path:
    started = int(psutil.Process().create_time())
    return path.with_name(f".writing-{os.getpid()}-{started}-{secrets.token_hex(8)}.partial")


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":  # elsewhere a folder cannot be opened
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # a file system that has no such thing
            raise
    finally:
        os.close(handle)
