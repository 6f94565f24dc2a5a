"""Errors of the published CIFAR-10 nets, measured here on datasets with CIFAR-10's classes, and kept."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from explorer.data import registry
from explorer.data.cifar import CIFAR10_CLASSES
from explorer.data.facts import USUAL_SIZE
from explorer.nets.published_cifar import PUBLISHED_CIFAR, PublishedCifarNet
from explorer.runs.net_catalogue import cifar_folder
from explorer.system.files import replace_text

Progress = Callable[[int, int], None]
_PART = 500
_FILE = "errors.json"


@dataclass(frozen=True)
class PublishedError:
    """What one published net got wrong.

    Attributes:
        net: its publisher's name, such as resnet20.
        dataset: name of the dataset.
        title: of the dataset, for people.
        n: test images.
        wrong: wrongly classified ones.
    """

    net: str
    dataset: str
    title: str
    n: int
    wrong: int

    @property
    def error_pct(self) -> float:
        """Wrong images in per cent."""
        return 100 * self.wrong / self.n

    def __str__(self) -> str:
        """As a remark beside a number of the paper."""
        images = f"{self.n:,} test images of {self.title}"
        return f"{self.error_pct:.2f} (the published net, measured here on {images})"


def kept_errors(spec_id: str | None = None) -> list[PublishedError]:
    """What was measured so far, of one net's id or of all; a damaged file counts as none."""
    try:
        rows = json.loads(_path().read_text(encoding="utf-8"))
        errors = [PublishedError(**row) for row in rows]
    except (OSError, ValueError, TypeError):
        return []
    known = [one for one in errors if one.net in PUBLISHED_CIFAR and one.n > 0]
    return [one for one in known if spec_id in (None, PUBLISHED_CIFAR[one.net].spec_id)]


def keep_error(error: PublishedError) -> None:
    """Keep it instead of an earlier one of that net on that dataset.

    Raises:
        OSError: the data folder cannot be written.
    """
    others = [one for one in kept_errors() if (one.net, one.dataset) != (error.net, error.dataset)]
    rows = sorted([*others, error], key=lambda one: (list(PUBLISHED_CIFAR).index(one.net), one.dataset))
    _path().parent.mkdir(parents=True, exist_ok=True)
    replace_text(_path(), json.dumps([asdict(row) for row in rows], indent=1) + "\n")


def measure_error(
    about: PublishedCifarNet, dataset: str, progress: Progress = lambda *_: None
) -> PublishedError:
    """Test the net on the whole test split, without augmentation, and keep its error.

    Args:
        about: a net whose file is here.
        dataset: a name of `fitting_datasets`.
        progress: told images done and images in all.

    Raises:
        ValueError: the net or the dataset cannot be opened; the text says what to do.
        OSError: the data folder cannot be written.
    """
    import numpy as np
    import torch

    from explorer.data.sources import open_dataset
    from explorer.runs.net_catalogue import PUBLISHED_NET, find_net
    from explorer.runs.net_opening import open_net
    from explorer.training.batches import ResidentImages
    from explorer.training.evaluation import evaluate

    loaded, opened = open_net(find_net([], PUBLISHED_NET + about.id)), open_dataset(dataset)
    split, wrong = opened.split("test"), 0
    for start in range(0, len(split.labels), _PART):
        part = split.take(np.arange(start, min(start + _PART, len(split.labels))))
        images = ResidentImages(part, opened.pixel_max, loaded.normalisation, torch.device("cpu"))
        wrong += evaluate(loaded.net, images).wrong
        progress(start + len(part.labels), len(split.labels))
    error = PublishedError(about.id, dataset, opened.title, len(split.labels), wrong)
    keep_error(error)
    return error


def fitting_datasets() -> list[registry.RegisteredDataset]:
    """The datasets added here that these nets fit: CIFAR-10's classes, in colour, at its size."""
    return [
        entry
        for entry in registry.entries()
        if entry.classes == CIFAR10_CLASSES and (entry.channels, entry.image_size) == (3, USUAL_SIZE)
    ]


def _path() -> Path:
    return cifar_folder() / _FILE
