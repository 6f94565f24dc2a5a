"""What each block makes of one picture: x, F(x), their sum and the output, from one forward pass."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from explorer.nets.blocks import Block
from explorer.nets.loaded_net import LoadedNet
from explorer.probes.hooks import Reader, mode, reading
from explorer.probes.readout import skipping_readout
from explorer.probes.responses import place_blocks

Maps = NDArray[np.floating]
# above so many numbers (32 MiB in float32) maps are kept in float16: for ImageNet nets only
_FINE = 8_000_000
_LARGEST_HALF = 65504.0


@dataclass(frozen=True, eq=False)
class BlockMaps:
    """What one block did to one picture; all maps (C, H, W), float32, or float16 in large nets.

    Attributes:
        x: what enters the block.
        shortcut: what F(x) is added to: x, or its projection where the shape changes; None where
            nothing is added, as in plain nets.
        branch: F(x), what the block adds; the whole mapping H(x) where `shortcut` is None; in a highway
            block the change that its gate lets through, T(x) (H(x) - x).
        output: what leaves the block: after the last ReLU, where it has one.
    """

    x: Maps
    shortcut: Maps | None
    branch: Maps
    output: Maps

    @property
    def total(self) -> NDArray[np.float32]:
        """The sum x + F(x), before the last ReLU; H(x) in a plain block. float32, (C, H, W)."""
        branch = self.branch.astype(np.float32)
        return branch if self.shortcut is None else self.shortcut.astype(np.float32) + branch

    @cached_property
    def strength(self) -> NDArray[np.float32]:
        """Mean absolute output of each channel, (C,)."""
        return np.asarray(np.abs(self.output.astype(np.float32)).mean(axis=(1, 2)), np.float32)

    @property
    def strongest(self) -> int:
        """The channel with the largest mean absolute output, from 0."""
        return int(self.strength.argmax())


@dataclass(frozen=True, eq=False)
class Activations:
    """What a net did to one picture.

    Attributes:
        stem: output of the stem, (C, H, W).
        blocks: in order.
        table: one row per block: block (from 1), stage, layer, channels, side, input_norm, residual_norm,
            residual_ratio, zeros_pct (share of the output that is exactly 0, in per cent).
        logits: (classes,), float32.
        seconds: time of the forward pass.
    """

    stem: Maps
    blocks: tuple[BlockMaps, ...]
    table: pd.DataFrame
    logits: NDArray[np.float32]
    seconds: float
    _rest: list[Callable[[], NDArray[np.float32]]] = field(repr=False)

    @cached_property
    def readout(self) -> NDArray[np.float32]:
        """Probabilities after the stem (row 0) and after each block, (blocks + 1, classes).

        The blocks that keep the shape are skipped; see `readout.skipping_readout`. Runs the net's other
        blocks when it is first asked for, so nobody else may use the net then.
        """
        found = self._rest[0]()
        self._rest.clear()  # it holds whole maps, which are not needed any more
        return found

    @property
    def probabilities(self) -> NDArray[np.float32]:
        """Softmax of the logits, (classes,)."""
        return np.asarray(torch.softmax(torch.from_numpy(self.logits), 0).numpy())

    def top(self, count: int = 5) -> list[int]:
        """The most probable classes, the best first."""
        return [int(index) for index in np.argsort(-self.probabilities, kind="stable")[:count]]


def read_activations(loaded: LoadedNet, pixels: NDArray[np.float32]) -> Activations:
    """Read all blocks in one forward pass; the net is left as it was.

    Args:
        loaded: the net, on the CPU.
        pixels: one picture as the net sees it, in 0 to 1, (C, H, W); see `explorer.data.preprocess.fit`.
    """
    started = time.perf_counter()
    blocks = loaded.blocks()
    notes = [_Note() for _ in blocks]
    images = loaded.normalised(torch.from_numpy(np.ascontiguousarray(pixels))[None])
    with mode(loaded.net, training=False), reading(_taps(blocks, notes)):
        logits = loaded.net(images)
    outputs = [notes[0].x, *(note.output for note in notes)]
    return Activations(
        stem=notes[0].x[0].numpy(),
        blocks=_kept(notes),
        table=_table(blocks, notes),
        logits=logits[0].numpy(),
        seconds=time.perf_counter() - started,
        _rest=[lambda: _read_out(loaded.net, outputs)],
    )


def _read_out(net: nn.Module, outputs: Sequence[Tensor]) -> NDArray[np.float32]:
    with torch.no_grad(), mode(net, training=False):
        return np.asarray(skipping_readout(net, outputs).numpy())


class _Note:
    """What the hooks of one block leave behind, (1, C, H, W) each."""

    x: Tensor
    branch: Tensor
    output: Tensor
    shortcut: Tensor | None = None


def _taps(blocks: Sequence[Block], notes: Sequence[_Note]) -> list[tuple[nn.Module, Reader]]:
    taps: list[tuple[nn.Module, Reader]] = []
    for index, (block, note) in enumerate(zip(blocks, notes, strict=True)):
        taps.append((block.branch, _keep(note, "branch")))
        if block.shortcut is not None and not isinstance(block.shortcut, nn.Identity):
            taps.append((block.shortcut, _keep(note, "shortcut")))
        taps.append((block, _end(block, note, notes[index - 1] if index else None)))
    return taps


def _keep(note: _Note, name: str) -> Reader:
    def read(_inputs: Tensor, output: Tensor) -> None:
        setattr(note, name, output.clone())

    return read


def _end(block: Block, note: _Note, before: _Note | None) -> Reader:
    """What leaves one block enters the next, so it is copied once."""

    def read(inputs: Tensor, output: Tensor) -> None:
        note.x = before.output if before is not None else inputs.clone()
        note.output = output.clone()
        added = block.added(inputs, note.branch, output)
        if isinstance(block.shortcut, nn.Identity) or (block.shortcut is None and added is not note.branch):
            note.shortcut = note.x
        note.branch = added

    return read


def _kept(notes: Sequence[_Note]) -> tuple[BlockMaps, ...]:
    numbers = sum(note.output.numel() + note.branch.numel() for note in notes)
    kept: dict[int, Maps] = {}

    def array(tensor: Tensor) -> Maps:
        if id(tensor) not in kept:
            maps = tensor[0]
            coarse = maps.clamp(-_LARGEST_HALF, _LARGEST_HALF).half()
            kept[id(tensor)] = (maps if numbers <= _FINE else coarse).numpy()
        return kept[id(tensor)]

    return tuple(
        BlockMaps(
            array(note.x),
            None if note.shortcut is None else array(note.shortcut),
            array(note.branch),
            array(note.output),
        )
        for note in notes
    )


def _table(blocks: Sequence[Block], notes: Sequence[_Note]) -> pd.DataFrame:
    def norms(maps: Sequence[Tensor]) -> NDArray[np.float64]:
        return torch.stack(torch._foreach_norm(list(maps))).double().numpy()

    outputs = [note.output for note in notes]
    incoming, residual = norms([note.x for note in notes]), norms([note.branch for note in notes])
    ratio = residual / np.maximum(incoming, 1e-12)
    return place_blocks(blocks).assign(
        channels=[maps.shape[1] for maps in outputs],
        side=[maps.shape[2] for maps in outputs],
        input_norm=incoming,
        residual_norm=residual,
        residual_ratio=ratio,
        zeros_pct=[100 * (1 - int(maps.count_nonzero()) / maps.numel()) for maps in outputs],
    )
