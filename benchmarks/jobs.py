"""What does keeping a run cost, as a ratio to the bare Trainer?

Two trainers of the same net take turns, an epoch each: one bare, with its record; one as a worker
trains it, with the store, the heartbeats, the snapshots and the file to resume from, until all of it
is on the disk. The project promises a ratio of at most 1.05. On a busy machine take --cpu-time: seconds
of CPU of all threads of this process, which leaves out waiting for the disk.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace

import torch
from _alternating import Contender, alternate, hardware, report

from explorer.jobs import actions, run_queue, training_loop
from explorer.jobs.run_recorder import RunRecorder
from explorer.nets.spec import NetSpec
from explorer.runs.run_paths import HOME_VARIABLE
from explorer.runs.store import Store
from explorer.system.processes import this_process
from explorer.training.recipe import Recipe
from explorer.training.trainer import Trainer


def bare(trainer: Trainer, epochs: int, clock: Callable[[], float]) -> Contender:
    """Epochs of the trainer alone."""

    def run() -> float:
        started = clock()
        for _ in range(epochs):
            trainer.run_epoch()
        return clock() - started

    return run


def kept(trainer: Trainer, store: Store, data: str, epochs: int, clock: Callable[[], float]) -> Contender:
    """Epochs as a worker trains them."""
    actions.submit(store, trainer.spec, trainer.recipe, data)
    job = run_queue.take(store, this_process())
    assert job is not None
    job = replace(job, state=replace(job.state, command="step"))  # the loop returns at the end of an epoch
    training_loop._begin(training_loop.TrainingSession(store), job, trainer, torch.get_num_threads())

    def run() -> float:
        started = clock()
        with RunRecorder(store, job) as recorder:
            for _ in range(epochs):
                training_loop._loop(training_loop.TrainingSession(store), job, trainer, recorder)
        return clock() - started

    return run


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--nets", default="residual-20,residual-110", help="ids, separated by commas")
    parser.add_argument("--data", default="digits", help="digits, or a folder of images or parquet shards")
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda", "mps"])
    parser.add_argument("--threads", type=int, default=1, help="of the net's operations")
    parser.add_argument("--epochs", type=int, default=4, help="per turn")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--cpu-time", action="store_true", help="seconds of CPU: for a busy machine")
    arguments = parser.parse_args()

    torch.set_num_threads(arguments.threads)
    clock = time.process_time if arguments.cpu_time else time.perf_counter
    print(hardware(), "(CPU time)" if arguments.cpu_time else "(wall time)")
    dataset = training_loop.opened(arguments.data)
    channels = dataset.split("train").in_channels
    recipe = Recipe(iterations=1_000_000, augment=dataset.flips, device=arguments.device)
    for net in arguments.nets.split(","):
        spec = NetSpec.parse(net, in_channels=channels, classes=len(dataset.classes))
        with tempfile.TemporaryDirectory() as folder:
            os.environ[HOME_VARIABLE] = folder
            store = Store()
            contenders = {
                "bare Trainer": bare(Trainer(spec, recipe, dataset), arguments.epochs, clock),
                "kept as a worker keeps it": kept(
                    Trainer(spec, recipe, dataset), store, arguments.data, arguments.epochs, clock
                ),
            }
            results = alternate(contenders, arguments.repeats)
            report(f"{spec.title} on {dataset.title}, {arguments.epochs} epochs", "s", results)
            store.close()


if __name__ == "__main__":
    main()
