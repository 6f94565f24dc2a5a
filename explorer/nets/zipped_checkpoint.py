"""A checkpoint that came alone in a zip, unpacked for as long as it is read. Free of torch."""

from __future__ import annotations

import struct
import tempfile
import zipfile
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from explorer.nets.errors import MAX_FILE_BYTES, CheckpointError, short

_ENDINGS = (".pt", ".pth", ".th", ".ckpt", ".bin", ".safetensors", ".tar", ".model", ".t7", ".pkl")
_MOST_ENTRIES = 2000
_CHUNK = 2**20
_DAMAGED = (
    zipfile.BadZipFile,
    OSError,
    RuntimeError,
    NotImplementedError,
    EOFError,
    ValueError,
    zlib.error,
    struct.error,
)


def held_checkpoints(names: Collection[str]) -> list[str]:
    """The names in a zip that a checkpoint may have; none if the zip itself is a file of `torch.save`."""
    if any(name.split("/")[-1] in ("data.pkl", "constants.pkl") for name in names):
        return []
    return [name for name in names if name.lower().endswith(_ENDINGS) and not name.startswith("__MACOSX")]


@contextmanager
def inside(path: Path) -> Iterator[tuple[Path, str]]:
    """The file to read, and a remark: the checkpoint inside a zip that holds one, or the file itself.

    Raises:
        CheckpointError: the zip holds several checkpoints, or one that is too large or damaged.
    """
    names = _names(path)
    held = held_checkpoints(names)
    if not held:
        yield path, ""
        return
    if len(held) > 1:
        listed = ", ".join(short(name) for name in held[:3])
        raise CheckpointError(
            f"Cannot load {path.name}: it is a zip that holds {len(held)} checkpoints ({listed}); unpack it "
            "and choose one."
        )
    with tempfile.TemporaryDirectory(prefix="unpacked-", ignore_cleanup_errors=True) as folder:
        target = Path(folder) / (PurePosixPath(held[0].replace("\\", "/")).name or "checkpoint")
        try:
            _unpack(path, held[0], target)
        except CheckpointError as error:
            raise CheckpointError(f"Cannot load {path.name}: {error}.") from None
        except _DAMAGED:
            raise CheckpointError(f"Cannot load {path.name}: the zip is damaged or locked.") from None
        yield target, f"Read from {short(held[0])} inside the zip."


def _names(path: Path) -> list[str]:
    try:
        with path.open("rb") as file:
            if file.read(4) != b"PK\x03\x04":
                return []
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            return [entry.filename for entry in entries[:_MOST_ENTRIES] if not entry.is_dir()]
    except _DAMAGED:
        return []  # whoever reads the file says what is wrong with it


def _unpack(path: Path, name: str, target: Path) -> None:
    """Write one entry, and no more of it than a checkpoint may have."""
    with zipfile.ZipFile(path) as archive, archive.open(name) as source, target.open("wb") as file:
        left = MAX_FILE_BYTES
        while chunk := source.read(_CHUNK):
            left -= len(chunk)
            if left < 0:
                raise CheckpointError(f"{short(name)} in it is larger than {MAX_FILE_BYTES // 2**20} MiB")
            file.write(chunk)
