"""Responses of blocks: ‖F(x)‖, ‖x‖, their ratio, and Figure 7's standard deviation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from explorer.nets.blocks import Block
from explorer.nets.loaded_net import ProbedNet
from explorer.probes.hooks import Reader, mode, reading

BLOCK_COLUMNS = ("residual_norm", "input_norm", "residual_ratio")
_TINY = 1e-12
_SPACE = (1, 2, 3)
_Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Responses:
    """What a net's blocks and layers answered to some images.

    Attributes:
        blocks: block, stage, layer (the weighted layer at its end), residual_norm, input_norm and
            residual_ratio (means over the images), residual_rms and input_rms (root mean square over
            all elements), cosine (mean over the images of cos(x, F(x)); NaN where shapes differ).
        layers: layer, response_std (over all elements of all images).
        images: how many were read.
        training: BN with each batch's own statistics instead of the running ones.
    """

    blocks: pd.DataFrame
    layers: pd.DataFrame
    images: int
    training: bool


class ResponseProbe:
    """Reads all blocks of a net in one forward pass per batch.

    ‖·‖ is the Euclidean norm over (C, H, W) of one image, averaged over the images; the ratio is
    averaged over the images too. F(x) is what the block adds to its input before the last ReLU; a
    plain block adds nothing to anything, and its whole mapping H(x) is read instead. The response
    std is taken over all elements (N, C, H, W) of a 3x3 layer's output after BN, before ReLU or
    addition (He et al. 2015, Figure 7).
    """

    def __init__(self, net: nn.Module, *, cosine: bool = False) -> None:
        """Prepare the taps; nothing is hooked until images are read.

        Args:
            net: a `ProbedNet`.
            cosine: also compare the directions of x and F(x), for one more pass over each map.
        """
        assert isinstance(net, ProbedNet)
        self.net: nn.Module = net
        self.blocks = net.block_list()
        self._cosine = cosine
        self._layers = net.responses()
        self._places = response_layers(net)
        self._products: dict[torch.Size, Tensor] = {}
        self._forget()

    def read(self, images: Tensor, *, training: bool = False) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Probe one batch, for the record of an epoch.

        Args:
            images: normalised, (N, C, H, W), on the net's device.
            training: read with BN's batch statistics instead of the running ones.

        Returns:
            Blocks (block, stage, layer, residual_norm, input_norm, residual_ratio) and layers
            (layer, response_std); layer counts weighted layers from 1.
        """
        read = self.measure([images], training=training)
        return read.blocks[["block", "stage", "layer", *BLOCK_COLUMNS]], read.layers

    @np.errstate(all="ignore")  # a net that diverged is read too: its norms are infinite, or no numbers
    def measure(self, batches: Iterable[Tensor], *, training: bool = False) -> Responses:
        """Probe any number of batches; only sums are kept, so a whole split takes no more memory.

        Args:
            batches: normalised images, (N, C, H, W), on the net's device; all of one height and width.
            training: read with the statistics of each batch; the result then depends on its size.

        Raises:
            ValueError: there is no image.
        """
        images = 0
        blocks = np.zeros((len(self.blocks), 6))
        layers = np.zeros((len(self._layers), 2))
        # BN's own statistics are put back once, at the end: a batch's statistics do not depend on them
        with mode(self.net, training=training), reading(self._taps()):
            for batch in batches:
                self._forget()
                self.net(batch)
                blocks += _block_sums(*(_moved(part) for part in self._read_blocks))
                sums, norms = (_moved(part) for part in self._read_layers)
                layers += np.stack([sums.sum(1), np.square(norms).sum(1)], 1)
                images += len(batch)
        if not images:
            raise ValueError("There is no image to probe; choose a split or a picture that holds one.")
        read = Responses(
            self._block_table(blocks, images), self._layer_table(layers, images), images, training
        )
        self._forget()
        self._products.clear()
        return read

    def _forget(self) -> None:
        self._branches: dict[int, Tensor] = {}
        self._read_blocks: tuple[list[Tensor], ...] = ([], [], [])
        self._read_layers: tuple[list[Tensor], ...] = ([], [])
        self._sizes: dict[str, list[int]] = {"layers": [], "inputs": [], "added": []}
        self._last: tuple[Tensor, Tensor] | None = None

    def _taps(self) -> list[tuple[nn.Module, Reader]]:
        taps: list[tuple[nn.Module, Reader]] = [(module, self._read_layer) for module in self._layers]
        for index, block in enumerate(self.blocks):
            taps.append((block.branch, self._branch_reader(index)))
            taps.append((block, self._block_reader(index, block)))
        return taps

    def _read_layer(self, _inputs: Tensor, output: Tensor) -> None:
        maps = output.float()
        norms = _norms(maps)
        self._last = (output, norms)
        self._sizes["layers"].append(output[0].numel())
        for kept, value in zip(self._read_layers, (maps.sum(_SPACE), norms), strict=True):
            kept.append(value)

    def _branch_reader(self, index: int) -> Reader:
        def read(_inputs: Tensor, output: Tensor) -> None:
            self._branches[index] = output

        return read

    def _block_reader(self, index: int, block: Block) -> Reader:
        def read(inputs: Tensor, output: Tensor) -> None:
            added = block.added(inputs, self._branches.pop(index), output)
            known = self._last is not None and self._last[0] is added  # the layer's norm is F's already
            residual = self._last[1] if known and self._last is not None else _norms(added)
            self._sizes["inputs"].append(inputs[0].numel())
            self._sizes["added"].append(added[0].numel())
            values = (residual, _norms(inputs), self._dots(inputs, added, residual))
            for kept, value in zip(self._read_blocks, values, strict=True):
                kept.append(value)

        return read

    def _dots(self, inputs: Tensor, added: Tensor, like: Tensor) -> Tensor:
        if not self._cosine or inputs.shape != added.shape:
            return torch.full_like(like, torch.nan)
        # into one tensor for all blocks of a shape: to write to fresh memory takes four times as long
        if inputs.shape not in self._products:
            self._products[inputs.shape] = torch.empty_like(added, dtype=torch.float32)
        product = self._products[inputs.shape]
        return torch.mul(inputs.float(), added, out=product).sum(_SPACE)

    def _block_table(self, sums: _Numbers, images: int) -> pd.DataFrame:
        table = place_blocks(self.blocks)
        table[list(BLOCK_COLUMNS)] = sums[:, :3] / images
        for column, squares, sizes in (("residual_rms", 3, "added"), ("input_rms", 4, "inputs")):
            table[column] = np.sqrt(sums[:, squares] / images / self._sizes[sizes])
        return table.assign(cosine=sums[:, 5] / images)

    def _layer_table(self, sums: _Numbers, images: int) -> pd.DataFrame:
        elements = images * np.array(self._sizes["layers"], dtype=np.float64)
        spread = np.maximum(sums[:, 1] - np.square(sums[:, 0]) / elements, 0) / np.maximum(elements - 1, 1)
        return pd.DataFrame({"layer": self._places, "response_std": np.sqrt(spread)})


