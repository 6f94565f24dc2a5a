"""The conductance of all layers, in one shared set of passes.

Conductance of a layer is its output's gradient times its output's change, summed along the straight
way from the baseline (Dhamdhere et al. 2018). Captum's `LayerConductance` walks that way once per
layer; one forward and one backward pass hold what all layers need.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd
import torch
from captum.attr._utils.approximation_methods import approximation_parameters
from torch import Tensor, nn

from explorer.nets.blocks import Block
from explorer.probes.responses import place_blocks


@dataclass(frozen=True, eq=False)
class Path:
    """The straight way from a baseline to a picture.

    Attributes:
        inputs: normalised, (1, C, H, W).
        baseline: normalised, (1, C, H, W).
        target: class number.
        n_steps: differences on the way, at Gauss-Legendre points as in Captum.
        rows: points per pass, so that memory stays bounded.
        trapezoid: take the mean gradient of each step's two ends instead of, as Captum does, the first
            end's: the error of the sum falls with the square of the steps.
    """

    inputs: Tensor
    baseline: Tensor
    target: int
    n_steps: int = 50
    rows: int = 64
    trapezoid: bool = False

    def chunks(self) -> list[Tensor]:
        """All n_steps + 1 points, (rows, C, H, W) each; a chunk begins with the last point before it."""
        _, alphas_of = approximation_parameters("gausslegendre")
        alphas = torch.tensor(alphas_of(self.n_steps + 1), dtype=self.inputs.dtype).view(-1, 1, 1, 1)
        size = max(self.rows, 2)
        starts = range(0, self.n_steps, size - 1)
        way = self.inputs - self.baseline
        return [self.baseline + alphas[start : start + size] * way for start in starts]


def layer_conductances(net: nn.Module, layers: Sequence[nn.Module], path: Path) -> list[Tensor]:
    """Conductance of each layer's output, (1, C, H, W) each, as Captum's `LayerConductance` defines it.

    Args:
        net: a replica, its weights frozen.
        layers: modules of the net, in the order in which they run.
        path: from where to where.
    """
    totals: list[Tensor] = []
    for points in path.chunks():
        outputs = _outputs(net, layers, points, path.target)
        found = [
            (_along(gradient, path.trapezoid) * (output[1:] - output[:-1])).sum(0, keepdim=True)
            for output, gradient in outputs
        ]
        totals = found if not totals else [total + part for total, part in zip(totals, found, strict=True)]
    return totals


def conductance_table(
    blocks: Sequence[Block], walk: Callable[[Sequence[nn.Module]], list[Tensor]]
) -> pd.DataFrame:
    """What flows through each block, and how much of it through its residual branch.

    Args:
        blocks: of a replica, in order.
        walk: `layer_conductances` of the modules that it is given.

    Returns:
        Columns block, stage, layer, conductance (of the block's output: all of the score's rise, for
        every block), branch (of F(x), or H(x) in a plain net, before the addition), shortcut (what is left,
        which takes the other way: near zero in a plain net), branch_abs (sum of the branch's
            absolute values).
    """
    layers = [module for block in blocks for module in (block.branch, block)]
    found = walk(layers)
    branches, outputs = found[::2], found[1::2]
    table = place_blocks(blocks)
    table["conductance"] = [float(output.sum()) for output in outputs]
    table["branch"] = [float(branch.sum()) for branch in branches]
    table["shortcut"] = table["conductance"] - table["branch"]
    table["branch_abs"] = [float(branch.abs().sum()) for branch in branches]
    return table


def spread(conductance: Tensor, inputs: Tensor) -> Tensor:
    """A layer's conductance, summed over its channels, laid over the picture: its sum stays the same."""
    coarse = conductance.sum(1, keepdim=True)
    cells = torch.arange(coarse.numel()).view(coarse.shape).float()
    place = nn.functional.interpolate(cells, inputs.shape[2:], mode="nearest").long()
    counts = torch.bincount(place.flatten(), minlength=coarse.numel()).clamp_min(1)
    large = (coarse.flatten() / counts)[place]
    return large.expand_as(inputs) / inputs.shape[1]


def _along(gradient: Tensor, trapezoid: bool) -> Tensor:
    return (gradient[:-1] + gradient[1:]) / 2 if trapezoid else gradient[:-1]


def _outputs(
    net: nn.Module, layers: Sequence[nn.Module], points: Tensor, target: int
) -> list[tuple[Tensor, Tensor]]:
    """Output of each layer at each point, and the target score's gradient there."""
    kept: dict[nn.Module, Tensor] = {}

    def keep(module: nn.Module, _inputs: object, output: Tensor) -> None:
        # nothing before the first layer needs a gradient: the graph begins at its output
        kept[module] = output if output.requires_grad else output.requires_grad_()

    handles = [layer.register_forward_hook(keep) for layer in layers]
    try:
        with torch.enable_grad():
            score = net(points)[:, target].sum()
            outputs = [kept[layer] for layer in layers]
            gradients = torch.autograd.grad(score, outputs)
    finally:
        for handle in handles:
            handle.remove()
    return [(output.detach(), gradient) for output, gradient in zip(outputs, gradients, strict=True)]
