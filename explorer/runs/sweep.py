"""How are many nets trained? Each once, in parallel, going on where the last sweep stopped."""

from __future__ import annotations

import logging
import multiprocessing
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from explorer.nets.spec import NetSpec
from explorer.runs.archive import archives, write_archive
from explorer.runs.provenance import cores, processor, provenance
from explorer.runs.run import RESULTS, Run
from explorer.runs.tables import record_tables
from explorer.training.recipe import Recipe

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Plan:
    """One run to make.

    Attributes:
        net: id of the net; channels and classes come from the data.
        recipe: how to train it.
        data: name or path of the dataset.
    """

    net: str
    recipe: Recipe
    data: str

    @property
    def name(self) -> str:
        """Name of the run within one sweep."""
        return f"{self.net}{self.recipe.regularisers}-s{self.recipe.seed}"


def sweep(
    plans: Sequence[Plan], work: Path, *, workers: int | None = None, together: int = 1
) -> Iterator[str]:
    """Make every planned run that is not yet below `work`; yields a line of progress per run.

    Args:
        plans: the runs; on a CPU the costly ones should come first.
        work: folder that gets one folder per finished run.
        workers: processes of one thread each; by default one per core, and one alone for a GPU.
        together: nets that share one process, a step each in turn: fills a GPU.
    """
    done = {path.name for path in archives(work)}
    todo = [plan for plan in plans if plan.name not in done]
    groups = [todo[start : start + together] for start in range(0, len(todo), together)]
    start, finished = time.monotonic(), 0
    if not groups:
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers or cores(), mp_context=context) as pool:
        futures = [pool.submit(train_group, group, work) for group in groups]
        for future in as_completed(futures):
            for run in future.result():
                finished += 1
                left = (time.monotonic() - start) / finished * (len(todo) - finished)
                train, test = run.results["train_error_pct"], run.results["test_error_pct"]
                yield (
                    f"{finished}/{len(todo)} {run.run_id}: training error {train:.2f} %, "
                    f"test error {test:.2f} %; about {left:.0f} s left"
                )


def train_group(plans: Sequence[Plan], work: Path) -> list[Run]:
    """Train some nets side by side in this process and write each to `work`."""
    import torch

    from explorer.data.sources import open_dataset
    from explorer.training.trainer import Trainer, train_together

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(1)
    trainers, names = [], []
    for plan in plans:
        dataset = open_dataset(plan.data)
        channels = dataset.split("train").in_channels
        spec = NetSpec.parse(plan.net, in_channels=channels, classes=len(dataset.classes))
        trainers.append(Trainer(spec, plan.recipe, dataset))
        names.append(f"{dataset.id}-{plan.name}")
    records: list[list[Any]] = [[] for _ in trainers]
    for number, record in train_together(trainers):
        records[number].append(record)
        if len(plans) > 1:
            total = trainers[number].total_epochs
            log.info(
                "%s %d/%d: test error %.2f %%", plans[number].name, record.epoch, total, record.test_error_pct
            )
    make = partial(_archive, work=work)
    return [make(*parts) for parts in zip(plans, names, trainers, records, strict=True)]


def _archive(plan: Plan, run_id: str, trainer: Any, records: list[Any], *, work: Path) -> Run:
    run = finished_run(run_id, trainer, records)
    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder) / "weights.safetensors"
        save_trained(weights, trainer, run)
        write_archive(work / plan.name, run, record_tables(run, records), weights)
    return run


def finished_run(run_id: str, trainer: Any, records: list[Any]) -> Run:
    """The run of a trainer that is done, or that has not begun where there is no record."""
    train = trainer.dataset.split("train")
    return Run(
        run_id=run_id,
        spec=trainer.spec,
        recipe=trainer.recipe,
        dataset=trainer.dataset.id,
        status="done",
        epochs=trainer.total_epochs,
        iterations=trainer.total_iterations,
        parameters=sum(parameter.numel() for parameter in trainer.net.parameters()),
        results={name: getattr(records[-1], name) for name in RESULTS} if records else {},
        seconds=sum(record.seconds for record in records),
        provenance=provenance(hardware(trainer.device), train.sha256) | {"image_size": train.image_size},
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
