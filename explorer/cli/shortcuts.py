"""probe gates, and zoo shortcuts: highway gates, and shortcuts of any strength."""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

from explorer.cli.shared_arguments import add_net, open_named_net, records, say
from explorer.evidence import shortcuts
from explorer.runs.zoo import PRETRAINED


def add_gates(kinds: Any) -> None:
    """Add probe gates."""
    probe = kinds.add_parser("gates", help="how far a highway net's gates are open, by layer")
    add_net(probe)
    probe.add_argument("--data", default="digits", metavar="NAME_OR_PATH", help="default: digits")
    probe.add_argument("--count", type=int, metavar="N", help="test images, class-balanced; default: all")
    probe.set_defaults(command=_gates)


def add_keeping(actions: Any) -> None:
    """Add zoo shortcuts."""
    keeping = actions.add_parser(
        "shortcuts",
        help="train nets with weaker shortcuts and other gate biases on digits, write their curves",
    )
    keeping.add_argument("--parts", type=_words, default=shortcuts.PARTS, metavar="A,B",
                         help=f"of {', '.join(shortcuts.PARTS)}")  # fmt: skip
    keeping.add_argument("--depths", type=_whole, default=shortcuts.DEPTHS, metavar="N,N")
    keeping.add_argument("--seeds", type=_whole, default=shortcuts.SEEDS, metavar="N,N")
    keeping.add_argument(
        "--out", type=Path, default=PRETRAINED, metavar="FOLDER", help="default: pretrained/"
    )
    keeping.set_defaults(command=_keep)


def _keep(options: Namespace) -> dict[str, Any]:
    strange = sorted(set(options.parts) - set(shortcuts.PARTS))
    if strange:
        raise ValueError(f"--parts {', '.join(strange)}: give some of {', '.join(shortcuts.PARTS)}.")
    trained = shortcuts.keep(
        options.out, lambda line: print(line, file=sys.stderr, flush=True),  # noqa: T201
        options.parts, options.depths, options.seeds,
    )  # fmt: skip
    return {"trained": trained, "folder": str(options.out)}


def _gates(options: Namespace) -> dict[str, Any] | list[dict[str, Any]]:
    from explorer.data.sources import open_dataset
    from explorer.probes.gates import by_layer, carried
    from explorer.probes.probe_images import probe_images

    loaded = open_named_net(options.net, options.data)
    test = probe_images(open_dataset(options.data), "test", loaded, options.count)
    table = by_layer(loaded.net, test.images)
    if not options.json:
        say(f"{loaded.title}; {test.source}; of x all carry gates let pass {carried(table):.2g}.")
        return records(table.round(4))
    return {
        "net": loaded.key, "trained": loaded.trained, "source": test.source, "carried": carried(table),
        "layers": records(table),
    }  # fmt: skip


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split(","))


def _whole(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(","))
