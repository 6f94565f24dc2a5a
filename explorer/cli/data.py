"""data add|list|remove: datasets known by a name."""

from __future__ import annotations

import sys
import time
from argparse import Namespace
from pathlib import Path
from typing import Any

from explorer.cli.shared_arguments import say
from explorer.data.registry import CIFAR, available


def add_commands(commands: Any) -> None:
    """Add data."""
    data = commands.add_parser("data", help="add, list or remove datasets")
    actions = data.add_subparsers(metavar="ACTION", required=True)
    adding = actions.add_parser("add", help="decode a dataset once and keep it under a name")
    adding.add_argument("name", help="cifar10, cifar100, or a name for what is at PATH")
    adding.add_argument(
        "source",
        nargs="?",
        metavar="PATH",
        help="a folder or zip of images, parquet shards, or CIFAR's own files",
    )
    adding.add_argument("--resize", type=int, metavar="PIXELS", help="make every image this wide and high")
    adding.add_argument("--title", help="what people read; default: the name")
    adding.add_argument("--url", help="another place to download CIFAR's archive from")
    adding.set_defaults(command=_add)
    listing = actions.add_parser("list", help="all datasets that have a name")
    listing.set_defaults(command=_list)
    removing = actions.add_parser("remove", help="forget a dataset and delete what was kept for it")
    removing.add_argument("name")
    removing.set_defaults(command=_remove)


def _add(options: Namespace) -> dict[str, Any]:
    from explorer.data.add_dataset import AddRequest, add

    if options.source is None and options.name not in CIFAR:
        raise ValueError(f"Say where {options.name} is: `data add {options.name} PATH`.")
    source = options.source or options.name
    if options.source in CIFAR and Path(source).exists():
        say(f"{source} is taken as the path {Path(source).absolute()}; `data add {source}` is the known one.")
        source = str(Path(source).absolute())
    told = _Progress(1, "images decoded"), _Progress(2**20, "MiB downloaded")
    entry = add(AddRequest(options.name, source, options.resize, options.title, options.url), *told)
    for note in entry.notes:
        say(note)
    return entry.available()._asdict()


def _list(_options: Namespace) -> list[dict[str, Any]]:
    return [found._asdict() for found in available()]


def _remove(options: Namespace) -> dict[str, Any]:
    from explorer.data.add_dataset import remove

    remove(options.name)
    return {"name": options.name, "removed": True}


class _Progress:
    """Says on stderr how much is there, and how long the rest will take."""

    def __init__(self, unit: float, name: str) -> None:
        self._unit, self._name = unit, name
        self._total, self._first, self._started = 0, 0, 0.0

    def __call__(self, done: int, total: int) -> None:
        """Write over the line before."""
        if total != self._total or done < self._first:
            self._total, self._first, self._started = total, done, time.monotonic()
        rate = (time.monotonic() - self._started) / max(done - self._first, 1)
        left = f", {rate * (total - done):.0f} s left" if self._first < done < total else ""
        line = f"\r{done / self._unit:,.0f} of {total / self._unit:,.0f} {self._name}{left}\x1b[K"
        print(line, end="\n" if done == total else "", file=sys.stderr, flush=True)  # noqa: T201
