"""How should two cores train twins: two processes of one thread, or one after the other with all threads?

The plain net and its residual twin are trained for the same number of steps in both ways, in turns, in
processes that are warm. The ratio is the time until both are done over that of one after the other:
below 1, two processes are sooner. --scaling measures also what more threads bring a single net.
"""

import argparse
import multiprocessing
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection

from _alternating import Contender, alternate, hardware, report

from explorer.nets.spec import NetSpec
from explorer.runs.provenance import cores
from explorer.training.recipe import Recipe


def serve(pipe: Connection, threads: int, data: str, augment: bool) -> None:
    """Train the nets that are asked for, so many steps each, and answer when they are done."""
    import torch

    from explorer.data.sources import open_dataset
    from explorer.training.trainer import Trainer

    torch.set_num_threads(threads)
    dataset = open_dataset(data)
    shape = {"in_channels": dataset.split("train").in_channels, "classes": len(dataset.classes)}
    trainers: dict[str, Trainer] = {}
    while (asked := pipe.recv()) is not None:
        nets, steps = asked
        for net in nets:
            if net not in trainers:
                recipe = Recipe(iterations=1_000_000, augment=augment, device="cpu")
                trainers[net] = Trainer(NetSpec.parse(net, **shape), recipe, dataset)
            for _ in range(steps):
                trainers[net].step()
        pipe.send("done")


def started(threads: int, data: str, augment: bool) -> Connection:
    """A process that serves with so many threads."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    context.Process(target=serve, args=(theirs, threads, data, augment), daemon=True).start()
    return ours


def timed(work: Sequence[tuple[Connection, tuple[str, ...]]], steps: int) -> Contender:
    """Seconds until all processes have trained their nets."""

    def run() -> float:
        began = time.perf_counter()
        for pipe, nets in work:
            pipe.send((nets, steps))
        for pipe, _ in work:
            pipe.recv()
        return time.perf_counter() - began

    return run


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--depths", default="20,56", help="of the twins, separated by commas")
    parser.add_argument("--data", default="digits", help="digits, or a folder of images or parquet shards")
    parser.add_argument("--augment", action="store_true")
    parser.add_argument("--steps", type=int, default=22, help="of each net per turn")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--scaling", action="store_true", help="also one net alone, with 1 and all threads")
    arguments = parser.parse_args()

    print(hardware())
    one, two = (started(1, arguments.data, arguments.augment) for _ in range(2))
    many = started(cores(), arguments.data, arguments.augment)
    for depth in arguments.depths.split(","):
        plain, residual = f"plain-{depth}", f"residual-{depth}"
        contenders = {
            f"one after the other, {cores()} threads": timed([(many, (plain, residual))], arguments.steps),
            "two processes, 1 thread each": timed([(one, (plain,)), (two, (residual,))], arguments.steps),
        }
        if arguments.scaling:
            contenders["residual alone, 1 thread"] = timed([(one, (residual,))], arguments.steps)
            contenders[f"residual alone, {cores()} threads"] = timed([(many, (residual,))], arguments.steps)
        title = f"Twins of {depth} layers on {arguments.data}, {arguments.steps} steps each"
        report(title, "s", alternate(contenders, arguments.repeats))
    for pipe in (one, two, many):
        pipe.send(None)


if __name__ == "__main__":
    main()
