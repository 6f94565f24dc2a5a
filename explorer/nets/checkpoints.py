"""How is a net kept in a file, and when may a file be trusted?

Our own files are safetensors: tensors, and in the header's metadata what rebuilds and explains the
net. Nothing in a file is executed. Size, header, spec, names, shapes and dtypes are compared before
a value is read, and every value before a net is handed out.
"""

from __future__ import annotations

import contextlib
import errno
import io
import json
import os
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Literal

import psutil
import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from explorer.nets import foreign
from explorer.nets.build import CifarNet, skeleton
from explorer.nets.foreign import MAX_FILE_BYTES, CheckpointError
from explorer.nets.normalisation import Normalisation
from explorer.nets.spec import Family, NetSpec

__all__ = [
    "Checkpoint",
    "CheckpointError",
    "load_checkpoint",
    "replace_file",
    "save_checkpoint",
    "sweep_temporaries",
]

MAX_HEADER_BYTES = 4 * 2**20
_VERSION = 1
_MAX_SIDE = 1024
_FORMAT = "resnet_explorer_format"
_FLOATS = ("F32", "F16", "BF16")
_TEMPORARY = re.compile(r"\.checkpoint-(\d{1,9})-(\d{1,12})-[0-9a-f]{16}\.partial")
_CUT_SHORT = "it is cut short or damaged; save or download it again"
_NO_CHECKPOINT = "it is no checkpoint; choose a safetensors file or a PyTorch file (.pt, .pth, .th)"

_ABOUT: dict[str, Any] = {
    "spec": dict,
    "normalisation": dict | None,
    "classes": list | None,
    "recipe": dict,
    "metrics": dict,
    "dataset": str | None,
    "image_size": int | None,
}

_Entries = dict[str, tuple[str, tuple[int, ...]]]


@dataclass(frozen=True)
class Checkpoint:
    """A net from a file and what the file says about it.

    Attributes:
        net: in evaluation mode, float32, on the CPU.
        spec: which net it is.
        normalisation: how its inputs were normalised; None where the file does not tell.
        classes: the names of its outputs, if known.
        recipe: how it was trained, as saved.
        metrics: what was measured, by name with the unit as suffix.
        dataset: what it was trained on, if known.
        image_size: side of the square images it was trained on in pixels, if known.
        origin: a file of this explorer, or one published elsewhere.
    """

    net: CifarNet
    spec: NetSpec
    normalisation: Normalisation | None = None
    classes: tuple[str, ...] | None = None
    recipe: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    dataset: str | None = None
    image_size: int | None = None
    origin: Literal["explorer", "published"] = "explorer"


def load_checkpoint(path: str | os.PathLike[str], *, family: Family | None = None) -> Checkpoint:
    """Read a file saved here, or a state dict of a CIFAR ResNet that others saved with PyTorch.

    Published files do not say all: a plain and a residual net have the same tensors, and None means
    residual. A net with akamaster's names and three input channels gets the normalisation that
    repository trains with, and its channels are renumbered to our option A, which leaves its logits
    as they were up to rounding.

    Args:
        path: a safetensors file, or one of `torch.save` in its zip or its older format.
        family: plain or residual, for a published file; files saved here say it themselves.

    Raises:
        CheckpointError: the file cannot be read or trusted; nothing of it was run or kept.
    """
    path = Path(path)
    try:
        _check_place(path)
        with path.open("rb") as file:
            return _load(file, os.fstat(file.fileno()).st_size, family)
    except CheckpointError as error:
        reason = str(error)
    except OSError as error:
        reason = f"it cannot be read ({_words(error)}); check its permissions and its disk"
    except MemoryError:
        reason = "this computer has too little free memory for it; close something and try again"
    raise CheckpointError(f"Cannot load {path.name}: {reason}.")


def _check_place(path: Path) -> None:
    if path.is_dir():
        raise CheckpointError("it is a folder; choose a file inside it")
    if not path.exists():
        raise CheckpointError("there is no such file; check its name")
    if not path.is_file():  # opening a pipe or a device could wait for ever
        raise CheckpointError("it is no ordinary file; choose another")


