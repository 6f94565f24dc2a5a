"""Reading PyTorch files of others: without trust, in a process that may not do much.

A file of `torch.save` is a pickle, which may hold code. It is opened by `torch.load` with
`weights_only=True` in a child process of its own (`python -m explorer.nets.sandbox IN OUT`) under
a memory and a time limit. The child hands back plain tensors as safetensors, and the caller checks
those like any file from outside.
"""

from __future__ import annotations

import io
import json
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

from explorer.nets.errors import MAX_FILE_BYTES, CheckpointError, short
from explorer.nets.safe_types import stand_ins
from explorer.nets.zipped_checkpoint import held_checkpoints

BEST_ACCURACY = "best_prec1"
ORDER = "resnet_explorer_order"
"""Metadata: the order of the state dict; see `explorer.nets.tensor_file.in_order`."""
WRAPPED = "resnet_explorer_wrapped"
"""Metadata: the name of the dictionary inside the file that holds all tensors, if they are in one."""
BESIDE = "resnet_explorer_beside"
"""Metadata: what else the file holds, by name."""
TIME_LIMIT_S = 60
_COPIES = 5
_SMALL_BYTES = 256 * 2**20
_MAX_TENSORS = 20_000
_MAX_NAME = 512
_MAX_DEPTH = 8
_OPTIMISER = re.compile(r"optim|scheduler|scaler|amp$", re.IGNORECASE)
_MOST_NAMED = 12
_CUT_ARCHIVE = "its archive is cut short or damaged; save or download it again"
_CODE, _DAMAGED, _NO_STATE, _TOO_LARGE, _LYING = range(3, 8)
_WANTED = "choose a safetensors file or a PyTorch file (.pt, .pth, .th)"
_REASONS = {
    _CODE: "it contains code, such as a whole model, which was not run; ask for a file that holds only a "
    "state dict",
    _DAMAGED: "it is damaged or holds more than tensors, and nothing in it was run; ask for a state dict",
    _NO_STATE: "it holds no state dict of plain tensors; save net.state_dict() and load that file",
    _TOO_LARGE: "its tensors need more memory than a checkpoint may take; choose a smaller net",
    _LYING: "its tensors claim more values than the file holds; it is damaged or was made to do harm",
}


_STARTS = (
    (b"\x89HDF", "it is an HDF5 file, as Keras writes them"),
    (b"\x93NUMPY", "it is a numpy array"),
    (b"version https://", "it is a pointer of Git LFS, not the file itself: fetch it with git lfs pull"),
    (b"<", "it is a web page or XML: the download did not give the file"),
    (b"{", "it is JSON, such as settings or an index of shards"),
    (b"GGUF", "it is a GGUF file"),
    (b"\x1f\x8b", "it is compressed (gzip): unpack it first"),
    (b"\xfd7zXZ", "it is compressed (xz): unpack it first"),
    (b"BZh", "it is compressed (bzip2): unpack it first"),
    (b"7z\xbc\xaf", "it is a 7z archive: unpack it first"),
    (b"Rar!", "it is a RAR archive: unpack it first"),
)


def refuse_by_start(start: bytes) -> None:
    """Refuse what the first 16 bytes show to be another kind of file.

    Raises:
        CheckpointError: the text names the kind.
    """
    if start[8:9] == b"{":  # safetensors, whose length may look like anything
        return
    for magic, kind in _STARTS:
        if start.lstrip().startswith(magic):
            raise CheckpointError(f"{kind}; {_WANTED}")
    if start.startswith(b"\x08") and start[2:3] in (b"\x12", b"\x1a", b":"):
        raise CheckpointError(f"it looks like an ONNX file, not a checkpoint; {_WANTED}")


def is_torch_file(start: bytes) -> bool:
    """Whether the first 9 bytes are those of a zip archive or a pickle, not of safetensors."""
    return start.startswith(b"PK\x03\x04") or (start.startswith(b"\x80") and start[8:9] != b"{")


