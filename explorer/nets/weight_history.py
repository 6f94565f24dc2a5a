"""Weights of several epochs as rows: of each its change since the epoch before, in few bits.

A change is a whole number of steps, and a step a fixed part of the filter's largest weight: most changes are
a few steps, which compress well. It is taken from what a reader rebuilds, so that roundings do not add up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import pandas as pd
import torch
from torch import Tensor

Bits = Literal[8, 10, 12, 16]
_WHOLE = (torch.int8, torch.int16, torch.int32)
_TYPES = {str(one): one for one in (torch.int8, torch.int16, torch.int32, torch.int64, torch.float32)}
COLUMNS = ["epoch", "tensor", "shape", "type", "values", "scales"]
State = Mapping[str, Tensor]


class WeightHistory:
    """Rows that grow epoch by epoch.

    Attributes:
        rows: of `COLUMNS`; `values` and `scales` are bytes, `scales` empty where values stand for themselves.
    """

    def __init__(self) -> None:
        """Begin before the first epoch."""
        self.rows: list[dict[str, Any]] = []
        self._rebuilt: dict[str, Tensor] = {}

    def add(self, epoch: int, state: State, bits: Bits = 8) -> dict[str, Tensor]:
        """Add an epoch's weights; what a reader rebuilds of them.

        Args:
            epoch: higher than those before.
            state: of a net, (out, in, H, W) for kernels; BN and biases are kept whole.
            bits: of a weight; its largest of a filter is 127 steps with 8.
        """
        rebuilt = {}
        for name, tensor in state.items():
            row, rebuilt[name] = self._row(name, tensor.detach().cpu(), bits)
            self.rows.append({"epoch": epoch, "tensor": name, "shape": list(tensor.shape)} | row)
        self._rebuilt = rebuilt
        return rebuilt

    def forget(self, epoch: int, before: State) -> None:
        """Take an epoch back, to add it in other bits; `before` was rebuilt of the one before it."""
        self.rows = [row for row in self.rows if row["epoch"] != epoch]
        self._rebuilt = dict(before)

    def table(self) -> pd.DataFrame:
        """All rows, columns `COLUMNS`."""
        return pd.DataFrame(self.rows, columns=COLUMNS)

    def _row(self, name: str, tensor: Tensor, bits: Bits) -> tuple[dict[str, Any], Tensor]:
        if tensor.ndim < 2:
            return _as_it_is(tensor), tensor.clone()
        before = self._rebuilt.get(name, torch.zeros_like(tensor))
        steps = tensor.flatten(1).abs().amax(1) / (2 ** (bits - 1) - 1)
        steps = steps.clamp_min(torch.finfo(torch.float32).tiny)
        whole = ((tensor - before).flatten(1) / steps[:, None]).round()
        kind = next(one for one in _WHOLE if whole.abs().max() <= torch.iinfo(one).max)
        rebuilt = before + (whole * steps[:, None]).view_as(tensor)
        return _as_it_is(whole.to(kind)) | {"scales": steps.numpy().tobytes()}, rebuilt


def rebuild(rows: pd.DataFrame, epoch: int) -> dict[str, Tensor]:
    """The weights after that epoch.

    Args:
        rows: as `WeightHistory.table` gives them; later epochs may be missing.
        epoch: one of them.

    Raises:
        ValueError: there is no such epoch, or rows of it are damaged.
    """
    if not (rows["epoch"] == epoch).any():
        raise ValueError(f"There are no weights of epoch {epoch} here.")
    state: dict[str, Tensor] = {}
    for row in rows[rows["epoch"] <= epoch].sort_values("epoch", kind="stable").to_dict("records"):
        name, shape = str(row["tensor"]), [int(size) for size in row["shape"]]
        try:
            values = _read(row["values"], _TYPES[row["type"]])
            if row["scales"]:
                scales = _read(row["scales"], torch.float32)
                change = values.view(len(scales), -1).float() * scales[:, None]
                state[name] = state.get(name, torch.zeros(shape)) + change.view(shape)
            else:
                state[name] = values.view(shape)
        except (KeyError, RuntimeError, ValueError) as error:
            raise ValueError(f"The weights of {name} after epoch {row['epoch']} are damaged.") from error
    return state


def epochs_of(rows: pd.DataFrame) -> Sequence[int]:
    """The epochs that can be rebuilt, in order."""
    return sorted(int(epoch) for epoch in rows["epoch"].unique())


def _as_it_is(tensor: Tensor) -> dict[str, Any]:
    values = tensor.contiguous().numpy().tobytes()
    return {"type": str(tensor.dtype), "values": values, "scales": b""}


def _read(content: bytes, kind: torch.dtype) -> Tensor:
    return torch.frombuffer(bytearray(content), dtype=kind)