def _load(file: BinaryIO, size: int, family: Family | None) -> Checkpoint:
    if size == 0:
        raise CheckpointError("it is empty; save or download it again")
    if size > MAX_FILE_BYTES:
        raise CheckpointError(f"it is larger than {MAX_FILE_BYTES // 2**20} MiB; choose a smaller net")
    start = file.read(9)
    file.seek(0)
    if foreign.is_torch_file(start):
        plain = foreign.convert(file.read())
        file, size = io.BytesIO(plain), len(plain)
    shapes, metadata = _read_header(file, size)
    if _FORMAT in metadata:
        return _load_own(file, shapes, metadata)
    return _load_published(file, shapes, metadata, family)


def _load_own(file: BinaryIO, entries: _Entries, metadata: dict[str, str]) -> Checkpoint:
    about = _read_about(metadata)
    net = _check_tensors(entries, about["spec"])
    return Checkpoint(net=_filled(net, _read_tensors(file)), **about)


def _load_published(
    file: BinaryIO, entries: _Entries, metadata: dict[str, str], family: Family | None
) -> Checkpoint:
    found = foreign.recognise({name: shape for name, (_, shape) in entries.items()}, family)
    renamed = {found.names[name]: entry for name, entry in entries.items()}
    # Nets from before PyTorch 0.4.1 have no batch counters; nothing depends on their values.
    norms = [name.removesuffix("running_var") for name in renamed if name.endswith("running_var")]
    missing = {f"{norm}num_batches_tracked" for norm in norms} - set(renamed)
    net = _check_tensors(renamed | dict.fromkeys(missing, ("I64", ())), found.spec)
    state = {found.names[name]: tensor for name, tensor in _read_tensors(file).items()}
    state |= {name: torch.zeros((), dtype=torch.int64) for name in missing}
    if found.padded_both_sides:
        state = foreign.reorder_channels(state, found.spec)
    net = _filled(net, state)
    metrics = _published_metrics(metadata)
    return Checkpoint(net, found.spec, found.normalisation, metrics=metrics, origin="published")


def _published_metrics(metadata: dict[str, str]) -> dict[str, Any]:
    try:
        accuracy = float(metadata.get(foreign.BEST_ACCURACY, ""))
    except ValueError:
        return {}
    return {"best_top1_accuracy_pct": accuracy} if 0 <= accuracy <= 100 else {}


def _read_header(file: BinaryIO, size: int) -> tuple[_Entries, dict[str, str]]:
    """Dtype and shape by tensor name, and the metadata; values are not read."""
    length = int.from_bytes(file.read(8), "little")
    if length > min(MAX_HEADER_BYTES, size - 8):
        raise CheckpointError(_CUT_SHORT if 0 < length <= MAX_HEADER_BYTES else _NO_CHECKPOINT)
    header = _json(file.read(length))
    metadata = header.pop("__metadata__", {}) if isinstance(header, dict) else None
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise CheckpointError(_NO_CHECKPOINT)
    entries = {name: _entry(entry, size - 8 - length) for name, entry in header.items()}
    return entries, metadata


def _entry(fields: Any, data_bytes: int) -> tuple[str, tuple[int, ...]]:
    try:
        dtype, shape, (begin, end) = fields["dtype"], fields["shape"], fields["data_offsets"]
        numbers = [*shape, begin, end]
    except (TypeError, KeyError, ValueError):
        raise CheckpointError(_CUT_SHORT) from None
    if type(dtype) is not str or not all(type(number) is int and number >= 0 for number in numbers):
        raise CheckpointError(_CUT_SHORT)
    if not begin <= end <= data_bytes:
        raise CheckpointError(_CUT_SHORT)
    return dtype, tuple(shape)


def _json(text: str | bytes) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise CheckpointError(_CUT_SHORT) from None


