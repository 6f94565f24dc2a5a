"""What do all blocks' conductances cost in one walk, against Captum's LayerConductance block by block?

Both take the same net, picture and steps, in turns in one run. The project promises that one walk is
at least five times faster (a ratio of at most 0.2) and equal within 1e-3 of the largest value.
"""

import argparse
import time

import torch
from _alternating import alternate, hardware, report
from captum.attr import LayerConductance

from explorer.nets.build import build
from explorer.nets.spec import NetSpec
from explorer.probes.conductance import Path, layer_conductances
from explorer.probes.replica import activation_bytes, replica, rows_at_once


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--net", default="residual-56")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--cpu-time", action="store_true", help="seconds of CPU: for a busy machine")
    arguments = parser.parse_args()
    clock = time.process_time if arguments.cpu_time else time.perf_counter

    net = build(NetSpec.parse(arguments.net), 0).eval()
    picture = torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    black = torch.zeros_like(picture)
    copied = replica(net)
    rows = rows_at_once(activation_bytes(copied, picture))
    path = Path(picture, black, 3, arguments.steps, rows)
    found: dict[str, list[torch.Tensor]] = {}

    def one_by_one() -> float:
        started = clock()
        found["captum"] = [
            LayerConductance(net, block)
            .attribute(picture.clone(), black, target=3, n_steps=arguments.steps)
            .detach()
            for block in net.blocks
        ]
        return clock() - started

    def in_one_walk() -> float:
        started = clock()
        found["ours"] = layer_conductances(copied, list(copied.blocks), path)
        return clock() - started

    print(hardware(), "(CPU time)" if arguments.cpu_time else "(wall time)")
    contenders = {"LayerConductance, block by block": one_by_one, "one walk": in_one_walk}
    results = alternate(contenders, arguments.repeats)
    report(
        f"Conductance of {len(net.blocks)} blocks of {arguments.net}, {arguments.steps} steps", "s", results
    )
    worst = max(
        float((ours - theirs).abs().max() / theirs.abs().max())
        for ours, theirs in zip(found["ours"], found["captum"], strict=True)
    )
    print(f"largest difference, relative to each block's largest value: {worst:.2g}")


if __name__ == "__main__":
    main()
