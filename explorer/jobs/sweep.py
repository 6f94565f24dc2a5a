"""Training many nets: each once, in parallel, going on where the last sweep stopped."""

from __future__ import annotations

import multiprocessing
import os
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from explorer.jobs.eta import EpochDone, EtaEstimator
from explorer.nets.spec import NetSpec
from explorer.runs.provenance import cores, processor, provenance
from explorer.runs.run import RESULTS, Run
from explorer.runs.run_folder import archives, read_run, write_archive
from explorer.runs.status import Status
from explorer.runs.tables import record_tables
from explorer.training.recipe import Recipe

_LOOK_EVERY_S = 0.2


@dataclass(frozen=True)
class RunConfig:
    """One run to make.

    Attributes:
        net: id of the net; channels and classes come from the data.
        recipe: how to train it.
        data: name or path of the dataset.
        varied: what tells it from the sweep's other runs of that net and seed, as part of a name.
    """

    net: str
    recipe: Recipe
    data: str
    varied: str = ""

    @property
    def name(self) -> str:
        """Name of the run within one sweep."""
        return f"{self.net}{self.recipe.regularisers}{self.varied}-s{self.recipe.seed}"


def sweep(
    configs: Sequence[RunConfig], work: Path, *, workers: int | None = None, together: int = 1
) -> Iterator[str]:
    """Make every planned run that is not yet below `work`; yields a line of progress per epoch.

    A sweep that was killed loses at most the epoch that each net was in.

    Args:
        configs: the runs; on a CPU the costly ones should come first.
        work: folder that gets one folder per finished run.
        workers: processes of one thread each; by default one per core, and one alone for a GPU.
        together: nets that share one process, a step each in turn: fills a GPU.

    Raises:
        ValueError: the folder holds a run of that name with another recipe, or a process ended.
    """
    todo = unfinished(configs, work)
    groups = [todo[start : start + together] for start in range(0, len(todo), together)]
    if not groups:
        return
    processes = min(workers or cores(), len(groups))
    eta = EtaEstimator(
        {config.name: NetSpec.parse(config.net).depth for config in todo}, processes * together
    )
    context = multiprocessing.get_context("spawn")
    told = context.SimpleQueue()
    try:
        with ProcessPoolExecutor(processes, context, initializer=_report_to, initargs=(told,)) as pool:
            waiting = {pool.submit(train_group, group, work) for group in groups}
            while waiting:
                done, waiting = wait(waiting, timeout=_LOOK_EVERY_S, return_when=FIRST_COMPLETED)
                yield from _drained(told, eta)
                for future in done:
                    future.result()
    except BrokenProcessPool:
        raise ValueError(
            "A process ended before its net was trained; there may have been too little memory. Give the "
            "command again, perhaps with fewer --workers: it goes on after the last finished epoch."
        ) from None


def unfinished(configs: Sequence[RunConfig], work: Path) -> list[RunConfig]:
    """The plans whose runs are not yet below `work`; raises as `sweep` where one has another recipe."""
    finished = {path.name: path for path in archives(work)}
    for config in configs:
        if config.name in finished:
            _check_same(config, finished[config.name])
    return [config for config in configs if config.name not in finished]


def _drained(told: Any, eta: EtaEstimator) -> Iterator[str]:
    while not told.empty():
        epoch = told.get()
        eta.update(epoch)
        yield f"{epoch} ({eta})"


def _check_same(config: RunConfig, folder: Path) -> None:
    recipe = read_run(folder).recipe
    if replace(recipe, device=config.recipe.device, kernels=config.recipe.kernels) != config.recipe:
        raise ValueError(
            f"{folder} was trained with another recipe. Give another folder with --work, or delete that one."
        )


_told: Any = None


def _report_to(told: Any) -> None:
    global _told
    _told = told


