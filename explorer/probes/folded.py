"""Copies of nets with each BN folded into its convolution, which run in less time.

In eval mode a BN is a scale and a shift per channel, which the convolution before it can do with weights and
bias of its own. What the two computed together is then one module's output: the same up to rounding.
"""

from __future__ import annotations

import copy

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from explorer.nets.loaded_net import ProbedNet
from explorer.probes.replica import replica


def folded(net: nn.Module, *, overwrite: bool = False) -> nn.Module:
    """A private copy in eval mode: BN folded into convolutions, maps laid out channels last, all frozen.

    The folded convolution stands in the BN's place, in `Block.responses` too, and nothing in the
    convolution's. A BN stays as it is where no convolution is before it, or one whose own output is a
    layer response (pre-activation nets).

    Args:
        net: a `ProbedNet`; left as it is.
        overwrite: ReLUs between two layers, and those behind an addition, write over what they read: to
            write to fresh memory takes four times as long. No gradient passes then, and whoever keeps a
            layer's output must copy it.
    """
    assert isinstance(net, ProbedNet)
    instead: dict[nn.Module, nn.Module] = {}
    read = set(net.responses())
    for steps in [module for module in net.modules() if isinstance(module, nn.Sequential)]:
        for conv, norm in zip(steps, list(steps)[1:], strict=False):
            if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d) and conv not in read:
                instead |= {conv: nn.Identity(), norm: _fused(conv, norm)}
    copied = replica(net, instead).to(memory_format=torch.channels_last)
    assert isinstance(copied, ProbedNet)
    if overwrite:
        _overwrite(copied)
    made: nn.Module = copied
    return made


def _fused(conv: nn.Conv2d, norm: nn.BatchNorm2d) -> nn.Conv2d:
    assert norm.running_mean is not None
    assert norm.running_var is not None
    made = copy.deepcopy(conv, {id(conv.weight): conv.weight})  # its settings; the weight is not copied
    made.weight, made.bias = fuse_conv_bn_weights(
        conv.weight, conv.bias, norm.running_mean, norm.running_var, norm.eps, norm.weight, norm.bias
    )
    return made.requires_grad_(False)


def _overwrite(net: ProbedNet) -> None:
    for block in net.block_list():
        # the last module's output is F(x), which is read after it was added
        for relu in block.branch[1:-1]:
            if isinstance(relu, nn.ReLU):
                relu.inplace = True
        summed = getattr(block, "relu", None)
        if isinstance(summed, nn.ReLU) and block.shortcut is not None:
            summed.inplace = True
