"""A run as a TensorBoard event file with its curves, block by block."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd

from explorer.probes.recorded import RECORDED
from explorer.runs.library import RunSource, find_run
from explorer.runs.run import Run

_CURVES = {
    "train_error_pct": "error_pct/train",
    "test_error_pct": "error_pct/test",
    "train_loss": "loss/train",
    "test_loss": "loss/test",
    "lr": "recipe/lr",
    "images_per_s": "speed/images_per_s",
}
Scalar = tuple[str, float, int, float]


def events_name(run: Run) -> str:
    """Name of the file; TensorBoard looks for `tfevents` in it, and nothing of this machine is in it."""
    return f"events.out.tfevents.{int(_began(run))}.{run.run_id}"


def run_events(source: RunSource, run_id: str) -> bytes:
    """The event file; raises as `find_run`.

    The horizontal axis is the iteration in every chart, and the wall time that of the training itself.
    """
    from torch.utils.tensorboard import SummaryWriter

    run = find_run(source, run_id)
    with tempfile.TemporaryDirectory() as folder:
        writer = SummaryWriter(folder, max_queue=1000)
        for tag, value, iteration, at in _scalars(source, run):
            writer.add_scalar(tag, value, iteration, walltime=at)
        writer.close()
        (file,) = Path(folder).iterdir()
        return file.read_bytes()


def _scalars(source: RunSource, run: Run) -> Iterator[Scalar]:
    """Tag, value, iteration and time of everything that was measured; what was not is left out."""
    ids = [run.run_id]
    epochs = source.epochs(ids)
    clock = _began(run) + epochs["seconds"].astype("float64").cumsum()
    places = {
        epoch: (int(iteration), float(at))
        for epoch, iteration, at in zip(epochs["epoch"], epochs["iteration"], clock, strict=True)
    }
    for row in epochs.to_dict("records"):
        for column, tag in _CURVES.items():
            if row["epoch"] > 0 or column.startswith("test"):
                yield tag, float(row[column]), *places[row["epoch"]]
    tables = {"block": source.blocks(ids), "layer": source.layers(ids)}
    for one in RECORDED:
        if one.exported:
            yield from _parts(tables[one.of], one.column, one.of, places)
    steps = source.steps(ids)
    if steps.empty:
        return
    times = np.interp(steps["iteration"].to_numpy(), epochs["iteration"].to_numpy(), clock.to_numpy())
    for iteration, loss, at in zip(steps["iteration"], steps["loss"], times.tolist(), strict=True):
        yield "step/loss", float(loss), int(iteration), float(at)


def _parts(
    table: pd.DataFrame, measure: str, part: str, places: dict[int, tuple[int, float]]
) -> Iterator[Scalar]:
    for epoch, number, value in zip(table["epoch"], table[part], table[measure], strict=True):
        if not math.isnan(value):
            yield f"{measure}/{part}-{number:03d}", float(value), *places[epoch]


def _began(run: Run) -> float:
    try:
        return datetime.fromisoformat(run.created).timestamp()
    except ValueError:
        return 0.0
