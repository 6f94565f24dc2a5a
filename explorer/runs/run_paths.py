"""Where a user's runs are kept: one data folder, and the database named by the environment."""

from __future__ import annotations

import re
from pathlib import Path

from explorer.system.paths import HOME_VARIABLE, home

__all__ = ["DATABASE", "HOME_VARIABLE", "URL_VARIABLE", "checkpoint_path", "home", "resume_path", "run_files"]
URL_VARIABLE = "EXPLORER_DATABASE_URL"
DATABASE = "runs.sqlite3"
_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")


def checkpoint_path(run_id: str) -> Path:
    """The file of a run's weights below `home()`; it may not exist yet.

    Raises:
        ValueError: the text cannot be a run's id, and might lead out of the folder.
    """
    return _file(run_id, ".safetensors")


def resume_path(run_id: str, attempt: int) -> Path:
    """The file from which that attempt of a run goes on; raises as `checkpoint_path`."""
    return _file(run_id, f".resume-{attempt}")


def run_files(run_id: str) -> list[Path]:
    """The files of a run that are there; raises as `checkpoint_path`."""
    weights = checkpoint_path(run_id)
    found = sorted(weights.parent.glob(f"{run_id}.resume-*"))
    return [*found, weights] if weights.exists() else found


def _file(run_id: str, suffix: str) -> Path:
    if not _RUN_ID.fullmatch(run_id):
        raise ValueError(f"'{run_id[:60]}' cannot be the id of a run: use letters, digits, dots and hyphens.")
    return home() / "checkpoints" / f"{run_id}{suffix}"
