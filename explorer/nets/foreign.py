"""Is this PyTorch file a CIFAR ResNet, and which? Files that others wrote, read without trust.

A file of `torch.save` is a pickle, which may hold code. It is opened by `torch.load` with
`weights_only=True` in a child process of its own (`python -m explorer.nets.foreign IN OUT`) under
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
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import safetensors.torch
import torch
from torch import Tensor, nn

from explorer.nets.normalisation import Normalisation
from explorer.nets.spec import STAGES, Family, NetSpec

MAX_FILE_BYTES = 256 * 2**20
BEST_ACCURACY = "best_prec1"
TIME_LIMIT_S = 60
_MEMORY_LIMIT_BYTES = 5 * MAX_FILE_BYTES
_MAX_TENSORS = 20_000
_MAX_NAME = 512
_WRAPPERS = ("state_dict", "model_state_dict", "model", "net")
_PREFIXES = ("module.", "model.", "net.", "_orig_mod.")
_IMAGENET = Normalisation((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
_STEM = {"conv1": "stem.0", "bn1": "stem.1", "linear": "head.2", "fc": "head.2"}
_LAYER = re.compile(r"layer(\d{1,4})\.(\d{1,4})\.(conv|bn|shortcut\.|downsample\.)(\d)\.(\w+)")
_BLOCK = re.compile(r"blocks\.(\d{1,5})\.([a-z]+)\.")
_NORM = ("weight", "bias", "running_mean", "running_var")
_UNKNOWN = "it holds no CIFAR ResNet that is known here; choose a state dict of one with three stages"
_CUT_ARCHIVE = "its archive is cut short or damaged; save or download it again"
_CODE, _DAMAGED, _NO_STATE, _TOO_LARGE, _LYING = range(3, 8)
_REASONS = {
    _CODE: "it contains code, which was not run; ask for a file that holds only a state dict",
    _DAMAGED: "it is damaged or holds more than tensors, and nothing in it was run; ask for a state dict",
    _NO_STATE: "it holds no state dict of plain tensors; save net.state_dict() and load that file",
    _TOO_LARGE: "its tensors need more memory than a checkpoint may take; choose a smaller net",
    _LYING: "its tensors claim more values than the file holds; it is damaged or was made to do harm",
}


class CheckpointError(ValueError):
    """A checkpoint cannot be loaded or saved; the text says why and what to do."""


@dataclass(frozen=True)
class Recognised:
    """Which net a state dict holds.

    Attributes:
        spec: the net.
        names: from the file's names to those of `CifarNet`.
        padded_both_sides: the new channels of option A lie on both sides of the old ones.
        normalisation: the one the net was trained with, where its origin tells.
    """

    spec: NetSpec
    names: dict[str, str]
    padded_both_sides: bool
    normalisation: Normalisation | None


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
    command = [sys.executable, "-P", "-W", "ignore", "-m", "explorer.nets.foreign", str(source), str(target)]
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


def _limit_memory() -> None:
    """Cap what may come on top of torch itself, whose CUDA build maps gigabytes that it never uses."""
    if sys.platform.startswith("linux"):
        import resource

        limit = psutil.Process().memory_info().vms + _MEMORY_LIMIT_BYTES
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


def recognise(shapes: Mapping[str, tuple[int, ...]], family: Family | None = None) -> Recognised:
    """The net that tensors of these names and shapes make up.

    Reads the names of `CifarNet`, those of akamaster/pytorch_resnet_cifar10 (conv1, layer1.0.conv1,
    linear) and torchvision's (fc, downsample). The first repository trains with the mean and std of
    ImageNet, so a net of its names and three input channels gets that normalisation.

    Args:
        shapes: by name, in any order.
        family: plain or residual where names and shapes fit both; residual if None.

    Raises:
        CheckpointError: no net that can be built here; the text says what is different.
    """
    stripped = {name: _strip(name) for name in shapes}
    published = "conv1.weight" in stripped.values()
    count = _blocks_per_stage(stripped.values()) if published else 0
    names = {theirs: _our_name(name, count) if published else name for theirs, name in stripped.items()}
    ours = {names[theirs]: shape for theirs, shape in shapes.items()}
    if len(ours) < len(names):
        raise CheckpointError("two of its tensors have one name; save its state dict again")
    spec = _spec(ours, family)
    akamaster = published and "linear.weight" in stripped.values() and spec.block == "basic"
    padded = akamaster and spec.family == "residual" and spec.shortcut == "A" and spec.width % 2 == 0
    return Recognised(spec, names, padded, _IMAGENET if akamaster and spec.in_channels == 3 else None)


def _strip(name: str) -> str:
    while name.startswith(_PREFIXES):
        name = name.partition(".")[2]
    return name


def _blocks_per_stage(names: Collection[str]) -> int:
    places = {match.groups()[:2] for match in map(_LAYER.fullmatch, names) if match}
    counts = [sum(int(stage) == number for stage, _ in places) for number in range(1, STAGES + 2)]
    if counts[STAGES]:
        raise CheckpointError("it has four stages; ImageNet-style nets with 4 stages are not read here")
    if not counts[0] or len(set(counts[:STAGES])) > 1:
        raise CheckpointError(
            f"its stages have {counts[0]}, {counts[1]} and {counts[2]} blocks; only nets with three stages "
            "of equally many are read here"
        )
    return counts[0]


def _our_name(name: str, blocks_per_stage: int) -> str:
    match = _LAYER.fullmatch(name)
    if match is None:
        module, _, value = name.partition(".")
        return f"{_STEM.get(module, module)}.{value}"
    stage, index, kind, number, value = match.groups()
    block = (int(stage) - 1) * blocks_per_stage + int(index)
    if kind in ("conv", "bn"):
        return f"blocks.{block}.branch.{3 * (int(number) - 1) + (kind == 'bn')}.{value}"
    return f"blocks.{block}.shortcut.{number}.{value}"


def _spec(shapes: Mapping[str, tuple[int, ...]], family: Family | None) -> NetSpec:
    """Read the spec off our own names; exact keys and shapes are for the caller to compare."""
    found = [match for match in map(_BLOCK.match, shapes) if match]
    blocks = {int(match[1]) for match in found}
    projected = {int(match[1]) for match in found if match[2] == "shortcut"}
    preact, highway = "stem.1.weight" not in shapes, "blocks.0.branch.3.weight" not in shapes
    stem, head = shapes.get("stem.0.weight", ()), shapes.get(f"head.{4 if preact else 2}.weight", ())
    per_stage, rest = divmod(len(blocks), STAGES * (2 if highway else 1))
    if rest or not per_stage or len(stem) != 4 or len(head) != 2:
        raise CheckpointError(_UNKNOWN)
    seen: Family = "preact" if preact else "highway" if highway else "residual"
    if family is not None and family != seen and {family, seen} != {"plain", "residual"}:
        raise CheckpointError(f"it holds a {seen} net, not a {family} one; leave the family out")
    bottleneck = "blocks.0.branch.6.weight" in shapes
    at_changes = {per_stage, 2 * per_stage} | ({0} if bottleneck else set())
    try:
        return NetSpec(
            family=family or seen,
            depth=(9 if bottleneck else 6) * per_stage + 2,
            width=stem[0],
            block="bottleneck" if bottleneck else "basic",
            shortcut="A" if not projected else "B" if projected == at_changes else "C",
            in_channels=stem[1],
            classes=head[0],
        )
    except ValueError as error:
        raise CheckpointError(str(error)) from None


def reorder_channels(state: Mapping[str, Tensor], spec: NetSpec) -> dict[str, Tensor]:
    """The same function with new channels after the old ones, as `PadShortcut` pads them.

    akamaster's option A puts half of the new, empty channels before the old ones and half after.
    Renumbering the channels of stages 2 and 3 leaves every logit as it was, up to rounding.

    Args:
        state: by the names of `CifarNet`, channels in akamaster's order.
        spec: a residual net of basic blocks, option A and even width.
    """
    moved = dict(state)
    inside = order = torch.arange(spec.width)
    for index in range(STAGES * spec.blocks_per_stage):
        if index and index % spec.blocks_per_stage == 0:
            order = _padded_order(inside)
        branch = f"blocks.{index}.branch"
        moved[f"{branch}.0.weight"] = moved[f"{branch}.0.weight"][:, inside]
        for name in (f"{branch}.3.weight", *(f"{branch}.4.{value}" for value in _NORM)):
            moved[name] = moved[name][order]
        inside = order
    moved["head.2.weight"] = moved["head.2.weight"][:, order]
    return moved


def _padded_order(old: Tensor) -> Tensor:
    half = len(old) // 2
    new = torch.arange(2 * len(old))
    return torch.cat([old + half, new[:half], new[half + len(old) :]])


if __name__ == "__main__":
    _limit_memory()
    torch.set_num_threads(1)
    sys.exit(main(sys.argv[1], sys.argv[2]))
