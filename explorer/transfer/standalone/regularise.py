"""Stochastic depth and dropout, where the recipe has them."""

import copy
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from explorer.transfer.standalone.net import Net
from explorer.transfer.standalone.settings import RECIPE, SEED


def survival_rates(blocks: int) -> np.ndarray:
    """Stochastic depth: the chance that a block's branch takes part, falling over the blocks."""
    return np.array([1 - number / blocks * (1 - RECIPE["survival"]) for number in range(1, blocks + 1)])


def add_dropout(net: Net, clock: dict[str, int]) -> None:
    """Drop values before each branch's last convolution, drawn from (seed, iteration, block)."""

    def hook(index: int) -> Any:
        def drop(module: nn.Module, inputs: tuple[Tensor]) -> tuple[Tensor] | None:
            if not module.training:
                return None
            key = np.random.SeedSequence((SEED, clock["iteration"], index)).generate_state(1, np.uint64)
            generator = torch.Generator(inputs[0].device).manual_seed(int(key[0]))
            kept = 1 - RECIPE["dropout"]
            return (inputs[0] * torch.empty_like(inputs[0]).bernoulli_(kept, generator=generator).div_(kept),)

        return drop

    for index, block in enumerate(net.blocks):
        last = [module for module in block.branch if isinstance(module, nn.Conv2d)][-1]
        last.register_forward_pre_hook(hook(index))


def as_tested(net: Net) -> Net:
    """After stochastic depth each branch counts times its survival rate."""
    if RECIPE["survival"] == 1:
        return net
    net = copy.deepcopy(net)
    with torch.no_grad():
        for block, rate in zip(net.blocks, survival_rates(len(net.blocks)), strict=True):
            for parameter in block.branch[-1].parameters():
                parameter.mul_(float(rate))
    return net
