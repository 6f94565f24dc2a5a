"""Decoded images in one file that is mapped into memory, so that they are decoded once only.

A split's arrays are kept below the data folder, named by what they came from: the paths, sizes and
times of the source's files. They appear whole or not at all, and are made again when damaged.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explorer.data.dataset import Dataset, Progress, Split, SplitStatistics
from explorer.system.files import new_folder, replace_folder
from explorer.system.paths import home

_FORMAT = 2  # 2: deep images are shown by their own range
_ABANDONED_S = 3600
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Part:
    """One split where it comes from.

    Attributes:
        stamp: changes when a file of the source does.
        read: decodes all images, which takes a while.
    """

    stamp: str
    read: Callable[[Progress | None], Split]


@dataclass(frozen=True)
class Source:
    """A dataset where it comes from: the fields of `Dataset`, parts for its readers, and the place.

    Attributes:
        id: as in `Dataset`, like title, classes, pixel_max, flips and notes.
        parts: by split.
        place: the folder or file.
    """

    id: str
    title: str
    classes: tuple[str, ...]
    parts: dict[str, Part]
    place: Path
    pixel_max: int = 255
    flips: bool = True
    notes: tuple[str, ...] = ()


def cached(source: Source, progress: Progress | None = None) -> Dataset:
    """The dataset, its images decoded the first time and mapped from a file ever after."""
    return Dataset(
        id=source.id,
        title=source.title,
        classes=source.classes,
        readers={name: partial(_read, source, name, progress) for name in source.parts},
        pixel_max=source.pixel_max,
        flips=source.flips,
        notes=source.notes,
    )


def arrays_folder() -> Path:
    """Where decoded images lie."""
    return home() / "arrays"


def forget(dataset_id: str) -> None:
    """Delete the decoded images of one dataset."""
    for folder in _kept({"dataset": dataset_id}):
        shutil.rmtree(folder, ignore_errors=True)


def _kept(wanted: dict[str, str]) -> list[Path]:
    """Folders of arrays that say these things about themselves."""
    found = []
    for path in arrays_folder().glob("[!.]*/about.json"):
        try:
            about = json.loads(path.read_text())
        except (OSError, ValueError):
            continue
        if (
            isinstance(about, dict)
            and wanted.items() <= {**about, "shape": "", "histogram": "", "notes": ""}.items()
        ):
            found.append(path.parent)
    return found


def _read(source: Source, name: str, progress: Progress | None) -> Split:
    part = source.parts[name]
    key = hashlib.sha256(f"{_FORMAT}\n{source.id}\n{name}\n{part.stamp}".encode()).hexdigest()[:24]
    folder = arrays_folder() / key
    kept = _load(folder)
    if kept is not None:
        return kept
    split = part.read(progress)
    try:
        _save(folder, split, {"dataset": source.id, "split": name, "place": str(source.place.resolve())})
    except OSError as error:
        log.warning(
            "The decoded images of %s cannot be kept in %s (%s): they stay in memory and are decoded again "
            "next time.", source.id, folder.parent, error.strerror or error,
        )  # fmt: skip
        return split
    return _load(folder) or split


def _load(folder: Path) -> Split | None:
    """The arrays in `folder`; None where there are none, or damaged ones."""
    try:
        about = json.loads((folder / "about.json").read_text())
        # "c": a private copy of what is written to, so that nobody can change the file
        images = np.load(folder / "images.npy", mmap_mode="c", allow_pickle=False)
        labels = np.load(folder / "labels.npy", allow_pickle=False)
        known = SplitStatistics(str(about["sha256"]), np.asarray(about["histogram"], np.int64))
        split = Split(images, labels, known, tuple(map(str, about.get("notes", []))))
        touched = (folder / "images.npy").stat().st_mtime_ns != about["written"]
        if about["shape"] != list(images.shape) or known.histogram.shape != (images.shape[1], 256):
            return None
        if touched and Split(images, labels).sha256 != known.sha256:
            return None
    except (OSError, ValueError, KeyError, TypeError, EOFError):
        return None
    return split


def _save(folder: Path, split: Split, about: dict[str, Any]) -> None:
    _sweep(folder.parent)
    with new_folder(folder) as part:
        _write(part / "images.npy", split.images)
        _write(part / "labels.npy", split.labels)
        measured = split.measured()
        about |= {
            "shape": list(split.images.shape),
            "notes": list(split.notes),
            "sha256": measured.sha256,
            "histogram": measured.histogram.tolist(),
            "written": (part / "images.npy").stat().st_mtime_ns,
        }
        (part / "about.json").write_text(json.dumps(about))
        for stale in _kept({name: about[name] for name in ("dataset", "split", "place")}):
            shutil.rmtree(stale, ignore_errors=True)
        if _load(folder) is None:  # else another process was quicker
            replace_folder(part, folder)


def _write(path: Path, array: NDArray[Any]) -> None:
    with path.open("wb") as file:
        np.save(file, array, allow_pickle=False)
        file.flush()
        os.fsync(file.fileno())


def _sweep(folder: Path) -> None:
    """Delete what killed processes of earlier versions left."""
    for part in folder.glob(".part-*"):
        if time.time() - part.stat().st_mtime > _ABANDONED_S:
            shutil.rmtree(part, ignore_errors=True)
