"""Fused training forward: batch normalisation, addition and ReLU of a block as one operation.

In eager mode these take more than half of a step, since each reads and writes whole maps. Convolutions stay
torch's. The result equals the eager one up to rounding: in bfloat16 it is rounded once where eager mode
rounds three times.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from explorer.nets.blocks import Block, HighwayBlock, PostActBlock, PreActBlock
from explorer.nets.build import CifarNet
from explorer.training import kernels

LANES = 16
_CHANNELS_LAST = torch.channels_last
_DTYPES = {torch.float32: "float32", torch.bfloat16: "bfloat16"}


class FusedBatchNorm(torch.autograd.Function):
    """y = relu(BN(x) + other) with the batch's statistics, x and other (N, C, H, W), channels last.

    Source: Ioffe and Szegedy 2015, Algorithm 1; the addition is Eq. 1 of He et al. 2015.
    """

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        gamma: Tensor,
        beta: Tensor,
        other: Tensor | None,
        relu: bool,
        norm: nn.BatchNorm2d,
    ) -> Tensor:
        """Normalise, and move the running statistics as `nn.BatchNorm2d` does."""
        assert norm.running_mean is not None
        assert norm.running_var is not None
        x = x.contiguous(memory_format=_CHANNELS_LAST)
        if other is not None:
            other = other.to(x.dtype).contiguous(memory_format=_CHANNELS_LAST)
        y, channels = torch.empty_like(x), x.shape[1]
        mean, rstd = torch.empty(2, channels).unbind()
        _kernel("forward", x.dtype)(
            x.numel() // channels, channels, torch.get_num_threads(), relu,
            *map(_address, (x, other, y, gamma, beta)), norm.eps, norm.momentum,
            *map(_address, (norm.running_mean, norm.running_var, mean, rstd)),
        )  # fmt: skip
        ctx.relu, ctx.added = relu, other is not None
        # the ReLU's mask follows from x alone, unless something was added
        ctx.save_for_backward(x, y if relu and ctx.added else x, gamma, beta, mean, rstd)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients of x, gamma, beta and other."""
        x, y, gamma, beta, mean, rstd = ctx.saved_tensors
        grad = grad.contiguous(memory_format=_CHANNELS_LAST)
        grad_x, channels = torch.empty_like(x), x.shape[1]
        behind = torch.empty_like(x) if ctx.added and ctx.relu else None
        grad_gamma, grad_beta = torch.empty(2, channels).unbind()
        _kernel("backward", x.dtype)(
            x.numel() // channels, channels, torch.get_num_threads(), ctx.relu,
            *map(_address, (grad, x, y, gamma, beta, mean, rstd, grad_x, behind, grad_gamma, grad_beta)),
        )  # fmt: skip
        other = (grad if behind is None else behind) if ctx.added else None
        return grad_x, grad_gamma, grad_beta, other, None, None


def _address(tensor: Tensor | None) -> int | None:
    return None if tensor is None else tensor.data_ptr()


def _kernel(name: str, dtype: torch.dtype) -> Callable[..., None]:
    kernel: Callable[..., None] = getattr(kernels.load(), f"{name}_{_DTYPES[dtype]}")
    return kernel


def can_fuse(norm: nn.BatchNorm2d, x: Tensor) -> bool:
    """Whether the kernel takes this map; where it does not, the eager operations do."""
    channels = x.shape[1]
    fits = channels % LANES == 0 or (LANES % channels == 0 and x.numel() % LANES == 0)
    ordinary = norm.training and norm.track_running_stats and norm.affine and norm.momentum is not None
    return fits and ordinary and x.dtype in _DTYPES and x.device.type == "cpu" and x.numel() > channels


def batch_norm(norm: nn.BatchNorm2d, x: Tensor, other: Tensor | None = None, *, relu: bool = False) -> Tensor:
    """relu(BN(x) + other), fused where that can be; x and other (N, C, H, W)."""
    if not can_fuse(norm, x):
        y = norm(x)
        y = y if other is None else y + other
        return torch.relu(y) if relu else y
    if norm.num_batches_tracked is not None:
        norm.num_batches_tracked.add_(1)
    return FusedBatchNorm.apply(x, norm.weight, norm.bias, other, relu, norm)  # type: ignore[no-any-return]


def run(modules: Sequence[nn.Module], x: Tensor) -> Tensor:
    """The modules in order, each BN fused with the ReLU behind it."""
    for index, module in enumerate(modules):
        if isinstance(module, nn.BatchNorm2d):
            x = batch_norm(module, x, relu=_is_relu(modules, index + 1))
        elif not (isinstance(module, nn.ReLU) and index and isinstance(modules[index - 1], nn.BatchNorm2d)):
            x = module(x)
    return x


def _is_relu(modules: Sequence[nn.Module], index: int) -> bool:
    return index < len(modules) and isinstance(modules[index], nn.ReLU)


def block_forward(block: Block, x: Tensor) -> Tensor:
    """`block(x)` in training mode: (N, C_in, H, W) -> (N, C_out, H', W')."""
    if isinstance(block, PostActBlock) and isinstance(block.branch[-1], nn.BatchNorm2d):
        other = None if block.shortcut is None else _shortcut(block.shortcut, x)
        return batch_norm(block.branch[-1], run(list(block.branch)[:-1], x), other, relu=True)
    if isinstance(block, PreActBlock):
        return run(list(block.branch), x) + _shortcut(block.shortcut, x)
    if isinstance(block, HighwayBlock):
        transformed = run(list(block.branch), x)
        if block.gate is None:
            return transformed
        openness = torch.sigmoid(block.gate(x))
        return transformed * openness + x * (1 - openness)
    return block(x)  # type: ignore[no-any-return]


def _shortcut(shortcut: nn.Module, x: Tensor) -> Tensor:
    return run(list(shortcut), x) if isinstance(shortcut, nn.Sequential) else shortcut(x)


class FusedNet:
    """Calls a net as in training, with fused operations; the net's modules stay as they are.

    Args:
        net: the net.
    """

    def __init__(self, net: CifarNet) -> None:
        """Load the kernel.

        Raises:
            KernelError: it cannot be had here.
        """
        kernels.load()
        self.net = net

    def __call__(self, x: Tensor, through: Callable[[int, Block, Tensor], Tensor] | None = None) -> Tensor:
        """(N, in_channels, H, W) -> logits (N, classes)."""
        x = run(list(self.net.stem), x)
        for index, block in enumerate(self.net.block_list()):
            x = block_forward(block, x) if through is None else through(index, block, x)
        return run(list(self.net.head), x)