def _moved(read: list[Tensor]) -> _Numbers:
    moved: _Numbers = torch.stack(read).cpu().numpy().astype(np.float64)
    return moved


def _block_sums(residual: _Numbers, incoming: _Numbers, dots: _Numbers) -> _Numbers:
    """‖F‖, ‖x‖ and x·F, (blocks, N) each, to sums over the images, (blocks, 6)."""
    ratio = residual / np.maximum(incoming, _TINY)
    cosine = dots / np.maximum(residual * incoming, _TINY)
    parts = (residual, incoming, ratio, np.square(residual), np.square(incoming), cosine)
    return np.stack([part.sum(1) for part in parts], 1)


def place_blocks(blocks: Sequence[Block]) -> pd.DataFrame:
    """Block number from 1, stage, and the weighted layer at which each block ends."""
    ends = 1 + pd.Series([block.layers for block in blocks]).cumsum()
    return pd.DataFrame(
        {"block": range(1, len(blocks) + 1), "stage": [block.stage for block in blocks], "layer": ends}
    )


def response_layers(net: ProbedNet) -> list[int]:
    """The weighted layer behind each of `net.responses()`: the stem is layer 1."""
    layers, end = [1], 1
    for block in net.block_list():
        if len(block.responses) == block.layers:
            layers += range(end + 1, end + block.layers + 1)
        else:
            layers.append(end + 2)  # a bottleneck's 3x3 is its second layer
        end += block.layers
    return layers


def gradient_norms(blocks: Sequence[Block]) -> Tensor:
    """Euclidean norm of the loss gradient over each block's parameters, (blocks,); NaN where none is."""
    grads = [[p.grad for p in block.parameters() if p.grad is not None] for block in blocks]
    flat = [grad for group in grads for grad in group]
    if not flat:
        return torch.full((len(blocks),), float("nan"))
    each = torch.stack(torch._foreach_norm(flat))
    squares = each.to(torch.promote_types(each.dtype, torch.float32)).square()
    owner = torch.tensor([i for i, group in enumerate(grads) for _ in group], device=squares.device)
    norms = squares.new_zeros(len(blocks)).index_add(0, owner, squares).sqrt()
    # a block that stochastic depth has skipped has no gradient: not measured, which is not zero
    there = torch.tensor([bool(group) for group in grads], device=squares.device)
    return norms.where(there, float("nan"))


def _norms(maps: Tensor) -> Tensor:
    norms: Tensor = torch.linalg.vector_norm(maps.float(), dim=_SPACE)
    return norms