def _check_tensors(entries: _Entries, spec: NetSpec) -> CifarNet:
    """The net without memory for its weights, if the file holds exactly its tensors."""
    if len(entries) < spec.depth:  # before a net of a thousand layers is laid out for nothing
        raise CheckpointError(f"it has {len(entries)} tensors, too few for {spec.title}; save it again")
    net = skeleton(spec)
    wanted = net.state_dict()
    for what, names in (("lacks", wanted.keys() - entries), ("has also", entries.keys() - wanted)):
        if names:
            raise CheckpointError(f"{spec.title} does not fit it: it {what} {_some(names)}")
    for name, tensor in wanted.items():
        dtype, shape = entries[name]
        if shape != tuple(tensor.shape):
            raise CheckpointError(
                f"{spec.title} does not fit it: {name} has shape {_short(shape)}, not {tuple(tensor.shape)}"
            )
        if dtype not in (_FLOATS if tensor.is_floating_point() else ("I64",)):
            raise CheckpointError(f"{name} has the type {_short(dtype)}; save the net as float32 or float16")
    return net


def _read_tensors(file: BinaryIO) -> dict[str, Tensor]:
    file.seek(0)
    try:
        return safetensors.torch.load(file.read())
    except (SafetensorError, ValueError, KeyError, TypeError):
        raise CheckpointError(_CUT_SHORT) from None


def _filled(net: CifarNet, state: Mapping[str, Tensor]) -> CifarNet:
    _check_values(state)
    net = net.to_empty(device="cpu")
    try:
        net.load_state_dict(dict(state), strict=True)
    except RuntimeError:
        raise CheckpointError(_CUT_SHORT) from None
    return net.eval()


def _check_values(state: Mapping[str, Tensor]) -> None:
    for name, tensor in state.items():
        if not bool(torch.isfinite(tensor).all()):
            raise CheckpointError(f"{name} holds values that are not finite; use one from before it diverged")
        if name.endswith(("running_var", "num_batches_tracked")) and bool((tensor < 0).any()):
            raise CheckpointError(f"{name} holds negative values, which no training gives; save it again")


def _read_about(metadata: Mapping[str, str]) -> dict[str, Any]:
    """The fields of `Checkpoint` that metadata hold, each checked."""
    if metadata[_FORMAT] != str(_VERSION):
        raise CheckpointError("another version of the explorer saved it; update the explorer and try again")
    fields = {name: _json(metadata.get(name, "null")) for name in _ABOUT}
    if not all(isinstance(fields[name], kind) for name, kind in _ABOUT.items()):
        raise CheckpointError("what it says about itself is damaged; save or download it again")
    try:
        spec = NetSpec.from_dict(fields["spec"])
        scale = fields["normalisation"]
        normalisation = None if scale is None else Normalisation.from_dict(scale)
    except ValueError as error:
        raise CheckpointError(f"what it says about itself is wrong. {_short(error).rstrip('.')}") from None
    if normalisation is not None and len(normalisation.mean) != spec.in_channels:
        raise CheckpointError(f"its normalisation is not one for {spec.in_channels} channels; correct it")
    size = fields["image_size"]
    if size is not None and (isinstance(size, bool) or not 1 <= size <= _MAX_SIDE):
        raise CheckpointError(f"its image size is no number of pixels from 1 to {_MAX_SIDE}; correct it")
    classes = None if fields["classes"] is None else tuple(fields["classes"])
    texts = all(isinstance(name, str) for name in classes or ())
    if classes is not None and not (texts and len(classes) == spec.classes):
        raise CheckpointError(f"its class names are not {spec.classes} texts, one a class; correct them")
    return fields | {"spec": spec, "normalisation": normalisation, "classes": classes}


