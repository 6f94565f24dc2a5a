"""What was found on this machine, said without waking torch."""

from __future__ import annotations

import shutil
from importlib.util import find_spec

import streamlit as st

from explorer.cluster.trainers import ready
from explorer.data.registry import available
from explorer.jobs.experiment import CostEstimate, DatasetInfo, Experiment, estimate_cost
from explorer.jobs.fastest_settings import settle
from explorer.jobs.machine_speed import load_calibration, speed, start_calibration
from explorer.jobs.worker_pool import worker_count
from explorer.runs.provenance import processor
from explorer.training.estimates import Speed
from explorer.training.recipe import DeviceName, Kernels, Precision, Recipe
from explorer.ui.cached_runs import dataset_title, library


def machine_summary() -> str:
    """Processor, GPU driver, runs and datasets, in one paragraph."""
    gpu = "an NVIDIA driver" if shutil.which("nvidia-smi") else "no NVIDIA driver"
    torch = "torch is installed" if find_spec("torch") else "torch is missing"
    runs = library().runs()
    counts = runs[runs["source"] == "zoo"].groupby("dataset").size()
    zoo = ", ".join(f"{count} runs on {dataset_title(str(name))}" for name, count in counts.items())
    own = int((runs["source"] != "zoo").sum())
    return f"Found here: {processor()}; {gpu}; {torch}. In the zoo: {zoo}. Your own runs: {own}."


def ready_workers() -> str:
    """Start the workers and the calibration, so that both are ready when somebody presses Start.

    Returns:
        Why there are no workers, for a person; empty where there are.
    """
    start_calibration()
    return ready()


def is_measured() -> bool:
    """Whether this machine's speed is known."""
    return load_calibration() is not None


def devices() -> tuple[str, ...]:
    """The devices to train on; the CPU alone before they were looked for."""
    found = load_calibration()
    return found.devices if found else ("cpu",)


def cost_here(
    experiment: Experiment, images: DatasetInfo
) -> tuple[Experiment, CostEstimate, tuple[str, ...]]:
    """What an experiment costs here with the settings that are fastest here, as Start trains it.

    Returns:
        The experiment with nothing left open, its cost, and the reasons for what was chosen.
    """
    settled, reasons = settle(experiment, images, speed_of)
    return settled, estimate_cost(settled, images, speed_of(settled.recipe), worker_count()), reasons


def speed_of(recipe: Recipe) -> Speed | None:
    """Speed of this machine for a recipe, or None before it was measured."""
    return _speed(recipe.device, recipe.precision, recipe.kernels, is_measured())


@st.cache_resource(ttl=10, max_entries=16, show_spinner=False)
def _speed(device: DeviceName, precision: Precision, kernels: Kernels, known: bool) -> Speed | None:
    if not known:
        return None
    runs = library().runs()
    sizes = {entry.name: entry.image_size for entry in available()}
    own = runs[runs["source"] != "zoo"]
    return speed(device, precision, own.assign(image_size=own["dataset"].map(sizes).fillna(0)), kernels)
