"""`Run`: settings, origin and results of a run, and the columns of its tables."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from explorer.nets.spec import NetSpec
from explorer.probes import recorded
from explorer.runs.status import Status
from explorer.training.history import EPOCH_COLUMNS
from explorer.training.recipe import PAPER_ITERATIONS, Recipe

RESULTS = ("train_loss", "train_error_pct", "test_loss", "test_error_pct")
TABLES = ("epochs", "blocks", "layers", "steps")
RUN_COLUMNS = (
    "run_id", "id", "family", "depth", "width", "block", "shortcut", "dataset", "seed", "status",
    "epochs", "iterations", "parameters", *RESULTS, "seconds", "fraction_of_paper", "checkpoint",
    "spec", "recipe", "provenance", "created", "source",
)  # fmt: skip
TABLE_COLUMNS: dict[str, tuple[str, ...]] = {
    "epochs": ("run_id", *EPOCH_COLUMNS),
    "blocks": ("run_id", "epoch", "block", "stage", "layer", *recorded.columns("block")),
    "layers": ("run_id", "epoch", "layer", *recorded.columns("layer")),
    "steps": ("run_id", "iteration", "loss", "lr"),
}  # fmt: skip
MEASURED = frozenset(one.column for one in recorded.RECORDED)
"""Columns that an older record may lack; there they are NaN."""


@dataclass(frozen=True)
class Run:
    """One training run.

    Attributes:
        run_id: unique name.
        spec: the net.
        recipe: how it is trained.
        dataset: id of the dataset.
        status: where it stands.
        epochs: epochs that the whole run has.
        iterations: steps that the whole run has.
        parameters: of the net.
        results: the last epoch's losses and errors, by the names in `RESULTS`.
        seconds: time of all training steps.
        checkpoint: file of the weights, or None.
        provenance: commit, versions, hardware and hash of the data.
        created: ISO time at which it was queued.
        source: zoo, or mine.
    """

    run_id: str
    spec: NetSpec
    recipe: Recipe
    dataset: str
    status: Status
    epochs: int
    iterations: int
    parameters: int
    results: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    checkpoint: str | None = None
    provenance: dict[str, Any] = field(default_factory=dict)
    created: str = ""
    source: str = "mine"

    def row(self) -> dict[str, Any]:
        """One row of a table of runs, columns `RUN_COLUMNS`; plain values, ready for JSON."""
        spec = self.spec.to_dict()
        shown = {name: spec[name] for name in ("family", "depth", "width", "block", "shortcut")}
        return {
            "run_id": self.run_id,
            "id": self.spec.id,
            **shown,
            "dataset": self.dataset,
            "seed": self.recipe.seed,
            "status": Status(self.status).value,
            "epochs": self.epochs,
            "iterations": self.iterations,
            "parameters": self.parameters,
            **{name: self.results.get(name) for name in RESULTS},
            "seconds": self.seconds,
            "fraction_of_paper": self.iterations / PAPER_ITERATIONS,
            "checkpoint": self.checkpoint,
            "spec": spec,
            "recipe": self.recipe.to_dict(),
            "provenance": self.provenance,
            "created": self.created,
            "source": self.source,
        }

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> Run:
        """The inverse of `row`.

        Raises:
            ValueError: the spec, the recipe or the status in the row is not valid.
        """
        return cls(
            run_id=str(row["run_id"]),
            spec=NetSpec.from_dict(row["spec"]),
            recipe=Recipe.from_dict(row["recipe"]),
            dataset=str(row["dataset"]),
            status=Status(row["status"]),
            epochs=int(row["epochs"]),
            iterations=int(row["iterations"]),
            parameters=int(row["parameters"]),
            results={name: float(row[name]) for name in RESULTS if row.get(name) is not None},
            seconds=float(row["seconds"]),
            checkpoint=row.get("checkpoint"),
            provenance=row["provenance"],
            created=str(row.get("created", "")),
            source=str(row.get("source", "mine")),
        )


@dataclass(frozen=True)
class RunState:
    """What the store keeps of a run besides the run itself.

    Attributes:
        status: as in `Run`.
        reason: why it failed or stopped, for a person.
        name: chosen by a person, or None.
        note: written by a person, or None.
        pinned: whether it is kept at the top.
        position: order of arrival, from 1.
        owner: browser session that started it.
        pid: process that trains it.
        process_started: when that process started, in seconds since 1970; a pid alone may be reused.
        heartbeat: when that process was last alive, in seconds since 1970.
        host: machine of that process.
        data: name or path of the dataset, as `open_dataset` takes it.
        group_id: shared by runs that were started together, such as twins; or None.
        command: what a person asked a running job to do, or how a queued one is to start; or None.
        attempt: from 1; each retry from the beginning adds one.
        turn: when it was last taken from the queue, as a number that only grows.
        threads: of its worker, once it has begun; results depend on it, so it stays.
        deleted: when it was deleted, in seconds since 1970; or None. It can be restored for a while.
        task: of the cluster that trains it or did last, a name used once; or None.
        node: of the cluster on which that task runs or ran; or None.
    """

    status: Status
    reason: str | None
    name: str | None
    note: str | None
    pinned: bool
    position: int
    owner: str | None
    pid: int | None
    process_started: float | None
    heartbeat: float | None
    host: str | None
    data: str | None
    group_id: str | None
    command: str | None
    attempt: int
    turn: int | None
    threads: int | None
    deleted: float | None
    task: str | None
    node: str | None


def run_table(runs: list[Run]) -> pd.DataFrame:
    """One row per run, columns `RUN_COLUMNS`."""
    return pd.DataFrame([run.row() for run in runs], columns=list(RUN_COLUMNS))
