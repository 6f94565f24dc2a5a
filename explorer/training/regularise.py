"""What makes a training step harder than the test: stochastic depth, dropout, blocks computed twice.

All three are settings of the recipe and leave the net's modules and its checkpoint as they are.
Every draw follows from (seed, iteration), so a resumed run draws what an uninterrupted one would.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from explorer.nets.blocks import Block
from explorer.nets.build import CifarNet
from explorer.nets.spec import NetSpec
from explorer.training.allocator import give_back_freed_maps
from explorer.training.recipe import Recipe

BlockCall = Callable[[Block, Tensor], Tensor]


def survival_rates(blocks: int, last: float) -> list[float]:
    """Chance that each block's branch takes part: 1 - l/L (1 - p_L) for l = 1 to L.

    Source: Huang et al. 2016, "Deep Networks with Stochastic Depth", Eq. 4.
    """
    return [1 - number / blocks * (1 - last) for number in range(1, blocks + 1)]


def check_regularisers(spec: NetSpec, recipe: Recipe) -> None:
    """Refuse what a family cannot do.

    Raises:
        ValueError: the text says which setting to leave out.
    """
    if recipe.survival < 1 and not spec.traits.shortcut:
        raise ValueError(
            f"Stochastic depth goes around blocks by shortcuts; {spec.title} has none. Set survival to 1."
        )
    if recipe.dropout and spec.traits.layers_per_block == 1:
        raise ValueError(
            f"Dropout stands between a block's convolutions; a {spec.family} block has only one. "
            "Set dropout to 0."
        )


class TrainingPass:
    """How a training step passes each block: skipped, with values dropped, or kept by its input alone.

    Dropout lies before a branch's last convolution, as in Zagoruyko and Komodakis 2016, with the
    kept values divided by 1 - dropout. Survival is drawn once per step and block, for the whole batch.

    Args:
        net: the net; gets a hook per block where there is dropout.
        recipe: its seed, survival, dropout and checkpointing.
        call: passes a block.
    """

    def __init__(self, net: CifarNet, recipe: Recipe, call: BlockCall) -> None:
        self._recipe = recipe
        self._call = call
        self._rates = np.array(survival_rates(len(net.blocks), recipe.survival))
        self._alive = np.ones(len(net.blocks), dtype=bool)
        self._iteration = 0
        if recipe.dropout:
            for index, block in enumerate(net.block_list()):
                _last_conv(block).register_forward_pre_hook(self._dropping(index))

    def begin(self, iteration: int) -> None:
        """Draw which blocks take part in the step that follows `iteration` finished ones."""
        self._iteration = iteration
        if self._recipe.survival < 1:
            drawn = np.random.default_rng((self._recipe.seed, iteration)).random(len(self._rates))
            self._alive = drawn < self._rates

    def __call__(self, index: int, block: Block, x: Tensor) -> Tensor:
        """Pass block `index`, (N, C_in, H, W) -> (N, C_out, H', W')."""
        if not self._alive[index]:
            return block.bypass(x)
        if not self._recipe.checkpointing:
            return self._call(block, x)
        # nothing here draws from torch's generators, so there is no state of theirs to keep
        passed: Tensor = checkpoint(
            self._call,
            block,
            x,
            use_reentrant=False,
            preserve_rng_state=False,
            context_fn=lambda: _twice(block),
        )
        return passed

    def _dropping(self, index: int) -> Any:
        def drop(module: nn.Module, inputs: tuple[Tensor]) -> tuple[Tensor] | None:
            return (self._dropped(index, inputs[0]),) if module.training else None

        return drop

    def _dropped(self, index: int, x: Tensor) -> Tensor:
        key = np.random.SeedSequence((self._recipe.seed, self._iteration, index))
        generator = torch.Generator(x.device).manual_seed(int(key.generate_state(1, np.uint64)[0]))
        kept = 1 - self._recipe.dropout
        return x * torch.empty_like(x).bernoulli_(kept, generator=generator).div_(kept)


def training_pass(net: CifarNet, recipe: Recipe, call: BlockCall) -> TrainingPass | None:
    """The pass that the recipe asks for, by `call`; None where every block is simply called."""
    asked = recipe.survival < 1 or recipe.dropout or recipe.checkpointing
    if recipe.checkpointing:
        give_back_freed_maps()
    return TrainingPass(net, recipe, call) if asked else None


@contextmanager
def at_test_time(net: CifarNet, survival: float) -> Iterator[CifarNet]:
    """The net as it is tested after stochastic depth: each branch times its survival rate.

    The factor is multiplied into the branch's last BN (or convolution, before an addition without
    one), so that a checkpoint saved here is an ordinary net. Afterwards the weights are as before,
    bit by bit.

    Source: Huang et al. 2016, Eq. 5.
    """
    if survival == 1:
        yield net
        return
    scaled: list[tuple[nn.Parameter, Tensor]] = []
    try:
        for block, rate in zip(net.block_list(), survival_rates(len(net.blocks), survival), strict=True):
            for parameter in block.branch[-1].parameters():
                scaled.append((parameter, parameter.detach().clone()))
                with torch.no_grad():
                    parameter.mul_(rate)
        yield net
    finally:
        with torch.no_grad():
            for parameter, before in scaled:
                parameter.copy_(before)


def _last_conv(block: Block) -> nn.Module:
    return [module for module in block.branch if isinstance(module, nn.Conv2d)][-1]


def _twice(block: Block) -> tuple[Any, Any]:
    """Contexts of the first and of the second computation of a block."""
    return nullcontext(), _unmoved_statistics(block)


@contextmanager
def _unmoved_statistics(block: Block) -> Iterator[None]:
    """BN works as before on copies of its running statistics, so that no batch counts twice."""
    norms = [module for module in block.modules() if isinstance(module, nn.BatchNorm2d)]
    originals = [dict(norm.named_buffers(recurse=False)) for norm in norms]
    try:
        for norm, buffers in zip(norms, originals, strict=True):
            for name, buffer in buffers.items():
                setattr(norm, name, buffer.clone())
        yield
    finally:
        for norm, buffers in zip(norms, originals, strict=True):
            for name, buffer in buffers.items():
                setattr(norm, name, buffer)
