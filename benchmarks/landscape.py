"""What does a landscape cost? Points of a grid by `fill`, against a loop that loads a state dict for each.

The ratio is ours over the loop: below 1 it pays. The loop asks a copy in train mode, whose BN takes the same
batch statistics. The third is torch.func.vmap over four nets at once. Digits, one thread.

    python benchmarks/landscape.py [--depths 20,56] [--points N] [--repeats N]
"""

import argparse
import copy
import time

import torch
from _alternating import alternate, hardware, report
from torch.func import functional_call, stack_module_state, vmap
from torch.nn import functional

from explorer.evidence.landscape import choice_of, images_of
from explorer.probes.landscape import fill, random_plane, square
from explorer.runs.net_opening import open_net

AT_ONCE = 4


def timed(call):
    def run():
        start = time.process_time()
        call()
        return 1000 * (time.process_time() - start)

    return run


def states(net, plane, grid):
    base = net.state_dict()
    for y in grid.y:
        for x in grid.x:
            moved = {name: base[name] + x * one + y * plane.second[name] for name, one in plane.first.items()}
            yield base | moved


def by_state_dicts(net, plane, grid, images, labels):
    asked = copy.deepcopy(net).train()
    with torch.inference_mode():
        for state in states(net, plane, grid):
            asked.load_state_dict(state)
            logits = asked(images)
            functional.cross_entropy(logits, labels).item()
            (logits.argmax(1) != labels).double().mean().item()


def stacked(net, plane, grid, images, labels):
    shell = copy.deepcopy(net).train()
    for module in shell.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean = module.running_var = module.num_batches_tracked = None
            module.track_running_stats = False
    _, buffers = stack_module_state([shell] * AT_ONCE)
    names = dict(shell.named_parameters())
    every = list(states(net, plane, grid))
    ask = vmap(lambda weights, kept: functional_call(shell, (weights, kept), (images,)), randomness="error")
    with torch.no_grad():
        for first in range(0, len(every), AT_ONCE):
            part = every[first : first + AT_ONCE]
            weights = {name: torch.stack([state[name] for state in part]) for name in names}
            logits = ask(weights, {name: kept[: len(part)] for name, kept in buffers.items()})
            functional.cross_entropy(logits.flatten(0, 1), labels.repeat(len(part))).item()


def measure(depth, points, repeats):
    loaded = open_net(choice_of(f"residual-{depth}"))
    seen, plane = images_of(loaded, "digits"), random_plane(loaded.net, 0)
    given = (plane, square(points), seen.images, seen.labels)

    def ours():
        fill(loaded.net, plane, square(points), seen.images, seen.labels)

    times = alternate(
        {
            "state dicts, one by one": timed(lambda: by_state_dicts(loaded.net, *given)),
            "fill": timed(ours),
            f"vmap over {AT_ONCE}": timed(lambda: stacked(loaded.net, *given)),
        },
        repeats,
    )
    title = f"residual-{depth}: {points}x{points} points, {len(seen.labels)} digits"
    report(title, "ms CPU", times)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--depths", default="20,56", help="separated by commas")
    parser.add_argument("--points", type=int, default=5, help="a side")
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print(hardware())
    for depth in arguments.depths.split(","):
        measure(int(depth), arguments.points, arguments.repeats)


if __name__ == "__main__":
    main()
