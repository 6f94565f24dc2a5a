"""Download buttons of runs; a file is made when its button is pressed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import pandas as pd
import streamlit as st

from explorer.runs.artifacts import brought
from explorer.runs.run import TABLES, Run
from explorer.transfer.export import run_json, table_csv, zip_runs
from explorer.transfer.script import run_script
from explorer.transfer.tensorboard_events import events_name, run_events
from explorer.ui.cached_runs import library

_HELP = {
    "epochs": "losses, errors and learning rate of each epoch",
    "blocks": "‖F(x)‖, ‖x‖, their ratio and the gradient norm of each block, each epoch",
    "layers": "standard deviation of each layer's response, each epoch (Figure 7)",
    "steps": "loss and learning rate of each step",
}


def export_run_menu(run: Run) -> None:
    """Everything of one run in one zip, and each file alone."""
    with st.popover("Export", icon=":material/download:", width="stretch"):
        name = run.run_id
        _button("Everything, as zip", f"{name}.zip", lambda: zip_runs(library(), [name]),
                "JSON, CSV, weights, TensorBoard events and the script; can be imported again.")  # fmt: skip
        _button("Settings and epochs, JSON", f"{name}.json", lambda: run_json(library(), name),
                "Settings, origin, results and curves, for any program.")  # fmt: skip
        for table in TABLES:
            _button(f"{table.capitalize()}, CSV", f"{name}-{table}.csv",
                    partial(table_csv, library(), table, name), _HELP[table])  # fmt: skip
        if run.checkpoint is not None:
            _button("Weights, safetensors", f"{name}.safetensors", lambda: _weights(run),
                    "The trained net with its normalisation; `evaluate` opens it.")  # fmt: skip
        _button("TensorBoard events", events_name(run), lambda: _events(name),
                "Put the file into a folder of its own and point `tensorboard --logdir` to it.")  # fmt: skip
        _button("PyTorch script", f"{name}.py", lambda: run_script(library(), name),
                "One file that trains this net again, without the explorer.")  # fmt: skip


def export_chosen(ids: Sequence[str]) -> None:
    """All chosen runs in one zip, and their epochs in one table."""
    with st.popover("Export all", icon=":material/download:"):
        _button(f"{len(ids)} runs, as zip", "runs.zip", lambda: zip_runs(library(), ids),
                "A folder per run; can be imported again, and TensorBoard shows it as it is.")  # fmt: skip
        _button(f"Epochs of {len(ids)} runs, CSV", "runs-epochs.csv", lambda: _epochs(ids),
                "One table, with the settings of each run beside its epochs.")  # fmt: skip


def _button(label: str, name: str, make: Callable[[], str | bytes], explained: str) -> None:
    st.download_button(
        label, make, name, key=f"export-{name}", help=explained, on_click="ignore", type="tertiary",
        icon=":material/draft:",
    )  # fmt: skip


def _weights(run: Run) -> bytes:
    return brought(Path(str(run.checkpoint))).read_bytes()


def _events(run_id: str) -> bytes:
    return run_events(library(), run_id)


def _epochs(ids: Sequence[str]) -> str:
    listed = library().listing()
    known = listed.loc[listed["run_id"].isin(ids), ["run_id", "net", "dataset", "seed", "status"]]
    table: pd.DataFrame = known.merge(library().epochs(list(ids)), on="run_id")
    return str(table.to_csv(index=False, lineterminator="\n"))
