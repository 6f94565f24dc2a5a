"""What an interrupted run goes on from: one file per run with all that the rest of it depends on.

It holds weights, momentum, BN statistics, the step and the losses of the epoch so far. The order of
the images and their augmentation follow from the recipe's seed and the epoch, and the records of
finished epochs are in the store, which always has at least those that the file was written after.
"""

from __future__ import annotations

import io
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from explorer.nets.spec import NetSpec
from explorer.system.files import replace_file
from explorer.training.recipe import Recipe
from explorer.training.trainer import Trainer

_VERSION = 1


class ResumeError(ValueError):
    """The run cannot go on from its file; the text says why and what to do."""


def frozen_state(trainer: Trainer) -> dict[str, Any]:
    """A copy of what the rest of the run depends on, on the CPU, that further steps do not change."""
    return {
        "version": _VERSION,
        "spec": trainer.spec.to_dict(),
        "recipe": trainer.recipe.to_dict(),
        "data_hash": trainer.dataset.split("train").sha256,
        "state": _copied(trainer.state()),
    }


def write_resume(path: Path, frozen: dict[str, Any]) -> None:
    """Replace the file, so that a kill at any instant leaves the old or the new one whole.

    Raises:
        ResumeError: there is no room, or no permission.
    """
    buffer = io.BytesIO()
    torch.save(frozen, buffer)
    try:
        replace_file(path, buffer.getbuffer())
    except OSError as error:
        raise ResumeError(
            f"The checkpoint {path} cannot be written ({(error.strerror or 'unknown error').lower()}). Make "
            "room on the disk or check the folder's permissions; then resume goes on from the checkpoint "
            "before."
        ) from error


def load_resume(path: Path, trainer: Trainer) -> bool:
    """Let the trainer go on from the file; False where there is none, and the run begins at its start.

    Raises:
        ResumeError: the file is damaged, or belongs to other settings or other data.
    """
    try:
        frozen = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        return False
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError):
        raise ResumeError(f"The checkpoint {path} is damaged. Retry begins the run again.") from None
    if other := _differences(frozen, trainer):
        what = "data" if other == ["data_hash"] else "settings"
        raise ResumeError(
            f"The run cannot go on from {path}: it was written with other {what}. Put the old {what} back, "
            "or retry, which begins the run again."
        )
    trainer.load_state(frozen["state"])
    return True


def _differences(frozen: dict[str, Any], trainer: Trainer) -> list[str]:
    """What the file was written with that differs here; kernels do not count, since the state tells them."""
    try:
        spec = NetSpec.from_dict(frozen["spec"])
        recipe = replace(Recipe.from_dict(frozen["recipe"]), kernels=trainer.recipe.kernels)
    except (KeyError, TypeError, ValueError):
        return ["settings"]
    same = {
        "version": frozen.get("version") == _VERSION,
        "spec": spec == trainer.spec,
        "recipe": recipe == trainer.recipe,
        "data_hash": frozen.get("data_hash") == trainer.dataset.split("train").sha256,
    }
    return [name for name, alike in same.items() if not alike]


def _copied(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.detach().to("cpu", copy=True)
    if isinstance(value, dict):
        return {name: _copied(part) for name, part in value.items()}
    return [_copied(part) for part in value] if isinstance(value, list) else value
