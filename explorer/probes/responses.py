"""How much does each block change its input? ‖F(x)‖, ‖x‖, their ratio, and Figure 7's response std."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import torch
from torch import Tensor, nn

from explorer.nets.blocks import Block
from explorer.nets.build import CifarNet
from explorer.probes.hooks import Reader, mode, reading

BLOCK_COLUMNS = ("residual_norm", "input_norm", "residual_ratio")


class ResponseProbe:
    """Reads all blocks of a net in one forward pass.

    ‖·‖ is the Euclidean norm over (C, H, W) of one image, averaged over the batch; the ratio is
    averaged over the batch too. F(x) is what the block adds to its input before the last ReLU; a
    plain block adds nothing to anything, and its whole mapping H(x) is read instead. The response
    std is taken over all elements (N, C, H, W) of a 3x3 layer's output after BN, before ReLU or
    addition (He et al. 2015, Figure 7).
    """

    def __init__(self, net: CifarNet) -> None:
        """Prepare the taps; nothing is hooked until `read`."""
        self.net = net
        self._branches: dict[int, Tensor] = {}
        self._blocks: list[Tensor] = []
        self._stds: list[Tensor] = []

    def read(self, images: Tensor, *, training: bool = False) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Probe one batch.

        Args:
            images: normalised, (N, C, H, W), on the net's device.
            training: read with BN's batch statistics instead of the running ones.

        Returns:
            Blocks (block, stage, layer, residual_norm, input_norm, residual_ratio) and layers
            (layer, response_std); layer counts weighted layers from 1.
        """
        self._branches, self._blocks, self._stds = {}, [], []
        with mode(self.net, training=training), reading(self._taps()):
            self.net(images)
        blocks = place_blocks(self.net.block_list())
        blocks[list(BLOCK_COLUMNS)] = torch.stack(self._blocks).cpu().numpy()
        stds = torch.stack(self._stds).cpu().numpy()
        layers = pd.DataFrame({"layer": response_layers(self.net), "response_std": stds})
        return blocks, layers

    def _taps(self) -> list[tuple[nn.Module, Reader]]:
        taps: list[tuple[nn.Module, Reader]] = [(module, self._read_std) for module in self.net.responses()]
        for index, block in enumerate(self.net.block_list()):
            taps.append((block.branch, self._branch_reader(index)))
            taps.append((block, self._block_reader(index, block)))
        return taps

    def _read_std(self, _inputs: Tensor, output: Tensor) -> None:
        self._stds.append(output.float().std())

    def _branch_reader(self, index: int) -> Reader:
        def read(_inputs: Tensor, output: Tensor) -> None:
            self._branches[index] = output

        return read

    def _block_reader(self, index: int, block: Block) -> Reader:
        def read(inputs: Tensor, output: Tensor) -> None:
            added = block.added(inputs, self._branches.pop(index), output)
            residual, incoming = _norms(added), _norms(inputs)
            ratio = residual / incoming.clamp_min(1e-12)
            self._blocks.append(torch.stack([residual.mean(), incoming.mean(), ratio.mean()]))

        return read


def place_blocks(blocks: Sequence[Block]) -> pd.DataFrame:
    """Block number from 1, stage, and the weighted layer at which each block ends."""
    ends = 1 + pd.Series([block.layers for block in blocks]).cumsum()
    return pd.DataFrame(
        {"block": range(1, len(blocks) + 1), "stage": [block.stage for block in blocks], "layer": ends}
    )


def response_layers(net: CifarNet) -> list[int]:
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
    """Euclidean norm of the loss gradient over each block's parameters, (blocks,)."""
    grads = [[p.grad for p in block.parameters() if p.grad is not None] for block in blocks]
    flat = [grad for group in grads for grad in group]
    if not flat:
        return torch.full((len(blocks),), float("nan"))
    squares = torch.stack(torch._foreach_norm(flat)).float().square()
    owner = torch.tensor([i for i, group in enumerate(grads) for _ in group], device=squares.device)
    return squares.new_zeros(len(blocks)).index_add(0, owner, squares).sqrt()


def _norms(maps: Tensor) -> Tensor:
    norms: Tensor = torch.linalg.vector_norm(maps.float(), dim=(1, 2, 3))
    return norms
