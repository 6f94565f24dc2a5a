"""What does depth cost in training: time per step and memory, as a ratio to 20 layers and to the estimate?

Step time: nets of all depths take turns on the same digits; the ratio is the step's time over that of 20
layers, and beside it per layer, where 1.0 means linear. Memory: each net trains three steps on colour noise
of 32x32 pixels in a process of its own, whose growth is compared with nets/cost_formula.py's estimate, with
activation checkpointing and without.
"""

import argparse
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import torch
from _alternating import Contender, alternate, hardware, report

from explorer.data.dataset import Dataset, Split
from explorer.data.sources import digits
from explorer.nets.cost_formula import checkpointed_memory_mib, training_memory_mib
from explorer.nets.spec import NetSpec
from explorer.training.recipe import Recipe
from explorer.training.trainer import Trainer

DEPTHS = (20, 56, 110, 302, 1202)
BATCH = {1202: 8}
USUAL_BATCH = 32


def steps(depth: int, count: int, clock) -> Contender:
    """A contender that trains `count` steps and returns the seconds of one."""
    spec = NetSpec("residual", depth, in_channels=1)
    trainer = Trainer(spec, Recipe(iterations=1_000_000, batch_size=32, device="cpu"), digits())

    def run() -> float:
        started = clock()
        for _ in range(count):
            trainer.step()
        return (clock() - started) / count

    return run


def compare_times(depths: list[int], repeats: int, clock) -> None:
    """Print the time of a step at all depths."""
    results = alternate({f"residual-{depth}": steps(depth, 2, clock) for depth in depths}, repeats)
    report("one step, batch 32, 8x8 images", "s", results)
    first = statistics.median(results[f"residual-{depths[0]}"])
    for depth in depths:
        ratio = statistics.median(results[f"residual-{depth}"]) / first
        print(f"residual-{depth}: per layer {ratio / (depth / depths[0]):.2f} of that at {depths[0]} layers")


def noise(count: int) -> Dataset:
    """Random colour images, enough for the memory of training."""
    draw = np.random.default_rng(0)
    split = Split(draw.integers(0, 256, (count, 3, 32, 32), dtype=np.uint8), np.arange(count) % 10)
    return Dataset("noise", "noise", tuple("0123456789"), {"train": lambda: split, "test": lambda: split})


def train_alone(depth: int, batch: int, checkpointing: bool) -> None:
    """Train three steps in this process and print by how many MiB it grew."""
    recipe = Recipe(iterations=10, batch_size=batch, device="cpu", checkpointing=checkpointing)
    warm = Trainer(
        NetSpec("residual", 8, width=4), Recipe(iterations=2, batch_size=8, device="cpu"), noise(8)
    )
    warm.step()
    before = resident_mib()
    trainer = Trainer(NetSpec("residual", depth), recipe, noise(batch))
    for _ in range(3):
        trainer.step()
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 - before)


def resident_mib() -> float:
    """Memory of this process in MiB."""
    pages = Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * resource.getpagesize() / 2**20


def compare_memory(depths: list[int]) -> None:
    """Print measured and estimated memory at all depths, with and without checkpointing."""
    print(
        f"\n{'memory of training, 32x32':26} {'batch':>6} {'measured':>9} {'estimate':>9}  MiB {'ratio':>7}"
    )
    for depth in depths:
        batch, spec = BATCH.get(depth, USUAL_BATCH), NetSpec("residual", depth)
        for name, estimate in (("", training_memory_mib), (", checkpointing", checkpointed_memory_mib)):
            command = [sys.executable, __file__, "--alone", str(depth), str(batch), str(int(bool(name)))]
            measured = float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
            expected = estimate(spec, 32, batch)
            print(
                f"residual-{depth}{name:16} {batch:>7} {measured:9.0f} {expected:9.0f}      "
                f"{expected / measured:7.2f}",
                flush=True,
            )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--depths", default=",".join(map(str, DEPTHS)), help="separated by commas")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--cpu-time", action="store_true", help="seconds of CPU: for a busy machine")
    parser.add_argument("--alone", nargs=3, type=int, metavar=("DEPTH", "BATCH", "CHECKPOINTING"))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.alone:
        train_alone(arguments.alone[0], arguments.alone[1], bool(arguments.alone[2]))
        return
    print(hardware())
    depths = [int(depth) for depth in arguments.depths.split(",")]
    compare_memory(depths)
    if arguments.repeats:
        compare_times(
            depths, arguments.repeats, time.process_time if arguments.cpu_time else time.perf_counter
        )


if __name__ == "__main__":
    main()
