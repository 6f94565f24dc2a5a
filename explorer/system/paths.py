"""The data folder: EXPLORER_HOME, or the platform's place for a user's data."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import platformdirs

HOME_VARIABLE = "EXPLORER_HOME"
ROOT = Path(__file__).resolve().parents[2]
"""The folder that holds `explorer` and `pages`."""
_NAME = "resnet-explorer"


def home() -> Path:
    """The data folder: EXPLORER_HOME, or the platform's place for a user's data; it may not exist yet."""
    chosen = os.environ.get(HOME_VARIABLE)
    if chosen:
        return Path(chosen).expanduser().absolute()
    folder = platformdirs.user_data_path(_NAME, appauthor=False)
    former = _former_data() / _NAME
    return former if former.exists() and not folder.exists() else folder


def _former_data() -> Path:
    """Where earlier versions kept data: the same place, unless a variable or a link leads elsewhere."""
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
