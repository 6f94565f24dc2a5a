"""Hooks that leave no trace: modes, gradients and statistics are as before, even after an error."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

Reader = Callable[[Tensor, Tensor], None]


@contextmanager
def reading(taps: Iterable[tuple[nn.Module, Reader]]) -> Iterator[None]:
    """Call `reader(input, output)` whenever a tapped module has run.

    A reader must reduce or clone what it wants to keep: the tensors are the net's own.
    """
    handles = []
    try:
        for module, reader in taps:
            handles.append(module.register_forward_hook(_hook(reader)))
        yield
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def mode(net: nn.Module, *, training: bool) -> Iterator[None]:
    """Put the whole net into train or eval mode, without gradients; each module's own mode comes back.

    In train mode BN would move its running statistics: they are put back too.
    """
    modes = [(module, module.training) for module in net.modules()]
    buffers = [(buffer, buffer.clone()) for buffer in net.buffers()] if training else []
    try:
        net.train(training)
        with torch.no_grad():
            yield
    finally:
        for module, was in modes:
            module.training = was
        for buffer, before in buffers:
            buffer.copy_(before)


def _hook(reader: Reader) -> Callable[[nn.Module, tuple[Tensor, ...], Tensor], None]:
    def hook(_module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        reader(inputs[0], output)

    return hook
