"""Signal and gradient through all blocks of a net, from one forward and one backward pass."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn import functional

from explorer.nets.build import CifarNet
from explorer.probes.hooks import Reader, reading
from explorer.probes.responses import gradient_norms, place_blocks

SIGNAL_COLUMNS = ("output_std", "output_gradient_norm", "gradient_norm")


def read_signal(net: CifarNet, images: Tensor, labels: Tensor) -> pd.DataFrame:
    """Pass one batch forward and its loss backward, BN with batch statistics as in training.

    Weights, gradients, modes and running statistics are afterwards as they were. Norms are taken in
    the precision of the net: at 1,000 plain layers float32 overflows, so give a net and images in
    float64.

    Args:
        net: any CIFAR-style net.
        images: normalised, (N, C, H, W).
        labels: (N,).

    Returns:
        Per block: block, stage, layer, output_std (over all elements of its output), output_gradient_norm
        (Euclidean, of the mean loss with respect to its output), gradient_norm (to its parameters).
    """
    stds: dict[int, Tensor] = {}
    norms: dict[int, Tensor] = {}
    taps: list[tuple[nn.Module, Reader]] = [
        (block, _reader(index, stds, norms)) for index, block in enumerate(net.block_list())
    ]
    with _as_in_training(net), reading(taps):
        functional.cross_entropy(net(images), labels).backward()  # type: ignore[no-untyped-call]
        to_parameters = gradient_norms(net.block_list())
    count = len(taps)
    table = place_blocks(net.block_list())
    table["output_std"] = [float(stds[index]) for index in range(count)]
    table["output_gradient_norm"] = [float(norms[index]) for index in range(count)]
    table["gradient_norm"] = to_parameters.cpu().numpy()
    return table


def _reader(index: int, stds: dict[int, Tensor], norms: dict[int, Tensor]) -> Reader:
    def note(gradient: Tensor) -> None:
        norms[index] = torch.linalg.vector_norm(gradient)

    def read(_inputs: Tensor, output: Tensor) -> None:
        stds[index] = output.detach().std()
        output.register_hook(note)  # type: ignore[no-untyped-call]

    return read


@contextmanager
def _as_in_training(net: nn.Module) -> Iterator[None]:
    """Train mode with empty gradients; modes, gradients and running statistics come back."""
    modes = [(module, module.training) for module in net.modules()]
    buffers = [(buffer, buffer.clone()) for buffer in net.buffers()]
    gradients = [(parameter, parameter.grad) for parameter in net.parameters()]
    try:
        for parameter, _ in gradients:
            parameter.grad = None
        net.train()
        with torch.enable_grad():
            yield
    finally:
        for module, was in modes:
            module.training = was
        with torch.no_grad():
            for buffer, before in buffers:
                buffer.copy_(before)
        for parameter, gradient in gradients:
            parameter.grad = gradient
