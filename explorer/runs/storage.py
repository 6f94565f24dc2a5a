"""The storage that several machines share: a folder, or whatever else fsspec reaches, such as s3://bucket/prefix."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from explorer.runs.database import StoreError
from explorer.system.files import replacing

STORAGE_VARIABLE = "EXPLORER_STORAGE"
_EXTRAS = "pip install 'resnet-explorer[s3]' for s3://, or the package that fsspec names"


class StorageError(StoreError):
    """The shared storage cannot be used, or what was kept there is lost; the text says which."""


class Storage:
    """Whole objects by name. Each is there whole or not at all, by the store's own means.

    A folder gets a file beside its place, renamed; an object store gets one whole object.

    Args:
        url: a folder, or a URL of fsspec.

    Raises:
        StorageError: nothing here reaches such a URL.
    """

    def __init__(self, url: str) -> None:
        """Nothing is read or written yet."""
        import fsspec  # only who shares a storage waits for it

        self.url = url
        with self._explained("opened"):
            self._files, self._root = fsspec.core.url_to_fs(url, **_options(url))
        self._is_folder = "file" in _protocols(self._files)

    def put(self, file: Path, name: str) -> None:
        """Keep a copy of the file; raises a StorageError where that fails."""
        with self._explained("written"):
            if not self._is_folder:
                self._files.put_file(str(file), self._path(name))
                return
            target = Path(self._path(name))
            target.parent.mkdir(parents=True, exist_ok=True)
            with replacing(target) as part:
                shutil.copyfile(file, part)

    def get(self, name: str, target: Path) -> bool:
        """Copy the object to a file; False where there is none. Raises a StorageError where that fails."""
        with self._explained("read"):
            try:
                self._files.get_file(self._path(name), str(target))
            except FileNotFoundError:
                return False
        return True

    def remove(self, name: str) -> None:
        """Remove the object, if it is there; raises a StorageError where that fails."""
        with self._explained("changed"):
            try:
                self._files.rm_file(self._path(name))
            except FileNotFoundError:
                return

    def _path(self, name: str) -> str:
        return f"{self._root.rstrip('/')}/{name}"

    @contextmanager
    def _explained(self, done: str) -> Iterator[None]:
        try:
            yield
        except (ImportError, ValueError) as error:
            raise StorageError(
                f"The storage {self.url} ({STORAGE_VARIABLE}) cannot be {done}: {error}. Give a folder or a "
                f"URL that fsspec knows ({_EXTRAS})."
            ) from error
        except Exception as error:  # each kind of storage has errors of its own
            raise StorageError(
                f"The storage {self.url} ({STORAGE_VARIABLE}) cannot be {done}: {_said(error)}. Check that "
                "it is there, and that you may use it."
            ) from error


def shared_storage() -> Storage | None:
    """The storage of EXPLORER_STORAGE; None where files lie in the data folder alone.

    Raises:
        StorageError: nothing here reaches it.
    """
    url = os.environ.get(STORAGE_VARIABLE, "").strip()
    return _opened(url) if url else None


@lru_cache(maxsize=4)
def _opened(url: str) -> Storage:
    return Storage(url)


def _options(url: str) -> dict[str, Any]:
    """What is asked of an object store: nothing that another machine wrote may be answered from a cache."""
    return {"use_listings_cache": False, "skip_instance_cache": True} if url.startswith("s3:") else {}


def _protocols(files: Any) -> tuple[str, ...]:
    found = files.protocol
    return (found,) if isinstance(found, str) else tuple(found)


def _said(error: BaseException) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
