"""The arguments by which commands of the shell name a net and its images."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from explorer.nets.checkpoint_reading import PADDINGS, PROJECTED, Reading
from explorer.nets.normalisation import given

if TYPE_CHECKING:
    import pandas as pd

    from explorer.data.dataset import Dataset
    from explorer.nets.loaded_net import LoadedNet
    from explorer.nets.weights import About
    from explorer.probes.inputs import Inputs

NET_HELP = (
    "a run's id, a net's id such as residual-20 (trained where the zoo has it), published:resnet56, "
    "torchvision:resnet18, untrained:plain-20, or a checkpoint file"
)


def add_net(parser: ArgumentParser) -> None:
    """Add the arguments that `open_named_net` reads."""
    parser.add_argument("net", metavar="ID_OR_CHECKPOINT", help=NET_HELP)
    add_reading(parser)


def add_reading(parser: ArgumentParser) -> None:
    """Add the options that `reading_of` reads: what a checkpoint's file does not say."""
    group = parser.add_argument_group("what a checkpoint's file does not say")
    group.add_argument("--mean", type=numbers, metavar="A,B,C", help="per channel, of pixels in 0 to 1")
    group.add_argument("--std", type=numbers, metavar="A,B,C", help="per channel, of pixels in 0 to 1")
    group.add_argument(
        "--padding",
        choices=PADDINGS,
        help="where option A puts new channels: on both sides of the old, or after",
    )
    group.add_argument(
        "--family", choices=("residual", "plain", "preact"), help="residual and plain have the same tensors"
    )
    group.add_argument("--image-size", type=int, metavar="PIXELS", help="side of the net's inputs")
    group.add_argument("--weights", metavar="NAME", help="which of several sets in the file, such as ema")
    group.add_argument(
        "--projection", choices=PROJECTED, help="what the projections of a pre-activation net see"
    )


def numbers(text: str) -> tuple[float, ...]:
    """Numbers with commas between them."""
    return tuple(float(part) for part in text.split(","))


def reading_of(options: Namespace) -> Reading:
    """What the options say about the file.

    Raises:
        ValueError: mean and std are not given together or not of pixels in 0 to 1, or a size is none.
    """
    return Reading(
        family=options.family,
        padding=options.padding,
        projection=options.projection,
        weights=options.weights,
        normalisation=given(options.mean, options.std),
        image_size=options.image_size,
    )


def say_assumed(loaded: LoadedNet) -> None:
    """What was made of a checkpoint's tensors, and what was assumed, with the options that say otherwise."""
    for note in loaded.notes:
        say(note)
    for assumption in loaded.assumptions:
        say(assumption.sentence())


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


def open_named_net(name: str, data: str | None = None, reading: Reading | None = None) -> LoadedNet:
    """The net of that name; what had to be assumed is said on stderr.

    Args:
        name: see `NET_HELP`.
        data: a net trained on this dataset is preferred.
        reading: what the user says about a checkpoint.

    Raises:
        ValueError: nothing of that name can be opened; the text says what to give.
    """
    from explorer.nets.published_cifar import published_cifar
    from explorer.nets.published_imagenet import published
    from explorer.runs.library import open_library
    from explorer.runs.net_catalogue import PUBLISHED_NET, TORCHVISION, cifar_folder, weights_folder
    from explorer.runs.net_opening import named_net

    if name.startswith(TORCHVISION):
        _fetch(published(name.removeprefix(TORCHVISION)), weights_folder())
    if name.startswith(PUBLISHED_NET):
        _fetch(published_cifar(name.removeprefix(PUBLISHED_NET)), cifar_folder())
    loaded, note = named_net(name, open_library().runs(), Path(data).name if data else "", reading)
    if note:
        say(note)
    say_assumed(loaded)
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


def _fetch(about: About, folder: Path) -> None:
    """Published weights, fetched once; how far it is goes to stderr."""
    from explorer.nets.weights import fetch_published

    def progress(come: float, all_of: float) -> None:
        print(f"\r{about.id}: {come:.0f} of {all_of:.0f} MiB\x1b[K", end="", file=sys.stderr, flush=True)  # noqa: T201

    if about.file and not (folder / about.file).is_file():
        fetch_published(about, folder, progress)
        print(file=sys.stderr)  # noqa: T201


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows ready for JSON, which has no NaN: null."""
    rows: list[dict[str, Any]] = json.loads(table.to_json(orient="records", double_precision=10))
    return rows


def write_tables(out: Path, tables: dict[str, pd.DataFrame]) -> list[str]:
    """Write each table beside the first, its name lengthened by its key; the files' names.

    Raises:
        ValueError: a file cannot be written.
    """
    files = {out.with_name(f"{out.stem}{ending}{out.suffix or '.csv'}"): ending for ending in tables}
    try:
        for path, ending in files.items():
            tables[ending].to_csv(path, index=False)
    except OSError as error:
        raise ValueError(f"Cannot write {out}: {error.strerror}. Choose another folder.") from None
    say(f"wrote {', '.join(path.name for path in files)}.")
    return [str(path) for path in files]


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

    from explorer.data.images import read_image
    from explorer.data.preprocess import Picture, fit
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
