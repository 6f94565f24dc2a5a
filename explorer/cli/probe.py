"""probe: what a net does with some images; its kinds, and responses."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import Any

from explorer.cli.activations import add_activations
from explorer.cli.attributions import add_attributions
from explorer.cli.gradients import add_probes as add_gradients
from explorer.cli.landscape import add_landscape
from explorer.cli.lesion import add_lesion
from explorer.cli.shared_arguments import (
    add_images,
    add_net,
    open_named_net,
    read_inputs,
    reading_of,
    records,
    say,
    write_tables,
)
from explorer.cli.shortcuts import add_gates
from explorer.cli.signal_propagation import add_signal


def add_commands(commands: Any) -> None:
    """Add probe and its kinds."""
    probe = commands.add_parser("probe", help="read what a net does with some images")
    kinds = probe.add_subparsers(metavar="KIND", required=True)
    _add_responses(kinds)
    add_activations(kinds)
    add_attributions(kinds)
    add_signal(kinds)
    add_lesion(kinds)
    add_landscape(kinds)
    add_gradients(kinds)
    add_gates(kinds)


def _add_responses(kinds: Any) -> None:
    responses = kinds.add_parser("responses", help="norms of x and F(x) per block, response std per layer")
    add_net(responses)
    add_images(responses)
    responses.add_argument(
        "--mode", choices=("eval", "train"), default="eval",
        help="BN with its running statistics, or with those of each batch (%(default)s)",
    )  # fmt: skip
    responses.add_argument("--batch-size", type=int, metavar="N", help="images a pass; in train mode 100")
    responses.add_argument(
        "--out", type=Path, metavar="FILE.csv", help="write blocks to FILE.csv, layers to FILE-layers.csv"
    )
    responses.set_defaults(command=_responses)


def _responses(options: Namespace) -> dict[str, Any] | list[dict[str, Any]]:
    from explorer.probes.split_responses import ReadOptions, read_responses

    size = options.batch_size
    if size is not None and size < 1:
        raise ValueError(f"--batch-size {size}: give a number of images from 1 on.")
    loaded = open_named_net(options.net, options.data, reading_of(options))
    inputs = read_inputs(options, loaded)
    read = read_responses(inputs, ReadOptions(training=options.mode == "train", batch=size))
    files = write_tables(options.out, {"": read.blocks, "-layers": read.layers}) if options.out else []
    if not options.json:
        weights = "" if loaded.trained else ", random weights"
        say(f"{loaded.title}{weights}; {inputs.source}; BN in {options.mode} mode. --json adds the layers.")
        return records(read.blocks.round(4))
    return {
        "net": loaded.key,
        "title": loaded.title,
        "trained": loaded.trained,
        "origin": loaded.origin,
        "images": read.images,
        "source": inputs.source,
        "mode": options.mode,
        "blocks": records(read.blocks),
        "layers": records(read.layers),
        "files": files,
    }
