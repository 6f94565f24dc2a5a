"""probe agreement, sizes and paths, and zoo gradients: whether gradients vanish, and whether they agree."""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from explorer.cli.shared_arguments import add_net, open_named_net, records, say
from explorer.evidence import gradients
from explorer.runs.zoo import PRETRAINED

if TYPE_CHECKING:
    from explorer.nets.loaded_net import LoadedNet
    from explorer.probes.probe_images import ProbeImages


def add_probes(kinds: Any) -> None:
    """Add probe agreement, probe sizes and probe paths."""
    agreeing = kinds.add_parser("agreement", help="cosine of the gradients of disjoint batches, per block")
    _add_batches(agreeing)
    agreeing.add_argument("--batches", type=int, default=6, metavar="N", help="how many (%(default)s)")
    agreeing.set_defaults(command=_agreement)
    sizes = kinds.add_parser(
        "sizes", help="norm of the loss's gradient at the output of each block, and in its weights"
    )
    _add_batches(sizes)
    sizes.set_defaults(command=_sizes)
    lengths = kinds.add_parser("paths", help="share of the gradient by number of branches passed, exactly")
    add_net(lengths)
    lengths.add_argument("--data", default="digits", metavar="NAME_OR_PATH", help="default: digits")
    lengths.add_argument(
        "--count", type=int, default=gradients.PATH_IMAGES, metavar="N",
        help="test images, class-balanced (%(default)s)",
    )  # fmt: skip
    lengths.add_argument("--draws", type=int, default=0, metavar="N", help="also sample N paths per length")
    lengths.add_argument("--seed", type=int, default=0, help="of --draws (%(default)s)")
    lengths.set_defaults(command=_paths)


def add_keeping(actions: Any) -> None:
    """Add zoo gradients."""
    keeping = actions.add_parser(
        "gradients", help="measure gradients in training on digits, write agreement, sizes and more"
    )
    keeping.add_argument("--parts", type=_words, default=gradients.PARTS, metavar="A,B",
                         help=f"of {', '.join(gradients.PARTS)}")  # fmt: skip
    keeping.add_argument("--nets", type=_words, default=gradients.NETS, metavar="A,B")
    keeping.add_argument("--seeds", type=_whole, default=gradients.SEEDS, metavar="N,N")
    keeping.add_argument(
        "--out", type=Path, default=PRETRAINED, metavar="FOLDER", help="default: pretrained/"
    )
    keeping.set_defaults(command=_keep)


def _add_batches(parser: Any) -> None:
    add_net(parser)
    parser.add_argument("--data", default="digits", metavar="NAME_OR_PATH", help="default: digits")
    parser.add_argument(
        "--batch-size", type=int, default=128, metavar="N", help="training images a batch (%(default)s)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the drawn batches (%(default)s)")


def _keep(options: Namespace) -> dict[str, Any]:
    strange = sorted(set(options.parts) - set(gradients.PARTS))
    if strange:
        raise ValueError(f"--parts {', '.join(strange)}: give some of {', '.join(gradients.PARTS)}.")
    measured = gradients.keep(
        options.out, lambda line: print(line, file=sys.stderr, flush=True),  # noqa: T201
        options.parts, options.nets, options.seeds,
    )  # fmt: skip
    return {"measured": measured, "folder": str(options.out)}


def _opened(options: Namespace, count: int | None, split: Any) -> tuple[LoadedNet, ProbeImages]:
    from explorer.data.sources import open_dataset
    from explorer.probes.probe_images import probe_images

    loaded = open_named_net(options.net, options.data)
    return loaded, probe_images(open_dataset(options.data), split, loaded, count)


def _agreement(options: Namespace) -> dict[str, Any] | list[dict[str, Any]]:
    from explorer.probes.agreement import agreement, disjoint_batches

    loaded, train = _opened(options, None, "train")
    batches = disjoint_batches(train.images, train.labels, options.batches, options.batch_size, options.seed)
    table = agreement(loaded.net, batches)
    mean = float(table["cosine"].mean())
    said = f"{options.batches} batches of {options.batch_size}, {train.source}"
    if not options.json:
        say(f"{loaded.title}; {said}; mean over blocks {mean:.3f}.")
        return records(table.round(4))
    about = {"net": loaded.key, "trained": loaded.trained, "source": said}
    return about | {"mean": mean, "blocks": records(table)}


def _sizes(options: Namespace) -> dict[str, Any] | list[dict[str, Any]]:
    from explorer.probes.agreement import disjoint_batches, sizes

    loaded, train = _opened(options, None, "train")
    batch = disjoint_batches(train.images, train.labels, 2, options.batch_size, options.seed)[0]
    table = sizes(loaded.net, batch)
    norms = table["norm"]
    ratio = float(norms.iloc[0] / norms.iloc[-1]) if norms.iloc[-1] > 0 else None
    if not options.json:
        say(f"{loaded.title}; {options.batch_size} images, {train.source}.")
        return records(table)
    return {
        "net": loaded.key, "trained": loaded.trained, "source": train.source, "images": options.batch_size,
        "first_over_last": ratio, "blocks": records(table),
    }  # fmt: skip


def _paths(options: Namespace) -> dict[str, Any]:
    from explorer.nets.identity import settle
    from explorer.probes.lengths import binomial, mean_length, middle
    from explorer.probes.paths import check_paths, paths, sampled
    from explorer.probes.replica import replica

    if options.draws < 0:
        raise ValueError(f"--draws {options.draws}: give 0 or more.")
    loaded, test = _opened(options, options.count, "test")
    net: Any = loaded.net
    check_paths(net)
    if not loaded.trained:
        net = replica(net)
        settle(net, _opened(options, gradients.STATISTICS, "train")[1].images)
        say("An untrained net: its BN was given the statistics of training images.")
    found = paths(net, test.images, test.labels)
    low, high = middle(found.shares)
    chances = binomial(len(loaded.blocks()))
    drawn = sampled(net, test.images, test.labels, options.draws, options.seed) if options.draws else None
    return {
        "net": loaded.key, "trained": loaded.trained, "source": test.source, "blocks": len(loaded.blocks()),
        "mean_length": mean_length(found.shares), "binomial_mean_length": mean_length(chances),
        "middle_95_pct": [low, high], "of_all_paths_pct": 100 * sum(chances[low : high + 1]),
        "shares": found.shares, "signed_shares": found.signed,
        "sampled_mean_length": mean_length(drawn) if drawn else None, "sampled_shares": drawn,
    }  # fmt: skip


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split(","))


def _whole(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(","))
