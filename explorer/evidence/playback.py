"""Nets on digits as they were after each epoch: trained again, kept in pretrained/playback/.

Each file is a table of `nets.weight_history` and says in its metadata how far its errors are from those of
the weights that were trained.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from explorer.runs import weight_files
from explorer.runs.provenance import commit, processor, versions
from explorer.runs.zoo import PRETRAINED, Zoo
from explorer.system.files import replacing

if TYPE_CHECKING:
    from torch import Tensor

    from explorer.nets.weight_history import State, WeightHistory
    from explorer.runs.run import Run
    from explorer.training.trainer import Trainer

COMMAND = "python -m explorer zoo playback"
NETS = ("plain-20", "residual-20", "plain-56", "residual-56")
SEED = 0
MOST_POINTS = 0.6
"""Test errors of rebuilt weights may lie this far from those of the exact ones, in points of per cent."""


def keep(out: Path, say: Callable[[str], None], nets: Sequence[str] = NETS) -> int:
    """Train every net whose file is not there, and keep its epochs; returns the bytes of all files."""
    zoo = {run.run_id: run for run in Zoo(PRETRAINED).manifest}
    for net in nets:
        run = zoo[f"digits-{net}-s{SEED}"]
        path = out / weight_files.FOLDER / f"{run.run_id}.parquet"
        if not path.exists():
            say(record(run, path))
    return sum(path.stat().st_size for path in (out / weight_files.FOLDER).glob("*.parquet"))


def record(run: Run, path: Path) -> str:
    """Train the run again and write the weights after each of its epochs; one line on what was written.

    Raises:
        ValueError: even 16 bits change an error by more than `MOST_POINTS`.
    """
    from explorer.data.sources import digits
    from explorer.nets.weight_history import WeightHistory
    from explorer.training.trainer import Trainer

    dataset, history = digits(), WeightHistory()
    trainer = Trainer(run.spec, run.recipe, dataset)
    differences, errors = [], []
    rebuilt: dict[str, Tensor] = {}
    for epoch in trainer.records():
        rebuilt, difference = _add(history, trainer, epoch.epoch, epoch.test_error_pct, rebuilt)
        differences.append(difference)
        errors.append(epoch.test_error_pct)
    about = {
        "run_id": run.run_id, "spec": run.spec.to_dict(), "dataset": run.dataset,
        "normalisation": trainer.normalisation.to_dict(), "classes": list(dataset.classes),
        "image_size": dataset.split("train").image_size, "epochs": list(range(len(differences))),
        "test_error_pct": errors, "largest_difference_points": max(differences), "command": COMMAND,
        "commit": commit(), "versions": versions(), "hardware": processor(),
    }  # fmt: skip
    write(history.table(), about, path)
    size = path.stat().st_size / 2**20
    within = f"errors within {max(differences):.2f} points"
    return f"{run.spec.id}: {len(differences)} epochs, {size:.2f} MiB, {within}"


def _add(
    history: WeightHistory, trainer: Trainer, epoch: int, exact_pct: float, before: State
) -> tuple[dict[str, Tensor], float]:
    """Add the trainer's weights in as few bits as keep their error; what is rebuilt, and the difference."""
    from explorer.nets.weight_history import Bits

    state = trainer.net.state_dict()
    difference = float("inf")
    for bits in get_args(Bits):
        rebuilt = history.add(epoch, state, bits)
        difference = abs(_error_pct(trainer, rebuilt) - exact_pct)
        if difference <= MOST_POINTS:
            return rebuilt, difference
        history.forget(epoch, before)
    raise ValueError(f"Epoch {epoch} of {trainer.spec.id}: its error changes by {difference:.2f} points.")


def _error_pct(trainer: Trainer, state: State) -> float:
    from explorer.nets.build import build
    from explorer.training.evaluation import evaluate

    net = build(trainer.spec, 0).eval()
    net.load_state_dict(state)
    return evaluate(net, trainer.test_images).error_pct


def write(table: pd.DataFrame, about: dict[str, Any], path: Path) -> None:
    """Put a history in its place, whole or not at all; raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    made = pa.Table.from_pandas(table, preserve_index=False)
    made = made.replace_schema_metadata({weight_files.ABOUT: json.dumps(about)})
    with replacing(path) as temporary:
        pq.write_table(made, temporary, compression="zstd", compression_level=19, use_dictionary=False)