def convert(data: bytes) -> bytes:
    """The tensors of a PyTorch file as safetensors, read in a limited child process.

    Raises:
        CheckpointError: the file holds code, is damaged, or is not a state dict.
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
            _refuse_other_archive([entry.filename for entry in entries])
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


def _refuse_other_archive(names: Collection[str]) -> None:
    """Refuse a zip that `torch.save` did not write, and say what it is."""
    if any("/code/" in name or name.endswith("/constants.pkl") for name in names):
        raise CheckpointError(
            "it is TorchScript, which holds code: save net.state_dict() with torch.save and load that file"
        )
    if any(name.split("/")[-1] == "data.pkl" for name in names):
        return
    if names and all(name.endswith(".npy") for name in names):
        raise CheckpointError(f"it is an archive of numpy arrays (.npz), no checkpoint; {_WANTED}")
    if any(name.endswith(("model.weights.h5", "saved_model.pb")) for name in names):
        raise CheckpointError(f"it is a model of Keras or TensorFlow; {_WANTED}")
    inside = held_checkpoints(names)
    if inside:
        more = f" and {len(inside) - 1} more" if len(inside) > 1 else ""
        raise CheckpointError(
            f"it is a zip that holds {short(inside[0])}{more}: unpack it and load the file inside"
        )


def _is_sane(entry: zipfile.ZipInfo) -> bool:
    name = entry.filename
    plain = len(name) <= _MAX_NAME and "\\" not in name and not re.match("[A-Za-z]:", name)
    return plain and not {"", "..", "."} & set(name.split("/")) and not entry.flag_bits & 1


def main(source: str, target: str) -> int:
    """The child's work: the tensors of the PyTorch file `source`, written to `target`; an exit code."""
    try:
        with torch.serialization.safe_globals(stand_ins()):
            loaded = torch.load(source, map_location="cpu", weights_only=True)
    except Exception as error:  # noqa: BLE001 - a damaged file fails in any way at all
        return _reason(error)
    state, notes = _collected(loaded)
    if not state or len(state) > _MAX_TENSORS:
        return _NO_STATE
    if not _fits(state.values(), Path(source).stat().st_size):
        return _LYING
    try:
        plain = {name: _copied(tensor) for name, tensor in state.items()}
        safetensors.torch.save_file(plain, target, notes)
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


def _collected(loaded: Any) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors of all dictionaries in the file by name, and what the reader is told about the rest.

    Names below one dictionary alone are as they are there; of several, each has that of its dictionary
    before it. An optimiser's tensors, which have numbers for names, are none of a net's.
    """
    found: dict[tuple[str, ...], dict[str, Tensor]] = {}
    seen: set[int] = set()
    beside: list[str] = []
    accuracy: dict[str, str] = {}
    waiting: list[tuple[tuple[str, ...], Any]] = [((), loaded)]
    while waiting:
        path, part = waiting.pop(0)
        if not isinstance(part, Mapping) or id(part) in seen or len(path) > _MAX_DEPTH:
            continue
        seen.add(id(part))
        if isinstance(part.get(BEST_ACCURACY), int | float) and not accuracy:
            accuracy = {BEST_ACCURACY: str(float(part[BEST_ACCURACY]))}
        for name, value in list(part.items())[:_MAX_TENSORS]:
            if _is_plain(name, value):
                found.setdefault(path, {})[name] = value
            elif isinstance(name, str) and isinstance(value, Mapping) and not _OPTIMISER.match(name):
                waiting.append(((*path, name[:_MAX_NAME]), value))
            elif not (isinstance(value, Mapping) and not value):
                beside.append(str(name)[:40] if isinstance(name, str) else "unnamed values")
    alone = len(found) == 1
    state = {
        name if alone else "/".join((*path, name)): value
        for path, part in found.items()
        for name, value in part.items()
    }
    wrapped = "/".join(next(iter(found))) if alone else ""
    return state, accuracy | {WRAPPED: wrapped} | _told(state, beside)


def _told(state: Mapping[str, Tensor], beside: Collection[str]) -> dict[str, str]:
    places = {name: place for place, name in enumerate(sorted(state))}
    named = [name for name in dict.fromkeys(beside) if name.isprintable()]
    text = ", ".join(named[:_MOST_NAMED]) + (
        f" and {len(named) - _MOST_NAMED} more" if len(named) > _MOST_NAMED else ""
    )
    return {ORDER: json.dumps([places[name] for name in state], separators=(",", ":")), BESIDE: text}


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
