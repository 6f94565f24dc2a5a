"""The gradient along a line from one picture to another, in strips, as in Balduzzi et al. 2017.

Shattered gradients change from step to step like white noise; gradients that an optimiser can use change
slowly. The net answers with a fixed random read-out, and BN with fixed statistics, in float64.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from explorer.nets.identity import settle
from explorer.probes.replica import replica
from explorer.probes.strip import STEPS, Strip, strip_of

READ_OUT_SEED = 1
_CHUNK = 64


def gradients_along(
    net: nn.Module,
    ends: tuple[Tensor, Tensor],
    statistics: Tensor | None,
    steps: int = STEPS,
    told: Callable[[float], None] = lambda _: None,
) -> Strip:
    """The gradient of a fixed random read-out of the logits to the picture, at each step of a line.

    Args:
        net: a `ProbedNet`; left as it is, read in eval mode.
        ends: the line's first and last picture, normalised, each (C, H, W).
        statistics: normalised images, (N, C, H, W), that BN's statistics are taken of first; None leaves
            those that the net was trained to. An untrained net has none: its BN would do nothing.
        steps: points on the line, both ends included.
        told: given the share that is done, 0 to 1; what it raises stops.
    """
    copied = replica(net).double()
    if statistics is not None:
        settle(copied, statistics.double())
    first, last = (end.double() for end in ends)
    at = torch.linspace(0, 1, steps, dtype=torch.float64).view(-1, 1, 1, 1)
    parts = []
    for number, places in enumerate(chunks := torch.split(at, _CHUNK)):
        told(number / len(chunks))
        points = ((1 - places) * first + places * last).requires_grad_(True)
        logits: Tensor = copied(points)
        read = torch.randn(
            logits.shape[1], generator=torch.Generator().manual_seed(READ_OUT_SEED), dtype=torch.float64
        )
        parts.append(torch.autograd.grad((logits @ read).sum(), points)[0].flatten(1))
    told(1.0)
    return strip_of(torch.cat(parts).numpy())
