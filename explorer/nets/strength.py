"""Shortcuts of any strength: ReLU(F(x) + s x), a plain net at s = 0 and a residual one at s = 1."""

from __future__ import annotations

from torch import Tensor, nn

from explorer.nets.build import CifarNet


class ScaledShortcut(nn.Module):
    """A shortcut times a constant."""

    def __init__(self, shortcut: nn.Module, strength: float) -> None:
        """Take the shortcut, and what it is multiplied by."""
        super().__init__()
        self.shortcut = shortcut
        self.strength = strength

    def forward(self, x: Tensor) -> Tensor:
        """(N, C_in, H, W) -> (N, C_out, H', W')."""
        scaled: Tensor = self.strength * self.shortcut(x)
        return scaled


def weaken(net: CifarNet, strength: float) -> None:
    """Multiply every shortcut of a residual net by `strength`, in place; weights stay.

    He et al. 2016 call that constant scaling; they let the branch count 1 - s or 1 times.

    Raises:
        ValueError: the strength is not between 0 and 1, or a block has no shortcut.
    """
    if not 0 <= strength <= 1:
        raise ValueError(f"A strength of {strength:g}: give 0 (plain) to 1 (residual).")
    if any(block.shortcut is None for block in net.block_list()):
        raise ValueError(f"{net.spec.title} has no shortcuts to weaken. Take a residual net.")
    for block in net.block_list():
        assert block.shortcut is not None
        block.shortcut = ScaledShortcut(block.shortcut, strength)
