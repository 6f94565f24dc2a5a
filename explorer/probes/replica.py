"""Copies of a net for computations side by side, one for each.

Captum sets hooks on modules, and two sessions' hooks must not meet. A replica has modules and
buffers of its own and shares the weights, frozen: whatever happens to it, an error or a stop in the
middle included, the net that it was made from is as it was.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

BUDGET_BYTES = 512 * 2**20
"""What the activations and gradients of one pass may take; passes are cut into chunks to keep to it."""
MOST_ROWS = 64


class Cancelled(Exception):  # noqa: N818 - no error: somebody pressed stop
    """A computation was stopped; nothing is kept of it."""


Progress = Callable[[float], None]
"""Told the share that is done, 0 to 1; raises `Cancelled` to stop."""


def replica(net: nn.Module, instead: Mapping[nn.Module, nn.Module] | None = None) -> nn.Module:
    """A copy in eval mode with modules, buffers and no hooks of its own; the weights are shared, frozen.

    Args:
        net: left as it is.
        instead: by module of the net, what stands in its copy's place, wherever the net refers to it.
    """
    memo: dict[int, object] = {id(module): other for module, other in (instead or {}).items()}
    for parameter in net.parameters():
        memo[id(parameter)] = nn.Parameter(parameter.detach(), requires_grad=False)
    copied: nn.Module = copy.deepcopy(net, memo)
    for module in copied.modules():
        for hooks in (module._forward_hooks, module._forward_pre_hooks, module._backward_hooks):
            hooks.clear()
    return copied.eval()


@contextmanager
def counting(first: nn.Module, total: int, progress: Progress | None) -> Iterator[None]:
    """Tell `progress` before each pass which share of `total` images has gone through `first`."""
    if progress is None:
        yield
        return
    seen = 0

    def hook(_module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        nonlocal seen
        progress(min(seen / max(total, 1), 1.0))
        seen += len(inputs[0])

    handle = first.register_forward_pre_hook(hook)
    try:
        yield
    finally:
        handle.remove()


def activation_bytes(net: nn.Module, inputs: Tensor) -> int:
    """Bytes of all modules' outputs for one image, measured in a pass."""
    total = 0

    def hook(_module: nn.Module, _inputs: object, output: Tensor) -> None:
        nonlocal total
        total += output[0].numel() * output.element_size()

    leaves = [module for module in net.modules() if not any(module.children())]
    handles = [module.register_forward_hook(hook) for module in leaves]
    try:
        with torch.no_grad():
            net(inputs[:1])
    finally:
        for handle in handles:
            handle.remove()
    return total


def rows_at_once(bytes_per_image: int) -> int:
    """How many images fit into one pass: activations and as many gradients within `BUDGET_BYTES`."""
    return max(1, min(BUDGET_BYTES // max(2 * bytes_per_image, 1), MOST_ROWS))
