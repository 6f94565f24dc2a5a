"""Datasets known by name: digits, and those that were added; no pixel is read."""

from __future__ import annotations

import json
import logging
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

from explorer.data.dataset import DataError
from explorer.system.files import replace_text
from explorer.system.paths import home

BUILT_IN = ("digits", "digits-validation", "digits-small")
CIFAR = ("cifar10", "cifar100")
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_ABOUT = "dataset.json"
log = logging.getLogger(__name__)


class Available(NamedTuple):
    """What can be said of a dataset without reading it; classes, train and test are counts."""

    name: str
    title: str
    image_size: int
    channels: int
    classes: int
    train: int
    test: int


DIGITS = Available("digits", "Digits (scikit-learn, 8x8)", 8, 1, 10, 1437, 360)


@dataclass(frozen=True)
class RegisteredDataset:
    """A dataset that was added.

    Attributes:
        name: what it is called in commands and URLs.
        title: what people read.
        source: cifar10, cifar100, or the path of a folder or a zip.
        classes: names, by label.
        image_size: height of every image in pixels.
        channels: 1 or 3.
        train: images to train on.
        test: images to test on.
        resize: size to which the images were made, if they were.
        held_out: fraction of the only split that became the test split, if there was one split only.
        notes: what was decided and left out when it was added, as sentences.
    """

    name: str
    title: str
    source: str
    classes: tuple[str, ...]
    image_size: int
    channels: int
    train: int
    test: int
    resize: int | None = None
    held_out: float | None = None
    notes: tuple[str, ...] = ()

    def available(self) -> Available:
        """The same, as `available` lists it."""
        counts = (len(self.classes), self.train, self.test)
        return Available(self.name, self.title, self.image_size, self.channels, *counts)


def available() -> list[Available]:
    """Digits, and then all datasets that were added, by name."""
    return [DIGITS, *(entry.available() for entry in entries())]


def entries() -> list[RegisteredDataset]:
    """The datasets that were added, by name; those whose description is damaged are left out."""
    folders = sorted(home().joinpath("data").glob(f"*/{_ABOUT}"))
    found = [_read(path) for path in folders if _NAME.fullmatch(path.parent.name)]
    return [entry for entry in found if entry is not None]


def find(name: str) -> RegisteredDataset | None:
    """The dataset that was added under this name, if any."""
    return _read(home() / "data" / name / _ABOUT) if _NAME.fullmatch(name) else None


def folder_of(name: str) -> Path:
    """Where what belongs to a dataset lies; it may not exist yet.

    Raises:
        DataError: the text cannot be a name.
    """
    if not _NAME.fullmatch(name):
        raise DataError(
            f"'{name[:60]}' cannot be a dataset's name: use up to 40 small letters, digits and hyphens."
        )
    return home() / "data" / name


def keep(entry: RegisteredDataset) -> None:
    """Write the entry; it appears whole or not at all.

    Raises:
        DataError: the name is taken by the explorer, or the folder cannot be written to.
    """
    folder = folder_of(entry.name)
    if entry.name in BUILT_IN:
        raise DataError(f"The name {entry.name} is taken by the explorer. Choose another.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        replace_text(folder / _ABOUT, json.dumps(asdict(entry), indent=1))
    except OSError as error:
        raise DataError(f"{folder} cannot be written to: {error.strerror or error}.") from None


def _read(path: Path) -> RegisteredDataset | None:
    try:
        values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        lists = {"classes": tuple(values["classes"]), "notes": tuple(map(str, values.get("notes", ())))}
        return RegisteredDataset(**{**values, **lists, "name": path.parent.name})
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError):
        log.warning("%s is damaged; add the dataset again.", path)
        return None
