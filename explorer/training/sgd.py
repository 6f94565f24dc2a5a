"""Stochastic gradient descent with momentum, as fast as the device has it."""

from __future__ import annotations

import torch
from torch import nn

from explorer.training.recipe import Recipe


def make_sgd(net: nn.Module, recipe: Recipe, device: torch.device) -> torch.optim.SGD:
    """SGD with the recipe's momentum and weight decay on all parameters, fused where the device can."""
    optimizer = torch.optim.SGD(
        net.parameters(),
        # a graph reads its learning rate from the device; everywhere else a number is faster
        lr=torch.tensor(recipe.lr, device=device) if device.type == "cuda" else recipe.lr,
        momentum=recipe.momentum,
        weight_decay=recipe.weight_decay,
        fused=device.type in ("cpu", "cuda"),
    )
    if recipe.survival < 1:  # fused steps want a momentum for all or none, and a skipped block has none yet
        for parameter in net.parameters():
            optimizer.state[parameter]["momentum_buffer"] = torch.zeros_like(parameter)
    return optimizer
