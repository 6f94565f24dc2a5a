"""Files of weights by epoch: which runs have one, which epochs, and where they lie; torch is not needed."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from explorer.runs.zoo import PRETRAINED

FOLDER = "playback"
ABOUT = b"explorer"
AT = "@"
"""Between a run's id and an epoch, in the key of a net as it was then."""


def history_of(run_id: str, pretrained: Path = PRETRAINED) -> Path | None:
    """The file of a run's epochs, if there is one."""
    path = pretrained / FOLDER / f"{run_id}.parquet"
    return path if "/" not in run_id and path.is_file() else None


@lru_cache(maxsize=16)
def about(path: Path) -> dict[str, Any]:
    """What a file says of itself: run_id, spec, normalisation, classes, image_size, epochs, how it was made.

    Raises:
        ValueError: it is damaged, or another file.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        found: dict[str, Any] = json.loads(pq.read_schema(path).metadata[ABOUT])
    except (OSError, pa.ArrowException, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path.name} is damaged: it does not say which weights it has.") from error
    return found


def epochs_of(run_id: str) -> tuple[int, ...]:
    """Epochs whose weights are kept, in order; none where the run has no file."""
    path = history_of(run_id)
    return tuple(about(path)["epochs"]) if path else ()
