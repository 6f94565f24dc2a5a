"""Why a run failed: one sentence for a person, with what can be done about it."""

from __future__ import annotations

import errno
import math
import traceback

from explorer.training.history import EpochRecord

_OUT_OF_MEMORY = (
    "It ran out of memory{where}. Take a smaller batch, or a net that is less deep or less wide; or let the "
    "other runs end first."
)
# torch has no class for a CPU allocation that fails
_CPU_SIGNS = ("DefaultCPUAllocator", "can't allocate memory", "not enough memory")


class DivergedError(ValueError):
    """The loss is not a number any more; the text says since when and what to change."""


def check_finite(record: EpochRecord, lr: float) -> None:
    """Refuse to go on with a net whose loss is not a number.

    Args:
        record: the epoch that has just ended.
        lr: peak learning rate of the recipe.

    Raises:
        DivergedError: its training or test loss is infinite or not a number.
    """
    if record.epoch == 0 or math.isfinite(record.train_loss + record.test_loss):
        return
    start = record.iteration - len(record.step_losses) + 1
    lost = [number for number, loss in enumerate(record.step_losses, start) if not math.isfinite(loss)]
    since = f"since iteration {lost[0]}" if lost else f"on the test images after iteration {record.iteration}"
    raise DivergedError(
        f"The loss is not a number {since}: training diverged. Lower the learning rate (it peaks at "
        f"{lr:g}) or lengthen the warm-up."
    )


def explain(error: BaseException) -> str:
    """The reason to show for a run that ended with this error."""
    if _is_out_of_memory(error):
        where = " on the GPU" if "CUDA" in str(error) else ""
        return _OUT_OF_MEMORY.format(where=where)
    if isinstance(error, OSError):
        return _of_system(error)
    if isinstance(error, ValueError) and str(error):  # ours are written for people
        return str(error)
    frame = traceback.extract_tb(error.__traceback__)[-1:]
    where = f" ({frame[0].filename.rpartition('explorer')[2]}, line {frame[0].lineno})" if frame else ""
    said = f"{type(error).__name__}: {str(error)[:300]}{where}"
    return f"Training stopped with an unexpected error: {said}. Retry starts from the beginning."


def _is_out_of_memory(error: BaseException) -> bool:
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, RuntimeError) and any(sign in str(error) for sign in _CPU_SIGNS)


def _of_system(error: OSError) -> str:
    said = f"{error.filename or 'A file'}: {(error.strerror or str(error)).lower()}"
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return f"The disk is full ({said}). Make room and resume: nothing that was stored is lost."
    return f"A file cannot be read or written ({said}). Check the disk and the permissions, then resume."