def save_checkpoint(
    path: str | os.PathLike[str],
    net: CifarNet,
    *,
    normalisation: Normalisation | None = None,
    classes: Sequence[str] | None = None,
    recipe: Mapping[str, Any] | None = None,
    metrics: Mapping[str, Any] | None = None,
    dataset: str | None = None,
    image_size: int | None = None,
    half: bool = False,
) -> None:
    """Write a net so that no reader ever sees half a file, nor the last good one lost.

    Args:
        path: the file, replaced if there is one.
        net: left as it is, in any mode, on any device.
        normalisation: how the net's inputs were normalised.
        classes: a name for each output.
        recipe: how it was trained; values that JSON knows.
        metrics: what was measured; values that JSON knows.
        dataset: what it was trained on.
        image_size: side of the square images it was trained on in pixels.
        half: keep weights (not BN) as float16, in half the space, rounded to about three digits.

    Raises:
        CheckpointError: no space, no permission, values that are not finite or that no reader takes.
    """
    path = Path(path)
    about = {
        "spec": net.spec.to_dict(),
        "normalisation": None if normalisation is None else normalisation.to_dict(),
        "classes": None if classes is None else list(classes),
        "recipe": dict(recipe or {}),
        "metrics": dict(metrics or {}),
        "dataset": dataset,
        "image_size": image_size,
    }
    try:
        if path.is_dir():
            raise CheckpointError("it is a folder; give the file a name of its own")
        replace_file(path, _packed(net, about, half=half))
        return
    except CheckpointError as error:
        reason = str(error)
    except OSError as error:
        reason = f"its folder cannot be written ({_words(error)}); free some space or choose another folder"
    raise CheckpointError(f"Cannot save {path.name}: {reason}.")


def _packed(net: CifarNet, about: dict[str, Any], *, half: bool) -> bytes:
    try:
        metadata = {name: json.dumps(value) for name, value in about.items()} | {_FORMAT: str(_VERSION)}
    except (TypeError, ValueError):
        raise CheckpointError("its recipe and metrics may hold only numbers, texts, lists and None") from None
    _read_about(metadata)
    if sum(map(len, metadata.values())) > MAX_HEADER_BYTES // 2:
        raise CheckpointError("its recipe and metrics are too long for a header; keep curves elsewhere")
    state = net.state_dict()
    _check_values(state)
    state = {name: _stored(tensor, half=half) for name, tensor in state.items()}
    if not all(bool(torch.isfinite(tensor).all()) for tensor in state.values()):
        raise CheckpointError("it holds values too large for float16; save it with half=False")
    if sum(tensor.nbytes for tensor in state.values()) > MAX_FILE_BYTES - MAX_HEADER_BYTES:
        raise CheckpointError(f"it takes more than {MAX_FILE_BYTES // 2**20} MiB; choose a smaller net")
    return _sorted(safetensors.torch.save(state, metadata))


def _stored(tensor: Tensor, *, half: bool) -> Tensor:
    if tensor.is_floating_point():
        # BN statistics may exceed float16's range, and are few
        tensor = tensor.to(torch.float16 if half and tensor.ndim > 1 else torch.float32)
    return tensor.detach().cpu().contiguous()


def _sorted(data: bytes) -> bytes:
    """The library writes metadata in random order; sorted, the same net gives the same bytes."""
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + data[8 + length :]


def replace_file(path: Path, data: bytes | memoryview) -> None:
    """Put a file in its place whole and for good: written beside it, synced, renamed, the folder synced."""
    started = int(psutil.Process().create_time())
    temporary = path.with_name(f".checkpoint-{os.getpid()}-{started}-{secrets.token_hex(8)}.partial")
    try:
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":  # elsewhere a folder cannot be opened
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # a file system that has no such thing
            raise
    finally:
        os.close(handle)


def sweep_temporaries(folder: str | os.PathLike[str]) -> int:
    """Remove what saves left in `folder` when their process was killed; the number removed."""
    removed = 0
    for file in Path(folder).glob(".checkpoint-*.partial"):
        match = _TEMPORARY.fullmatch(file.name)
        if match and not _is_running(int(match[1]), int(match[2])):
            with contextlib.suppress(OSError):
                file.unlink()
                removed += 1
    return removed


def _is_running(pid: int, started: int) -> bool:
    try:
        return bool(abs(psutil.Process(pid).create_time() - started) < 2)  # pids are given out again
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True


def _words(error: OSError) -> str:
    return (error.strerror or "unknown error").lower()


def _short(value: object) -> str:
    return str(value)[:160]


def _some(names: set[str]) -> str:
    listed = ", ".join(_short(name) for name in sorted(names)[:2])
    return f"{listed} and {len(names) - 2} more" if len(names) > 2 else listed
