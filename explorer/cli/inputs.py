"""Which net and which images does a command of the shell look at? By any name, or from any file."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from explorer.data.splits import Dataset
    from explorer.nets.loaded import LoadedNet
    from explorer.probes.inputs import Inputs

NET_HELP = (
    "a run's id, a net's id such as residual-20 (trained where the zoo has it), torchvision:resnet18, "
    "untrained:plain-20, or a checkpoint file"
)


def add_net(parser: ArgumentParser) -> None:
    """Add the argument that `open_named_net` reads."""
    parser.add_argument("net", metavar="ID_OR_CHECKPOINT", help=NET_HELP)


def add_images(parser: ArgumentParser) -> None:
    """Add the options that `read_inputs` reads."""
    chosen = parser.add_mutually_exclusive_group(required=True)
    chosen.add_argument("--data", metavar="NAME_OR_PATH", help="digits, or a folder of images")
    chosen.add_argument("--image", type=Path, action="append", metavar="FILE", help="a picture; repeatable")
    parser.add_argument("--split", choices=("test", "train"), default="test", help="of --data (%(default)s)")
    parser.add_argument("--count", type=int, metavar="N", help="only the first N images of the split")


def open_data(name_or_path: str, split: str) -> Dataset:
    """The dataset of --data with one split read; what its files left open, and left out, is said on stderr.

    A path that exists goes before a known name.

    Raises:
        DataError: it cannot be read.
    """
    from explorer.data.registry import find
    from explorer.data.sources import named_or_path, open_dataset

    chosen, remark = named_or_path(name_or_path)
    if remark:
        say(remark)
    dataset = open_dataset(chosen)
    dataset.split(split)
    if find(chosen) is None:  # of a name it was said when it was added
        for note in dataset.told():
            say(note)
    return dataset


def open_named_net(name: str, data: str | None = None) -> LoadedNet:
    """The net of that name; what had to be assumed is said on stderr.

    Raises:
        ValueError: nothing of that name can be opened; the text says what to give.
    """
    from explorer.runs.catalogue import TORCHVISION
    from explorer.runs.library import open_library
    from explorer.runs.opening import named_net

    if name.startswith(TORCHVISION):
        _fetch(name.removeprefix(TORCHVISION))
    loaded, note = named_net(name, open_library().runs(), Path(data).name if data else "")
    if note:
        say(note)
    return loaded


def read_inputs(options: Namespace, loaded: LoadedNet) -> Inputs:
    """The images of --data or --image, with the channels that the net takes.

    Raises:
        DataError: a dataset cannot be read.
        ImageError: a picture cannot be read.
    """
    if options.image:
        return _pictures(options.image, loaded)
    return _split(options, loaded)


def _fetch(name: str) -> None:
    """Published weights, fetched once; how far it is goes to stderr."""
    from explorer.nets.published import published
    from explorer.nets.weights import fetch_published
    from explorer.runs.catalogue import weights_folder

    def progress(come: float, all_of: float) -> None:
        print(f"\r{name}: {come:.0f} of {all_of:.0f} MiB\x1b[K", end="", file=sys.stderr, flush=True)  # noqa: T201

    about = published(name)
    if about.file and not (weights_folder() / about.file).is_file():
        fetch_published(about, weights_folder(), progress)
        print(file=sys.stderr)  # noqa: T201


def say(text: str) -> None:
    """A remark for the reader, not part of the result."""
    print(f"explorer: {text}", file=sys.stderr)  # noqa: T201


def _split(options: Namespace, loaded: LoadedNet) -> Inputs:
    from explorer.probes.inputs import split_inputs

    inputs = split_inputs(open_data(options.data, options.split), options.split, loaded, options.count)
    for note in inputs.notes:
        say(note)
    return inputs


def _pictures(paths: list[Path], loaded: LoadedNet) -> Inputs:
    import torch

    from explorer.data.fitting import Picture, fit
    from explorer.data.images import read_image
    from explorer.probes.inputs import Inputs

    seen = []
    for path in paths:
        read = read_image(path)
        picture = Picture(str(path), path.name, read.image.convert("RGB"))
        fitted = fit(picture, loaded.image_size, loaded.in_channels)
        for note in (*read.notes, *fitted.notes):
            say(f"{path.name}: {note}")
        seen.append(torch.from_numpy(fitted.pixels))
    return Inputs(torch.stack(seen), 1, loaded, None, ", ".join(path.name for path in paths))
