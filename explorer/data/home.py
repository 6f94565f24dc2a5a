"""Where does the explorer keep a user's things? In one data folder."""

from __future__ import annotations

import os
import sys
from pathlib import Path

HOME_VARIABLE = "EXPLORER_HOME"


def home() -> Path:
    """The data folder: EXPLORER_HOME, or the platform's place for a user's data; it may not exist yet."""
    chosen = os.environ.get(HOME_VARIABLE)
    return Path(chosen).expanduser().absolute() if chosen else _platform_data() / "resnet-explorer"


def _platform_data() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
