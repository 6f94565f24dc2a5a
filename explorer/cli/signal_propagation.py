"""probe signal, and zoo signal: signal and gradient through an untrained net."""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

from explorer.evidence import signal_propagation
from explorer.runs.zoo import PRETRAINED


def add_signal(kinds: Any) -> None:
    """Add probe signal."""
    probe = kinds.add_parser(
        "signal", help="output std and gradient norms per block at initialisation, on digits"
    )
    probe.add_argument("net", help="id of the net, such as residual-1202, plain-56 or preact-1001-bottleneck")
    probe.add_argument("--seed", type=int, default=0, help="of the weights (%(default)s)")
    probe.add_argument(
        "--count", type=int, default=signal_propagation.IMAGES, metavar="N", help="images (%(default)s)"
    )
    probe.set_defaults(command=_probe)


def add_keeping(actions: Any) -> None:
    """Add zoo signal."""
    keeping = actions.add_parser(
        "signal", help=f"measure {len(signal_propagation.NETS)} nets and write {signal_propagation.FILE}"
    )
    keeping.add_argument(
        "--out", type=Path, default=PRETRAINED, metavar="FOLDER", help="default: pretrained/"
    )
    keeping.set_defaults(command=_keep)


def _probe(options: Namespace) -> list[dict[str, Any]]:
    if not 2 <= options.count <= 1000:
        raise ValueError(f"--count {options.count}: give 2 to 1000 images.")
    rows = signal_propagation.measure(options.net, options.seed, options.count).drop(
        columns=["family", "depth", "seed"]
    )
    return [{str(name): value for name, value in row.items()} for row in rows.to_dict("records")]


def _keep(options: Namespace) -> dict[str, Any]:
    rows = signal_propagation.keep(options.out, lambda line: print(line, file=sys.stderr, flush=True))  # noqa: T201
    return {"rows": rows, "file": str(options.out / signal_propagation.FILE)}
