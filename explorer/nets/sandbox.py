"""How is a PyTorch file read that others wrote? Without trust, in a process that may not do much.

A file of `torch.save` is a pickle, which may hold code. It is opened by `torch.load` with
`weights_only=True` in a child process of its own (`python -m explorer.nets.sandbox IN OUT`) under
a memory and a time limit. The child hands back plain tensors as safetensors, and the caller checks
those like any file from outside.
"""

from __future__ import annotations

import io
import os
import pickle
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import psutil
import safetensors.torch
import torch
from torch import Tensor, nn

from explorer.nets.refusal import MAX_FILE_BYTES, CheckpointError

BEST_ACCURACY = "best_prec1"
TIME_LIMIT_S = 60
_COPIES = 5
_SMALL_BYTES = 256 * 2**20
_MAX_TENSORS = 20_000
_MAX_NAME = 512
_WRAPPERS = ("state_dict", "model_state_dict", "model", "net")
_CUT_ARCHIVE = "its archive is cut short or damaged; save or download it again"
_CODE, _DAMAGED, _NO_STATE, _TOO_LARGE, _LYING = range(3, 8)
_REASONS = {
    _CODE: "it contains code, which was not run; ask for a file that holds only a state dict",
    _DAMAGED: "it is damaged or holds more than tensors, and nothing in it was run; ask for a state dict",
    _NO_STATE: "it holds no state dict of plain tensors; save net.state_dict() and load that file",
    _TOO_LARGE: "its tensors need more memory than a checkpoint may take; choose a smaller net",
    _LYING: "its tensors claim more values than the file holds; it is damaged or was made to do harm",
}


def is_torch_file(start: bytes) -> bool:
    """Whether the first 9 bytes are those of a zip archive or a pickle, not of safetensors."""
    return start.startswith(b"PK\x03\x04") or (start.startswith(b"\x80") and start[8:9] != b"{")


def convert(data: bytes) -> bytes:
    """The tensors of a PyTorch file as safetensors, read in a limited child process.

    Raises:
        CheckpointError: the file holds code, is damaged, or is no state dict.
    """
    if data.startswith(b"PK"):
        _check_zip(data)
    with tempfile.TemporaryDirectory(prefix="checkpoint-", ignore_cleanup_errors=True) as folder:
        source, target = Path(folder) / "in", Path(folder) / "out"
        source.write_bytes(data)
        code = _run_child(source, target)
        if code != 0:
            raise CheckpointError(_REASONS.get(code, _REASONS[_DAMAGED]))
        if target.stat().st_size > 2 * MAX_FILE_BYTES:
            raise CheckpointError(_REASONS[_TOO_LARGE])
        return target.read_bytes()


