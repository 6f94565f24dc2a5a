"""The training speed of this machine, measured once in its own process and by every finished run."""

from __future__ import annotations

import contextlib
import json
import subprocess
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd

from explorer.nets.spec import NetSpec
from explorer.runs.provenance import processor, versions
from explorer.runs.run_paths import home
from explorer.runs.status import Status
from explorer.system.background import BackgroundTask
from explorer.system.files import replace_text
from explorer.training.estimates import Speed, Timing, fit_speed
from explorer.training.recipe import DeviceName, Kernels, Precision, Recipe

_VERSION = 2


@dataclass(frozen=True)
class Calibration:
    """What the calibration found.

    Attributes:
        auto: the device that `auto` stands for.
        devices: all devices there are.
        timings: steps, by device, precision and kernels.
        build_s: seconds that the fused kernels took to build; None where they cannot be had.
    """

    auto: DeviceName
    devices: tuple[DeviceName, ...]
    timings: dict[tuple[str, str, str], tuple[Timing, ...]]
    build_s: float | None = None


def speed_path() -> Path:
    """Where the calibration is kept; it may not exist yet."""
    return home() / "speed.json"


def load_calibration() -> Calibration | None:
    """The calibration of this machine and this torch; None where there is none yet."""
    path = speed_path()
    try:
        return _read(path, path.stat().st_mtime_ns)
    except OSError:
        return None


def calibrate() -> Calibration | None:
    """Calibrate now, in this process, and keep the result; some seconds on a CPU.

    Raises:
        OSError: the data folder cannot be written.
    """
    from explorer.training.calibration import time_steps
    from explorer.training.trainer import find_device

    devices: list[DeviceName] = ["cpu", *(name for name in ("cuda", "mps") if _has(name))]
    precisions: tuple[Precision, ...] = ("fp32", "bf16")
    build_s = _build_kernels()
    ways: list[tuple[DeviceName, Kernels]] = [(device, "eager") for device in devices]
    if build_s is not None:
        ways.append(("cpu", "fused"))
    timings = [
        {
            "device": device,
            "precision": precision,
            "kernels": kernels,
            "steps": [_packed(t) for t in time_steps(device, precision, kernels)],
        }
        for device, kernels in ways
        for precision in precisions
    ]
    kept = {
        "version": _VERSION,
        "machine": _machine(),
        "auto": find_device("auto").type,
        "devices": devices,
        "build_s": build_s,
        "timings": timings,
    }
    _write(speed_path(), kept)
    return load_calibration()


def _build_kernels() -> float | None:
    """Seconds of the build, or None where fused kernels cannot be had; `doctor` says why."""
    from explorer.training import kernels

    try:
        return kernels.build()
    except kernels.KernelError:
        return None


def start_calibration() -> bool:
    """Calibrate in a process of its own unless it was done, or is being done; returns at once.

    Returns:
        Whether there is no calibration yet.
    """
    if load_calibration() is not None:
        return False
    with contextlib.suppress(OSError):
        _task().start("explorer.jobs.machine_speed")
    return True


def speed(
    device: DeviceName, precision: Precision, runs: pd.DataFrame | None = None, kernels: Kernels = "eager"
) -> Speed | None:
    """Speed of this machine; None before it was measured.

    Args:
        device: `auto` stands for what the calibration found.
        precision: fp32 or bf16.
        runs: finished runs of this machine with an `image_size`, to compare with; columns `RUN_COLUMNS`.
        kernels: eager or fused.
    """
    found = load_calibration()
    if found is None:
        return None
    name = found.auto if device == "auto" else device
    kind = (name, precision, kernels)
    timings = found.timings.get(kind)
    if timings is None:
        return None
    return fit_speed(timings, _comparable(runs, kind, found.auto) if runs is not None else ())


def available_mib(device: DeviceName = "auto") -> float:
    """Free memory of the device in MiB; of the machine where the device shares it or cannot be asked."""
    import psutil

    found = load_calibration()
    name = found.auto if device == "auto" and found else device
    free = _gpu_free_mib() if name == "cuda" else None
    return float(psutil.virtual_memory().available) / 2**20 if free is None else free


def _comparable(runs: pd.DataFrame, kind: tuple[str, str, str], auto: str) -> list[Timing]:
    """Timings of finished runs made here on that device, in that precision, with those kernels."""
    timings = []
    done = runs[(runs["status"] == Status.DONE) & (runs["source"] != "zoo") & (runs["seconds"] > 0)]
    for row in done.to_dict("records"):
        recipe = Recipe.from_dict(row["recipe"])
        device = auto if recipe.device == "auto" else recipe.device
        if (device, recipe.precision, recipe.kernels) == kind and row.get("image_size"):
            step = float(row["seconds"]) / int(row["iterations"])
            spec = NetSpec.from_dict(row["spec"])
            timings.append(Timing(spec, int(row["image_size"]), recipe.batch_size, step, run=True))
    return timings


def _has(name: str) -> bool:
    import torch

    return torch.cuda.is_available() if name == "cuda" else torch.backends.mps.is_available()


@lru_cache(maxsize=4)
def _read(path: Path, _changed: int) -> Calibration | None:
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        if (kept["version"], kept["machine"]) != (_VERSION, _machine()):
            return None
        timings = {
            (part["device"], part["precision"], part["kernels"]): tuple(
                _unpacked(step) for step in part["steps"]
            )
            for part in kept["timings"]
        }
        return Calibration(kept["auto"], tuple(kept["devices"]), timings, kept["build_s"])
    except (ValueError, KeyError, TypeError):
        return None


def _machine() -> str:
    return f"{processor()}; torch {versions()['torch']}"


def _packed(timing: Timing) -> dict[str, Any]:
    shape = {"image_size": timing.image_size, "batch_size": timing.batch_size, "step_s": timing.step_s}
    return {"spec": timing.spec.to_dict(), **shape}


def _unpacked(step: dict[str, Any]) -> Timing:
    spec = NetSpec.from_dict(step["spec"])
    return Timing(spec, int(step["image_size"]), int(step["batch_size"]), float(step["step_s"]))


def _write(path: Path, kept: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_text(path, json.dumps(kept, indent=1) + "\n")


def _task() -> BackgroundTask:
    return BackgroundTask(home() / "speed.task.json")


def _gpu_free_mib() -> float | None:
    words = ["nvidia-smi", "--query-gpu=memory.free", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=5, check=True)
        return float(done.stdout.splitlines()[0])
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        return None


if __name__ == "__main__":
    _task().run(lambda _state, _progress: calibrate())
