"""What was found on this machine, said without waking torch."""

from __future__ import annotations

import shutil
from importlib.util import find_spec

from explorer.runs.provenance import processor
from explorer.ui.data import dataset_title, library, zoo_runs


def found_here() -> str:
    """Processor, GPU driver, runs and datasets, in one paragraph."""
    gpu = "an NVIDIA driver" if shutil.which("nvidia-smi") else "no NVIDIA driver"
    torch = "torch is installed" if find_spec("torch") else "torch is missing"
    counts = zoo_runs().groupby("dataset").size()
    zoo = ", ".join(f"{count} runs on {dataset_title(str(name))}" for name, count in counts.items())
    own = int((library().runs()["source"] != "zoo").sum())
    return f"Found here: {processor()}; {gpu}; {torch}. In the zoo: {zoo}. Your own runs: {own}."
