"""Writing a net to a file: safetensors, with what rebuilds and explains it in the header."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import Tensor

from explorer.nets.build import StagedNet
from explorer.nets.errors import MAX_FILE_BYTES, CheckpointError, words
from explorer.nets.metadata import FORMAT, VERSION, read_metadata
from explorer.nets.normalisation import Normalisation
from explorer.nets.tensor_file import MAX_HEADER_BYTES, check_values
from explorer.system.files import replace_file


def save_checkpoint(
    path: str | os.PathLike[str],
    net: StagedNet,
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
        reason = f"its folder cannot be written ({words(error)}); free some space or choose another folder"
    raise CheckpointError(f"Cannot save {path.name}: {reason}.")


def _packed(net: StagedNet, about: dict[str, Any], *, half: bool) -> bytes:
    try:
        metadata = {name: json.dumps(value) for name, value in about.items()} | {FORMAT: str(VERSION)}
    except (TypeError, ValueError):
        raise CheckpointError("its recipe and metrics may hold only numbers, texts, lists and None") from None
    read_metadata(metadata)
    if sum(map(len, metadata.values())) > MAX_HEADER_BYTES // 2:
        raise CheckpointError("its recipe and metrics are too long for a header; keep curves elsewhere")
    state = net.state_dict()
    check_values(state)
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
