"""`CheckpointError`, and the words in which checkpoints are refused."""

from __future__ import annotations

MAX_FILE_BYTES = 576 * 2**20
"""Room for VGG-19, the largest net that is read here (548 MiB)."""
CUT_SHORT = "it is cut short or damaged; save or download it again"
NO_CHECKPOINT = "it is not a checkpoint; choose a safetensors file or a PyTorch file (.pt, .pth, .th)"


class CheckpointError(ValueError):
    """A checkpoint cannot be loaded or saved; the text says why and what to do."""


def words(error: OSError) -> str:
    """What the system says, in lower case."""
    return (error.strerror or "unknown error").lower()


def short(value: object) -> str:
    """A value of a file from outside, never a page of it."""
    return str(value)[:160]


def some(names: set[str]) -> str:
    """The first two names, and how many more there are."""
    listed = ", ".join(short(name) for name in sorted(names)[:2])
    return f"{listed} and {len(names) - 2} more" if len(names) > 2 else listed
