"""probe lesion, and zoo lesions: what a net answers without some of its blocks, or with them moved."""

from __future__ import annotations

import sys
from argparse import ArgumentTypeError, Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from explorer.cli.shared_arguments import add_net, open_named_net, say
from explorer.evidence import lesion as kept
from explorer.runs.zoo import PRETRAINED

if TYPE_CHECKING:
    from explorer.nets.blocks import Block
    from explorer.probes.lesion import Lesion


def add_lesion(kinds: Any) -> None:
    """Add probe lesion."""
    probe = kinds.add_parser("lesion", help="error with blocks removed, scaled, swapped or shuffled")
    add_net(probe)
    probe.add_argument("--data", default="digits", metavar="NAME_OR_PATH", help="default: digits")
    probe.add_argument("--count", type=int, metavar="N", help="test images, class-balanced; default: all")
    probe.add_argument("--each", action="store_true", help="every block removed in turn")
    probe.add_argument("--remove", type=_blocks, default=(), metavar="N,N", help="blocks, counted from 1")
    probe.add_argument("--random", type=int, metavar="K", help="remove K blocks that keep the shape")
    probe.add_argument(
        "--stages", type=_blocks, default=(1, 2, 3), metavar="N,N", help="of --random, --shuffle"
    )
    probe.add_argument("--scale", type=_scale, action="append", default=[], metavar="BLOCK=S", help="0 to 2")
    probe.add_argument("--swap", type=int, metavar="K", help="swap K random pairs within a stage")
    probe.add_argument("--shuffle", action="store_true", help="shuffle the blocks of --stages")
    probe.add_argument("--seed", type=int, default=0, help="of what is random (%(default)s)")
    probe.add_argument(
        "--new-statistics", action="store_true", help="measure BN statistics again with the lesion in place"
    )
    probe.set_defaults(command=_probe)


def add_keeping(actions: Any) -> None:
    """Add zoo lesions."""
    keeping = actions.add_parser("lesions", help=f"lesion the nets on digits, write {kept.FILE}")
    keeping.add_argument(
        "--out", type=Path, default=PRETRAINED, metavar="FOLDER", help="default: pretrained/"
    )
    keeping.set_defaults(command=_keep)


def _keep(options: Namespace) -> dict[str, Any]:
    rows = kept.keep(options.out, lambda line: print(line, file=sys.stderr, flush=True))  # noqa: T201
    return {"rows": rows, "file": str(options.out / kept.FILE)}


def _probe(options: Namespace) -> dict[str, Any] | list[dict[str, Any]]:
    from explorer.data.sources import open_dataset
    from explorer.probes.lesion import answers, folded_net, kendall_tau, with_new_statistics
    from explorer.probes.probe_images import probe_images

    loaded, dataset = open_named_net(options.net, options.data), open_dataset(options.data)
    blocks = loaded.blocks()
    lesion = _lesion(options, blocks)
    test = probe_images(dataset, "test", loaded, options.count)
    net = folded_net(loaded.net)
    if options.each:
        say(f"{loaded.title}; {test.source}.")
        return _each(net, test, blocks)
    intact = answers(net, test.images, test.labels)
    if options.new_statistics:
        net = with_new_statistics(loaded, lesion, probe_images(dataset, "train", loaded).images)
    found = answers(net, test.images, test.labels, lesion)
    return {
        "net": loaded.key, "source": test.source, "removed": sorted(n + 1 for n in lesion.removed),
        "scales": {str(n + 1): s for n, s in lesion.scales.items()}, "order": [n + 1 for n in lesion.order],
        "tau": kendall_tau(lesion.order or range(len(blocks))), "new_statistics": options.new_statistics,
        "intact_error_pct": intact.error_pct, "error_pct": found.error_pct,
        "confusion": found.confusion().tolist(),
    }  # fmt: skip


def _each(net: Any, test: Any, blocks: list[Block]) -> list[dict[str, Any]]:
    from explorer.probes.lesion import errors_pct, keeps_shape, single_deletions

    intact, *errors = errors_pct(single_deletions(net, test.images), test.labels)
    return [
        {
            "block": number, "stage": block.stage, "keeps_shape": keeps_shape(block),
            "error_pct": error, "intact_error_pct": intact,
        }
        for number, (block, error) in enumerate(zip(blocks, errors, strict=True), start=1)
    ]  # fmt: skip


def _lesion(options: Namespace, blocks: list[Block]) -> Lesion:
    from explorer.probes.lesion import Lesion, check, removed_at_random, shuffled, swapped_at_random

    if options.swap is not None and options.shuffle:
        raise ValueError("Give --swap or --shuffle, not both.")
    for name in ("random", "swap"):
        if (value := getattr(options, name)) is not None and value < 0:
            raise ValueError(f"--{name} {value}: give 0 or more.")
    removed = {number - 1 for number in options.remove}
    if options.random is not None:
        removed |= removed_at_random(blocks, options.random, options.stages, options.seed)
    order: tuple[int, ...] = ()
    if options.swap is not None:
        order = swapped_at_random(blocks, options.swap, options.seed)
    elif options.shuffle:
        order = shuffled(blocks, options.stages, options.seed)
    lesion = Lesion(frozenset(removed), {number - 1: scale for number, scale in options.scale}, order)
    check(blocks, lesion)
    return lesion


def _blocks(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(","))


def _scale(text: str) -> tuple[int, float]:
    block, _, scale = text.partition("=")
    try:
        return int(block), float(scale)
    except ValueError:
        raise ArgumentTypeError(f"'{text}': write a block and a scale, such as 3=0.5") from None
