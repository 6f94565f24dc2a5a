"""A file of tensors: names, shapes and types first, then values, each compared with the net's."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, BinaryIO, TypeVar

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from explorer.nets.errors import CUT_SHORT, NO_CHECKPOINT, CheckpointError, short, some

MAX_HEADER_BYTES = 4 * 2**20
_FLOATS = ("F32", "F16", "BF16")
Entries = dict[str, tuple[str, tuple[int, ...]]]
"""Dtype as safetensors calls it, and shape, by tensor name."""
Net = TypeVar("Net", bound=nn.Module)


def read_header(file: BinaryIO, size: int) -> tuple[Entries, dict[str, str]]:
    """Dtype and shape by tensor name, and the metadata; values are not read."""
    length = int.from_bytes(file.read(8), "little")
    if length > min(MAX_HEADER_BYTES, size - 8):
        raise CheckpointError(CUT_SHORT if 0 < length <= MAX_HEADER_BYTES else NO_CHECKPOINT)
    header = json_of(file.read(length))
    if not isinstance(header, dict):
        raise CheckpointError(NO_CHECKPOINT)
    metadata = header.pop("__metadata__", None)
    if not isinstance(metadata, dict):  # other tools write null, or what is no text
        metadata = {}
    metadata = {name: value for name, value in metadata.items() if isinstance(value, str)}
    entries = {name: _entry(entry, size - 8 - length) for name, entry in header.items()}
    return entries, metadata


def in_order(entries: Entries, told: str | None) -> tuple[Entries, bool]:
    """The entries in the order of the state dict where the file tells it, else by name, numbers as numbers.

    Args:
        entries: in any order: safetensors sorts tensors by type and name.
        told: for each tensor of the state dict its place among the sorted names, as JSON.
    """
    names = sorted(entries)
    try:
        order = json.loads(told or "")
        right = sorted(order) == list(range(len(names)))
    except (ValueError, TypeError, RecursionError):
        right = False
    if right:
        return {names[place]: entries[names[place]] for place in order}, True
    return {name: entries[name] for name in sorted(names, key=_natural)}, False


def _natural(name: str) -> list[tuple[int, int, str]]:
    parts = re.findall(r"\d{1,9}|[^\d./]+|[./]", name)
    return [(1, int(part), "") if part.isdigit() else (0, 0, " " if part in "./" else part) for part in parts]


def _entry(fields: Any, data_bytes: int) -> tuple[str, tuple[int, ...]]:
    try:
        dtype, shape, (begin, end) = fields["dtype"], fields["shape"], fields["data_offsets"]
        numbers = [*shape, begin, end]
    except (TypeError, KeyError, ValueError):
        raise CheckpointError(CUT_SHORT) from None
    if type(dtype) is not str or not all(type(number) is int and number >= 0 for number in numbers):
        raise CheckpointError(CUT_SHORT)
    if not begin <= end <= data_bytes:
        raise CheckpointError(CUT_SHORT)
    return dtype, tuple(shape)


def json_of(text: str | bytes) -> Any:
    """What the text means as JSON."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise CheckpointError(CUT_SHORT) from None


def check_tensors(entries: Entries, net: Net, title: str) -> Net:
    """The net, which has no memory for its weights yet, if the file holds exactly its tensors.

    Raises:
        CheckpointError: a tensor lacks, is too many, or has another shape or type.
    """
    wanted = net.state_dict()
    for what, names in (("lacks", wanted.keys() - entries), ("has also", entries.keys() - wanted)):
        if names:
            raise CheckpointError(f"{title} does not fit it: it {what} {some(names)}")
    for name, tensor in wanted.items():
        dtype, shape = entries[name]
        if shape != tuple(tensor.shape):
            raise CheckpointError(
                f"{title} does not fit it: {name} has shape {short(shape)}, not {tuple(tensor.shape)}"
            )
        if dtype not in (_FLOATS if tensor.is_floating_point() else ("I64",)):
            raise CheckpointError(f"{name} has the type {short(dtype)}; save the net as float32 or float16")
    return net


def read_tensors(file: BinaryIO) -> dict[str, Tensor]:
    """All values, once names, shapes and types are known to fit."""
    file.seek(0)
    try:
        return safetensors.torch.load(_without_metadata(file.read()))
    except (SafetensorError, ValueError, KeyError, TypeError):
        raise CheckpointError(CUT_SHORT) from None


def _without_metadata(data: bytes) -> bytes:
    """The same file where the library could not read its metadata, such as null; else as it is."""
    length = int.from_bytes(data[:8], "little")
    header = json_of(data[8 : 8 + length])
    metadata = header.get("__metadata__", {})
    if isinstance(metadata, dict) and all(isinstance(value, str) for value in metadata.values()):
        return data
    text = json.dumps({name: entry for name, entry in header.items() if name != "__metadata__"}).encode()
    return b"".join((len(text).to_bytes(8, "little"), text, memoryview(data)[8 + length :]))


def filled(net: Net, state: Mapping[str, Tensor]) -> Net:
    """The net with these values, each checked, in eval mode."""
    check_values(state)
    return loaded(net, state)


def loaded(net: Net, state: Mapping[str, Tensor]) -> Net:
    """The net with these values, in eval mode; who calls it has checked them."""
    net = net.to_empty(device="cpu")
    try:
        net.load_state_dict(dict(state), strict=True)
    except RuntimeError:
        raise CheckpointError(CUT_SHORT) from None
    return net.eval()


def check_values(state: Mapping[str, Tensor]) -> None:
    """Refuse values that no training that went well gives."""
    for name, tensor in state.items():
        check_value(name, tensor, name)


def check_value(name: str, tensor: Tensor, called: str) -> None:
    """Refuse values that no training that went well gives; `called` is the tensor's name in its file."""
    if not bool(torch.isfinite(tensor).all()):
        raise CheckpointError(
            f"{short(called)} holds values that are not finite; use one from before it diverged"
        )
    if name.endswith(("running_var", "num_batches_tracked")) and bool((tensor < 0).any()):
        raise CheckpointError(
            f"{short(called)} holds negative values, which no training gives; save it again"
        )
