"""zoo playback: nets on digits as they were after each epoch."""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

from explorer.evidence import playback
from explorer.runs.zoo import PRETRAINED


def add_keeping(actions: Any) -> None:
    """Add zoo playback."""
    keeping = actions.add_parser(
        "playback", help="train nets on digits again, keep the weights of each epoch"
    )
    keeping.add_argument(
        "--nets", type=lambda text: tuple(text.split(",")), default=playback.NETS, metavar="A,B"
    )
    keeping.add_argument(
        "--out", type=Path, default=PRETRAINED, metavar="FOLDER", help="default: pretrained/"
    )
    keeping.set_defaults(command=_keep)


def _keep(options: Namespace) -> dict[str, Any]:
    def say(line: str) -> None:
        print(line, file=sys.stderr, flush=True)  # noqa: T201

    return {"bytes": playback.keep(options.out, say, options.nets), "folder": str(options.out)}
