"""What do the records cost, as a ratio to an epoch of bare training steps?

Four epochs take turns on trainers of their own: bare steps that keep nothing; steps that keep every
loss (the per-iteration record); those plus the block records made at the end of each epoch (norms,
ratios, response stds, gradient norms); and those plus the evaluation of the test split, reported
apart since every trainer needs it. The project promises that all records together stay below a
ratio of 1.05. The extra work is also timed by itself, since 1 % drowns in the noise of an epoch.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from _alternating import Contender, alternate, hardware, report

from explorer.data.sources import open_dataset
from explorer.nets.spec import NetSpec
from explorer.probes.responses import gradient_norms
from explorer.training.evaluation import evaluate
from explorer.training.recipe import DeviceName, Recipe
from explorer.training.trainer import PROBE_IMAGES, Trainer

Action = Callable[[Trainer], object]
Clock = Callable[[], float]


def bare_epoch(trainer: Trainer) -> None:
    """One epoch of the trainer's own step without its records."""
    epoch = trainer.iteration // trainer.iterations_per_epoch
    for number in range(trainer.iterations_per_epoch):
        index, draws = trainer._epoch_order(epoch).batch(number, trainer.batch_size)
        loss = trainer._take_step(index, draws, 0.01)
        trainer.iteration += 1
    loss.item()


def recorded_epoch(trainer: Trainer) -> None:
    """One epoch that keeps every loss."""
    for _ in range(trainer.iterations_per_epoch):
        trainer.step()
    trainer.live()


def block_records(trainer: Trainer) -> None:
    """What a record reads of the blocks."""
    gradient_norms(trainer.net.block_list()).cpu().numpy()
    trainer._probe.read(trainer.train_images.normalised(slice(0, PROBE_IMAGES)))


def test_evaluation(trainer: Trainer) -> None:
    """What a record reads of the test split."""
    evaluate(trainer.net, trainer.test_images, precision=trainer.recipe.precision)


def timed(clock: Clock, trainer: Trainer, *actions: Action) -> Contender:
    """A contender that does all of `actions` and returns their seconds."""

    def run() -> float:
        started = clock()
        for action in actions:
            action(trainer)
        if trainer.device.type == "cuda":
            torch.cuda.synchronize()
        return clock() - started

    return run


def compare(net: str, data: str, device: DeviceName, repeats: int, clock: Clock) -> None:
    """Measure one net and print both tables."""
    dataset = open_dataset(data)
    channels = dataset.split("train").in_channels
    spec = NetSpec.parse(net, in_channels=channels, classes=len(dataset.classes))

    def trainer() -> Trainer:
        return Trainer(spec, Recipe(iterations=1_000_000, augment=dataset.flips, device=device), dataset)

    shared = trainer()
    contenders = {
        "bare steps": timed(clock, trainer(), bare_epoch),
        "+ loss of every iteration": timed(clock, trainer(), recorded_epoch),
        "+ block records": timed(clock, trainer(), recorded_epoch, block_records),
        "+ evaluation of the test split": timed(
            clock, trainer(), recorded_epoch, block_records, test_evaluation
        ),
    }
    results = alternate(contenders, repeats)
    report(f"{spec.title} on {dataset.title}, one epoch, {device}", "s", results)
    recorded_epoch(shared)
    epoch_s = statistics.median(results["bare steps"])
    parts = {
        "block records": timed(clock, shared, block_records),
        "evaluation": timed(clock, shared, test_evaluation),
    }
    for name, values in alternate(parts, repeats).items():
        part_s = statistics.median(values)
        print(f"{name} alone: {1000 * part_s:.1f} ms, ratio to an epoch {part_s / epoch_s:.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--nets", default="residual-20,residual-110", help="ids, separated by commas")
    parser.add_argument("--data", default="digits", help="digits, or a folder of images or parquet shards")
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda", "mps"])
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--cpu-time", action="store_true", help="seconds of CPU: for a busy machine")
    arguments = parser.parse_args()

    clock = time.process_time if arguments.cpu_time else time.perf_counter
    print(hardware(), "(CPU time)" if arguments.cpu_time else "(wall time)")
    for net in arguments.nets.split(","):
        compare(net, arguments.data, arguments.device, arguments.repeats, clock)


if __name__ == "__main__":
    main()