def _run_child(source: Path, target: Path) -> int:
    root = str(Path(__file__).resolve().parents[2])
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TORCH_FORCE")}
    paths = os.pathsep.join(filter(None, [root, kept.get("PYTHONPATH")]))
    limits = {"PYTHONPATH": paths, "CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-P", "-W", "ignore", "-m", "explorer.nets.sandbox", str(source), str(target)]
    try:
        child = subprocess.run(
            command,
            env=kept | limits,
            cwd=source.parent,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=TIME_LIMIT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise CheckpointError(f"it takes over {TIME_LIMIT_S} s to read; choose a smaller file") from None
    return child.returncode


def _check_zip(data: bytes) -> None:
    """Refuse an archive that could unfold, hide or repeat data; `torch.save` writes none of these."""
    if data.count(b"PK\x01\x02") > _MAX_TENSORS:  # counted before a directory of them is built
        raise CheckpointError(_REASONS[_TOO_LARGE])
    if data[-22:-18] != b"PK\x05\x06" or data[-2:] != b"\0\0":  # all readers must find one directory
        raise CheckpointError(_CUT_ARCHIVE)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
                raise CheckpointError("its archive is compressed; save it again with torch.save")
            if sum(max(entry.file_size, entry.compress_size) for entry in entries) > len(data):
                raise CheckpointError(_REASONS[_LYING])
            names = {entry.filename for entry in entries}
            if len(names) < len(entries) or not all(map(_is_sane, entries)):
                raise CheckpointError("its archive has names that torch.save never writes; save it again")
            for entry in entries:
                archive.open(entry).close()  # compares the entry's own header with the directory
    except CheckpointError:
        raise
    except Exception:  # noqa: BLE001 - zipfile fails in many ways on a damaged archive
        raise CheckpointError(_CUT_ARCHIVE) from None


def _is_sane(entry: zipfile.ZipInfo) -> bool:
    name = entry.filename
    plain = len(name) <= _MAX_NAME and "\\" not in name and not re.match("[A-Za-z]:", name)
    return plain and not {"", "..", "."} & set(name.split("/")) and not entry.flag_bits & 1


def main(source: str, target: str) -> int:
    """The child's work: the tensors of the PyTorch file `source`, written to `target`; an exit code."""
    try:
        loaded = torch.load(source, map_location="cpu", weights_only=True)
    except Exception as error:  # noqa: BLE001 - a damaged file fails in any way at all
        return _reason(error)
    state, accuracy = _unwrapped(loaded)
    if not state or len(state) > _MAX_TENSORS or not all(_is_plain(*item) for item in state.items()):
        return _NO_STATE
    if not _fits(state.values(), Path(source).stat().st_size):
        return _LYING
    try:
        plain = {name: _copied(tensor) for name, tensor in state.items()}
        safetensors.torch.save_file(plain, target, accuracy)
    except Exception as error:  # noqa: BLE001 - most likely out of memory or disk
        return _reason(error)
    return 0


def _limit_memory(file_bytes: int) -> None:
    """Cap what may come on top of torch itself, whose CUDA build maps gigabytes that it never uses."""
    if sys.platform.startswith("linux"):
        import resource

        limit = psutil.Process().memory_info().vms + _COPIES * max(file_bytes, _SMALL_BYTES)
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _reason(error: Exception) -> int:
    if isinstance(error, MemoryError) or "allocate memory" in str(error):
        return _TOO_LARGE
    code = r"\bGLOBAL\b|Unsupported class|unrecognized function|Can only (create new object|build)"
    return _CODE if isinstance(error, pickle.UnpicklingError) and re.search(code, str(error)) else _DAMAGED


def _unwrapped(loaded: Any) -> tuple[dict[Any, Any], dict[str, str]]:
    notes: dict[str, str] = {}
    for _ in _WRAPPERS:
        if not isinstance(loaded, Mapping):
            return {}, notes
        if isinstance(loaded.get(BEST_ACCURACY), int | float):
            notes = {BEST_ACCURACY: str(float(loaded[BEST_ACCURACY]))}
        inner = [loaded[key] for key in _WRAPPERS if isinstance(loaded.get(key), Mapping)]
        if not inner:
            break
        loaded = inner[0]
    return dict(loaded), notes


def _is_plain(name: Any, value: Any) -> bool:
    return (
        isinstance(name, str)
        and len(name) <= _MAX_NAME
        and type(value) in (Tensor, nn.Parameter)
        and value.layout is torch.strided
        and value.device.type == "cpu"
        and not value.is_quantized
    )


def _fits(tensors: Collection[Tensor], file_bytes: int) -> bool:
    """Whether the tensors hold no more values than their file: a view can repeat one value for ever."""
    sizes = [tensor.numel() * tensor.element_size() for tensor in tensors]
    stored = [tensor.untyped_storage().nbytes() for tensor in tensors]
    return sum(sizes) <= file_bytes and all(size <= kept for size, kept in zip(sizes, stored, strict=True))


def _copied(tensor: Tensor) -> Tensor:
    dtype = torch.float32 if tensor.dtype == torch.float64 else tensor.dtype
    return tensor.detach().to(dtype, copy=True, memory_format=torch.contiguous_format)


if __name__ == "__main__":
    _limit_memory(Path(sys.argv[1]).stat().st_size)
    torch.set_num_threads(1)
    sys.exit(main(sys.argv[1], sys.argv[2]))
