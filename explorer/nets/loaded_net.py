"""`LoadedNet`: a net from any source, and what its images look like."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from explorer.nets.blocks import Block
from explorer.nets.checkpoint_reading import Assumption
from explorer.nets.normalisation import Normalisation


@runtime_checkable
class ProbedNet(Protocol):
    """What every probe may count on: a stem, blocks in order, and a head; called, it gives logits."""

    stem: nn.Module
    head: nn.Module

    def block_list(self) -> list[Block]:
        """The blocks in order; see `explorer.nets.blocks.Block`."""
        ...

    def responses(self) -> list[nn.Module]:
        """The modules whose outputs are Figure 7's layer responses, in layer order."""
        ...

    def __call__(self, x: Tensor) -> Tensor:
        """Images (N, C, H, W) to logits (N, classes)."""
        ...


@dataclass(frozen=True)
class LoadedNet:
    """A net ready to be probed: in eval mode, float32, on the CPU, its weights never changed.

    Attributes:
        key: names it in a URL.
        title: the name shown to people, with what it was trained on.
        net: the net; a `ProbedNet`.
        normalisation: of its inputs, per channel, of pixels in 0 to 1.
        classes: names of its outputs.
        image_size: side of its square inputs in pixels, as it was trained.
        trained: False where the weights are random.
        origin: one sentence on where the weights come from.
        assumptions: what its file does not say, and what it was taken to be.
        notes: what was made of the file's tensors, and which were left out.
        sized: whether a person gave the size, so that images of any other are resized to it.
    """

    key: str
    title: str
    net: nn.Module
    normalisation: Normalisation
    classes: tuple[str, ...]
    image_size: int
    trained: bool
    origin: str
    assumptions: tuple[Assumption, ...] = ()
    notes: tuple[str, ...] = ()
    sized: bool = False

    @property
    def in_channels(self) -> int:
        """Channels of its inputs: 1 for grey, 3 for colour."""
        return len(self.normalisation.mean)

    def blocks(self) -> list[Block]:
        """The blocks in order."""
        assert isinstance(self.net, ProbedNet)
        return self.net.block_list()

    def normalised(self, pixels: Tensor) -> Tensor:
        """Pixels in 0 to 1, (N, C, H, W), as the net wants them; float32."""
        mean, std = (
            torch.tensor(values).view(1, -1, 1, 1)
            for values in (self.normalisation.mean, self.normalisation.std)
        )
        return (pixels.float() - mean) / std
