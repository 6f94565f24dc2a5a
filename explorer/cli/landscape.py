"""probe landscape, and zoo landscape: loss and error on a plane through a net's weights."""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

from explorer.cli.shared_arguments import (
    add_net,
    open_data,
    open_named_net,
    reading_of,
    records,
    say,
    write_tables,
)
from explorer.evidence import landscape as kept
from explorer.runs.zoo import PRETRAINED


def add_landscape(kinds: Any) -> None:
    """Add probe landscape."""
    probe = kinds.add_parser("landscape", help="loss and error along two random directions of the weights")
    add_net(probe)
    probe.add_argument("--data", default="digits", metavar="NAME_OR_PATH", help="default: digits")
    probe.add_argument("--count", type=int, default=kept.IMAGES, metavar="N",
                       help="training images, class-balanced (%(default)s)")  # fmt: skip
    probe.add_argument("--points", type=int, default=kept.COARSE, metavar="N", help="a side (%(default)s)")
    probe.add_argument("--span", type=float, default=1.0, metavar="S",
                       help="from -S to S lengths of each filter (%(default)s)")  # fmt: skip
    probe.add_argument("--seed", type=int, default=0, help="of the directions (%(default)s)")
    probe.add_argument("--statistics", choices=("batch", "running"), default="batch",
                       help="of these images, or of training, which mislead (%(default)s)")  # fmt: skip
    probe.add_argument("--out", type=Path, metavar="FILE.csv", help="write every point")
    probe.set_defaults(command=_probe)


def add_keeping(actions: Any) -> None:
    """Add zoo landscape."""
    keeping = actions.add_parser("landscape", help=f"measure landscapes on digits, write {kept.FILE}")
    keeping.add_argument(
        "--out", type=Path, default=PRETRAINED, metavar="FOLDER", help="default: pretrained/"
    )
    keeping.set_defaults(command=_keep)


def _keep(options: Namespace) -> dict[str, Any]:
    rows = kept.keep(options.out, lambda line: print(line, file=sys.stderr, flush=True))  # noqa: T201
    return {"rows": rows, "file": str(options.out / kept.FILE)}


def _probe(options: Namespace) -> dict[str, Any]:
    from explorer.analysis.landscape import facts
    from explorer.probes.landscape import fill, random_plane, square
    from explorer.probes.probe_images import probe_images

    grid = square(options.points, options.span)
    loaded = open_named_net(options.net, options.data, reading_of(options))
    seen = probe_images(open_data(options.data, "train"), "train", loaded, options.count)
    plane = random_plane(loaded.net, options.seed)
    fill(loaded.net, plane, grid, seen.images, seen.labels, statistics=options.statistics, told=_told())
    table = kept.as_table(grid)
    files = write_tables(options.out, {"": table}) if options.out else []
    found = facts(table)
    result = {
        "net": loaded.key, "trained": loaded.trained, "source": seen.source, "seed": options.seed,
        "statistics": options.statistics, "points": options.points, "span": options.span,
        "loss": found.loss, "error_pct": found.error_pct, "share_loss_below_1_pct": found.good_pct,
        "share_error_below_10_pct": found.right_pct, "rising_rays_of_8": found.rising,
        "highest_loss": float(table["loss"].max()), "files": files,
    }  # fmt: skip
    if options.statistics == "running":
        say("running statistics were measured at the trained weights: moved nets no longer fit them.")
    return result | {"grid": records(table)} if options.json else result


def _told() -> Any:
    """Says every tenth on stderr, so that a long grid is seen to go on."""
    last = [0]

    def told(share: float) -> None:
        if (now := int(10 * share)) > last[0]:
            last[0] = now
            say(f"{10 * now} %")

    return told