def train_group(configs: Sequence[RunConfig], work: Path) -> list[Run]:
    """Train some nets side by side in this process and write each to `work`, going on where they were."""
    import torch

    from explorer.data.sources import open_dataset
    from explorer.jobs.sweep_checkpoint import SweepCheckpoint
    from explorer.training.trainer import Trainer, train_together

    torch.set_num_threads(1)
    trainers, checkpoints = [], []
    for config in configs:
        dataset = open_dataset(config.data)
        channels = dataset.split("train").in_channels
        spec = NetSpec.parse(config.net, in_channels=channels, classes=len(dataset.classes))
        trainers.append(Trainer(spec, config.recipe, dataset))
        checkpoints.append(SweepCheckpoint(work / ".partial" / f"{config.name}.resume", trainers[-1]))
    for config, checkpoint in zip(configs, checkpoints, strict=True):
        if checkpoint.records:
            _tell(config, checkpoint, resumed=True)
    for number, record in train_together(trainers):
        checkpoints[number].keep(record)
        _tell(configs[number], checkpoints[number])
    return [
        _archive(config, checkpoint, work) for config, checkpoint in zip(configs, checkpoints, strict=True)
    ]


def _tell(config: RunConfig, checkpoint: Any, *, resumed: bool = False) -> None:
    """Report an epoch; a process whose sweep was killed ends here, since another may take its place."""
    parent = multiprocessing.parent_process()
    if _told is None or parent is None:
        return
    if not parent.is_alive():
        os._exit(1)  # an exception would leave the process waiting for work that nobody gives any more
    record, trainer = checkpoint.records[-1], checkpoint.trainer
    _told.put(
        EpochDone(
            run=config.name,
            epoch=record.epoch,
            epochs=trainer.total_epochs,
            fraction=record.iteration / trainer.total_iterations,
            train_error_pct=record.train_error_pct,
            test_error_pct=record.test_error_pct,
            resumed=resumed,
        )
    )


def _archive(config: RunConfig, checkpoint: Any, work: Path) -> Run:
    trainer, records = checkpoint.trainer, checkpoint.records
    run = finished_run(f"{trainer.dataset.id}-{config.name}", trainer, records)
    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder) / "weights.safetensors"
        save_trained(weights, trainer, run)
        write_archive(work / config.name, run, record_tables(run, records), weights)
    checkpoint.forget()
    return run


def finished_run(run_id: str, trainer: Any, records: list[Any]) -> Run:
    """The run of a trainer that is done, or that has not begun where there is no record."""
    train = trainer.dataset.split("train")
    return Run(
        run_id=run_id,
        spec=trainer.spec,
        recipe=replace(
            trainer.recipe, kernels=trainer.kernels
        ),  # what it was trained with, not what was asked
        dataset=trainer.dataset.id,
        status=Status.DONE,
        epochs=trainer.total_epochs,
        iterations=trainer.total_iterations,
        parameters=sum(parameter.numel() for parameter in trainer.net.parameters()),
        results={name: getattr(records[-1], name) for name in RESULTS} if records else {},
        seconds=sum(record.seconds for record in records),
        provenance=provenance(hardware(trainer.device), train.sha256)
        | {"image_size": train.image_size, "device": trainer.device.type},
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def hardware(device: Any) -> str:
    """Name of the device that a net was trained on."""
    import torch

    return torch.cuda.get_device_name(device) if device.type == "cuda" else processor()


def save_trained(path: Path, trainer: Any, run: Run, *, half: bool = False) -> None:
    """The trainer's net, as it is tested, as a checkpoint that says what it is."""
    from explorer.nets.checkpoints import save_checkpoint

    with trainer.as_tested() as net:
        save_checkpoint(
            path,
            net,
            normalisation=trainer.normalisation,
            classes=trainer.dataset.classes,
            recipe=trainer.recipe.to_dict(),
            metrics=dict(run.results),
            dataset=trainer.dataset.id,
            image_size=trainer.dataset.split("train").image_size,
            half=half,
        )
