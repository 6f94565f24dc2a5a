"""How does a file come to its place whole, or not at all? Also when its process is killed."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
from pathlib import Path

import psutil

_TEMPORARY = re.compile(r"\.checkpoint-(\d{1,9})-(\d{1,12})-[0-9a-f]{16}\.partial")


def replace_file(path: Path, data: bytes | memoryview) -> None:
    """Put a file in its place whole and for good: written beside it, synced, renamed, the folder synced."""
    started = int(psutil.Process().create_time())
    temporary = path.with_name(f".checkpoint-{os.getpid()}-{started}-{secrets.token_hex(8)}.partial")
    try:
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    _sync_folder(path.parent)


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


def sweep_temporaries(folder: str | os.PathLike[str]) -> int:
    """Remove what saves left in `folder` when their process was killed; the number removed."""
    removed = 0
    for file in Path(folder).glob(".checkpoint-*.partial"):
        match = _TEMPORARY.fullmatch(file.name)
        if match and not _is_running(int(match[1]), int(match[2])):
            with contextlib.suppress(OSError):
                file.unlink()
                removed += 1
    return removed


def _is_running(pid: int, started: int) -> bool:
    try:
        return bool(abs(psutil.Process(pid).create_time() - started) < 2)  # pids are given out again
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True
