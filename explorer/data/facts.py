"""Facts of datasets that are known without reading one: title, image size, channels; NAME:COUNT."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from explorer.data import registry

_SUBSET = re.compile(r"(?P<name>.+):(?P<count>\d{1,9})")
USUAL_SIZE = 32
"""Image height in pixels of CIFAR, and of what is not known before it is read."""


@dataclass(frozen=True)
class Facts:
    """What is known of a dataset by its name.

    Attributes:
        title: what people read.
        short: the same within a net's title.
        image_size: height of every image in pixels.
        channels: 1 or 3.
    """

    title: str
    short: str
    image_size: int = USUAL_SIZE
    channels: int = 3


_DIGITS = {"image_size": registry.DIGITS.image_size, "channels": registry.DIGITS.channels}
KNOWN = {
    "digits": Facts(registry.DIGITS.title, "digits", **_DIGITS),
    "digits-validation": Facts(
        "Digits, a part of the training images to test on", "digits-validation", **_DIGITS
    ),
    "digits-small": Facts("Digits, 200 images to train on", "200 digits", **_DIGITS),
    "cifar10-jpeg": Facts("CIFAR-10 (JPEG)", "CIFAR-10 (JPEG)"),
    "imagenet": Facts("ImageNet", "ImageNet", image_size=224),
}
"""Datasets that come with the explorer, or that its zoo and published nets were trained on."""


def facts(data: str) -> Facts | None:
    """What is known of a dataset, or of a subset NAME:COUNT of it; None of a path, or of an unknown name."""
    name = parse_subset(data)[0]
    if name in KNOWN:
        return KNOWN[name]
    added = registry.find(name)
    return Facts(added.title, added.title, added.image_size, added.channels) if added else None


def image_size(data: str) -> int:
    """Height in pixels of its images; `USUAL_SIZE` where it is not known before they are read."""
    found = facts(data)
    return found.image_size if found else USUAL_SIZE


def title(data: str, *, short: bool = False) -> str:
    """The dataset's name as people read it; a subset or an unknown one is called as it was asked for."""
    found = facts(data) if parse_subset(data)[1] is None else None
    if found is None:
        return data
    return found.short if short else found.title


def parse_subset(data: str) -> tuple[str, int | None]:
    """Name and count of NAME:COUNT; a path that exists is a name as a whole."""
    found = _SUBSET.fullmatch(data)
    if found is None or Path(data).exists():
        return data, None
    return found["name"], int(found["count"])
