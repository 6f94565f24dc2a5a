"""data add|list|remove: datasets known by a name."""

from __future__ import annotations

import sys
import time
from argparse import Namespace
from typing import Any

from explorer.data.registry import CIFAR, available


def add_commands(commands: Any) -> None:
    """Add data."""
    data = commands.add_parser("data", help="add, list or remove datasets")
    actions = data.add_subparsers(metavar="ACTION", required=True)
    adding = actions.add_parser("add", help="decode a dataset once and keep it under a name")
    adding.add_argument("name", help="cifar10, cifar100, or a name for what is at PATH")
    adding.add_argument(
        "source", nargs="?", metavar="PATH", help="a folder or zip of images, or parquet shards"
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
    from explorer.data.keeping import Wish, add

    if options.source is None and options.name not in CIFAR:
        raise ValueError(f"Say where {options.name} is: `data add {options.name} PATH`.")
    source = options.source or options.name
    entry = add(Wish(options.name, source, options.resize, options.title, options.url), _Progress())
    return entry.available()._asdict()


def _list(_options: Namespace) -> list[dict[str, Any]]:
    return [found._asdict() for found in available()]


def _remove(options: Namespace) -> dict[str, Any]:
    from explorer.data.keeping import remove

    remove(options.name)
    return {"name": options.name, "removed": True}


class _Progress:
    """Says on stderr how many images are decoded, and how long it will take."""

    def __init__(self) -> None:
        """The clock starts with the first image."""
        self._started = time.monotonic()

    def __call__(self, done: int, total: int) -> None:
        """Write over the line before."""
        left = (time.monotonic() - self._started) / max(done, 1) * (total - done)
        end = "\n" if done == total else ""
        print(f"\r{done:,} of {total:,} images decoded, {left:.0f} s left\x1b[K", end=end, file=sys.stderr)  # noqa: T201
        if done == total:
            self._started = time.monotonic()
