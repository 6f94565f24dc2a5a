"""The blocks of nets: a class for each way of passing the input on, and what a probe may read from each.

Every block answers to the same names: `branch` computes F(x) (or H(x) where there is no
shortcut), `shortcut` what is added to it, `responses` the modules whose outputs are the layer
responses of Figure 7. Additions are out of place and every ReLU is its own module, so that hooks
and DeepLift read what was computed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from explorer.nets.layout import Layout
from explorer.nets.spec import BlockKind, Shortcut


def conv3x3(in_channels: int, out_channels: int, stride: int = 1, *, bias: bool = False) -> nn.Conv2d:
    """A 3x3 convolution that keeps the map size at stride 1."""
    return nn.Conv2d(in_channels, out_channels, 3, stride=stride, padding=1, bias=bias)


def conv1x1(in_channels: int, out_channels: int, stride: int = 1, *, bias: bool = False) -> nn.Conv2d:
    """A 1x1 convolution."""
    return nn.Conv2d(in_channels, out_channels, 1, stride=stride, bias=bias)


class PadShortcut(nn.Module):
    """Option A: every second pixel, new channels zero; no parameters (section 3.3)."""

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        """Pad `in_channels` to `out_channels` and subsample by `stride`."""
        super().__init__()
        self.new_channels = out_channels - in_channels
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        """(N, C_in, H, W) -> (N, C_out, ceil(H / stride), ceil(W / stride))."""
        if self.stride > 1:
            x = x[:, :, :: self.stride, :: self.stride]
        return functional.pad(x, (0, 0, 0, 0, 0, self.new_channels))


class ActivatedProjection(nn.Module):
    """A projection of ReLU(BN(x)), with the first BN of the branch beside it (He et al. 2016).

    The ReLU is its own, since a module that runs twice breaks DeepLift; the BN is shared, and its running
    statistics are those that the branch leaves.
    """

    def __init__(self, norm: nn.BatchNorm2d, projection: nn.Module) -> None:
        super().__init__()
        self._norm = (norm,)  # in a tuple, so that it has one name in the state dict
        self.relu = nn.ReLU()
        self.projection = projection

    def forward(self, x: Tensor) -> Tensor:
        """(N, C_in, H, W) -> (N, C_out, H', W')."""
        (norm,) = self._norm
        statistics = (None, None) if norm.training else (norm.running_mean, norm.running_var)
        normed = functional.batch_norm(
            x, *statistics, norm.weight, norm.bias, training=norm.training, eps=norm.eps
        )
        return self.projection(self.relu(normed))  # type: ignore[no-any-return]


def make_shortcut(
    option: Shortcut,
    in_channels: int,
    out_channels: int,
    stride: int,
    *,
    norm: bool,
    averaged: bool = False,
    bias: bool = False,
) -> nn.Module:
    """The shortcut of option A, B or C: identity, padding or a 1x1 projection (Eq. 2).

    Args:
        option: A pads, B projects where the shape changes, C projects everywhere.
        in_channels: of x.
        out_channels: of F(x).
        stride: of the block.
        norm: whether a BN follows a projection.
        averaged: a stride averages pixels instead of leaving some out (He et al. 2019, ResNet-D).
        bias: whether a projection has one.
    """
    same = in_channels == out_channels and stride == 1
    if same and option != "C":
        return nn.Identity()
    pooling: list[nn.Module] = []
    if averaged and stride > 1:
        pooling = [nn.AvgPool2d(stride, stride, ceil_mode=True, count_include_pad=False)]
        stride = 1
    if option == "A":
        steps = [*pooling, PadShortcut(in_channels, out_channels, stride)]
    else:
        steps = [*pooling, conv1x1(in_channels, out_channels, stride, bias=bias)]
        steps += [nn.BatchNorm2d(out_channels)] if norm else []
    return nn.Sequential(*steps) if len(steps) > 1 else steps[0]


class BlockPlace(NamedTuple):
    """What a block is built from: its kind, shape and place in the net.

    Attributes:
        kind: basic or bottleneck.
        channels: of the input, inside, and of the output.
        stride: of the block.
        stage: from 1, by map size.
        shortcut: option A, B or C; None in a family without shortcuts.
        layout: of the net: how projections are made, and whether convolutions have biases.
        options: what the net's family alone has, by name: `gate_bias` of highway nets.
    """

    kind: BlockKind
    channels: tuple[int, int, int]
    stride: int
    stage: int
    shortcut: Shortcut | None
    layout: Layout
    options: Mapping[str, float]


class Block(nn.Module):
    """Base of all blocks: what a net builds and a probe can count on.

    Attributes:
        branch: F(x), or the whole mapping H(x) where `shortcut` is None.
        shortcut: what is added to F(x); None in plain nets.
        stage: from 1, by map size.
        layers: weighted layers on the block's longest path.
    """

    branch: nn.Sequential
    shortcut: nn.Module | None
    responses: tuple[nn.Module, ...]

    def __init__(self, stage: int, layers: int) -> None:
        super().__init__()
        self.stage = stage
        self.layers = layers

    @classmethod
    def at(cls, place: BlockPlace) -> Block:
        """The block at that place in a net."""
        raise NotImplementedError

    def beside(self) -> list[nn.Module]:
        """What the block has beside its branch: weights that are drawn after those of all branches."""
        return [] if self.shortcut is None else [self.shortcut]

    def start(self) -> None:
        """Set, in place, what begins at another value than weights and biases do."""

    def added(self, x: Tensor, branch: Tensor, output: Tensor) -> Tensor:
        """What the block adds to its input, given what one pass computed; see `HighwayBlock`."""
        return branch

    def bypass(self, x: Tensor) -> Tensor:
        """What is left of the block without its branch.

        Raises:
            ValueError: there is nothing left, since the block has no shortcut.
        """
        raise ValueError("A block without a shortcut has no way around its layers.")


def _branch_convs(
    block: BlockKind, channels: tuple[int, int, int], stride: int, *, bias: bool
) -> list[nn.Conv2d]:
    inside, width, outside = channels
    if block == "bottleneck":
        return [
            conv1x1(inside, width, bias=bias),
            conv3x3(width, width, stride, bias=bias),
            conv1x1(width, outside, bias=bias),
        ]
    return [conv3x3(inside, width, stride, bias=bias), conv3x3(width, outside, bias=bias)]


class PostActBlock(Block):
    """The block of He et al. 2015: ReLU(F(x) + shortcut(x)), or ReLU(F(x)) in a plain net."""

    def __init__(
        self,
        block: BlockKind,
        channels: tuple[int, int, int],
        stride: int,
        stage: int,
        shortcut: Shortcut | None,
        layout: Layout,
    ) -> None:
        """Build conv-BN-ReLU-conv-BN (three convolutions in a bottleneck).

        Args:
            block: basic or bottleneck.
            channels: of the input, inside, and of the output.
            stride: of the block's first 3x3 convolution (and of its shortcut).
            stage: from 1.
            shortcut: option A, B or C; None makes the block plain.
            layout: of the net: how projections are made, and whether convolutions have biases.
        """
        convs = _branch_convs(block, channels, stride, bias=layout.conv_bias)
        super().__init__(stage, len(convs))
        steps: list[nn.Module] = []
        for conv in convs:
            steps += [conv, nn.BatchNorm2d(conv.out_channels), nn.ReLU()]
        self.branch = nn.Sequential(*steps[:-1])
        self.shortcut = None if shortcut is None else _shortcut(shortcut, channels, stride, layout)
        self.relu = nn.ReLU()
        self.responses = tuple(
            norm
            for conv, norm in zip(self.branch, list(self.branch)[1:], strict=False)
            if isinstance(conv, nn.Conv2d) and conv.kernel_size == (3, 3)
        )

    @classmethod
    def at(cls, place: BlockPlace) -> PostActBlock:
        """The block at that place in a net."""
        return cls(place.kind, place.channels, place.stride, place.stage, place.shortcut, place.layout)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C_in, H, W) -> (N, C_out, H', W')."""
        residual: Tensor = self.branch(x)
        return self.relu(residual if self.shortcut is None else residual + self.shortcut(x))  # type: ignore[no-any-return]

    def bypass(self, x: Tensor) -> Tensor:
        """ReLU(shortcut(x)); raises in a plain net."""
        return super().bypass(x) if self.shortcut is None else self.relu(self.shortcut(x))


class PreActBlock(Block):
    """Full pre-activation of He et al. 2016: F(x) + shortcut(x), nothing after the addition.

    The responses of Figure 7 have no BN after them here: they are the 3x3 convolutions' outputs.
    """

    def __init__(
        self,
        block: BlockKind,
        channels: tuple[int, int, int],
        stride: int,
        stage: int,
        shortcut: Shortcut,
        layout: Layout,
    ) -> None:
        """Build BN-ReLU-conv twice (three times in a bottleneck); arguments as in `PostActBlock`."""
        convs = _branch_convs(block, channels, stride, bias=layout.conv_bias)
        super().__init__(stage, len(convs))
        steps: list[nn.Module] = []
        for conv in convs:
            steps += [nn.BatchNorm2d(conv.in_channels), nn.ReLU(), conv]
        self.branch = nn.Sequential(*steps)
        made = _shortcut(shortcut, channels, stride, layout)
        projects = any(isinstance(module, nn.Conv2d) for module in made.modules())
        first = self.branch[0]
        assert isinstance(first, nn.BatchNorm2d)
        self.shortcut: nn.Module = (
            ActivatedProjection(first, made) if projects and layout.projection == "activated" else made
        )
        self.responses = tuple(conv for conv in convs if conv.kernel_size == (3, 3))

    @classmethod
    def at(cls, place: BlockPlace) -> PreActBlock:
        """The block at that place in a net."""
        shortcut = place.shortcut or "A"
        return cls(place.kind, place.channels, place.stride, place.stage, shortcut, place.layout)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C_in, H, W) -> (N, C_out, H', W')."""
        residual: Tensor = self.branch(x)
        return residual + self.shortcut(x)  # type: ignore[no-any-return]

    def bypass(self, x: Tensor) -> Tensor:
        """The shortcut alone."""
        return self.shortcut(x)  # type: ignore[no-any-return]


def _shortcut(option: Shortcut, channels: tuple[int, int, int], stride: int, layout: Layout) -> nn.Module:
    return make_shortcut(
        option, channels[0], channels[2], stride, norm=layout.projection_norm, averaged=layout.averaged,
        bias=layout.conv_bias,
    )  # fmt: skip


class HighwayBlock(Block):
    """One Highway layer: H(x) T(x) + x (1 - T(x)), H and T with the same 3x3 receptive field.

    Where the shape changes the layer is plain, as in Srivastava et al. 2015. A gate needs H
    after its ReLU, so `branch` ends in one here; `responses` still reads the BN before it.
    """

    shortcut: None

    def __init__(
        self, in_channels: int, out_channels: int, stride: int, stage: int, gate_bias: float
    ) -> None:
        """Build H = ReLU(BN(conv x)) and, where shapes agree, T = sigmoid(conv x + b)."""
        super().__init__(stage, 1)
        norm = nn.BatchNorm2d(out_channels)
        self.branch = nn.Sequential(conv3x3(in_channels, out_channels, stride), norm, nn.ReLU())
        self.shortcut = None
        self.gate: nn.Conv2d | None = None
        self.gate_bias = gate_bias
        if in_channels == out_channels and stride == 1:
            self.gate = conv3x3(in_channels, out_channels, bias=True)
        self.responses = (norm,)

    @classmethod
    def at(cls, place: BlockPlace) -> HighwayBlock:
        """The layer at that place in a net."""
        return cls(*place.channels[:2], place.stride, place.stage, place.options["gate_bias"])

    def beside(self) -> list[nn.Module]:
        """The gate, where there is one."""
        return [] if self.gate is None else [self.gate]

    def start(self) -> None:
        """Give the gate its bias b_T."""
        if self.gate is not None and self.gate.bias is not None:
            nn.init.constant_(self.gate.bias, self.gate_bias)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C_in, H, W) -> (N, C_out, H', W')."""
        transformed: Tensor = self.branch(x)
        if self.gate is None:
            return transformed
        openness = torch.sigmoid(self.gate(x))
        return transformed * openness + x * (1 - openness)

    def added(self, x: Tensor, branch: Tensor, output: Tensor) -> Tensor:
        """T(x) (H(x) - x), the change that the gate lets through; H(x) where the layer is plain."""
        return branch if self.gate is None else output - x


class ConvBlock(Block):
    """One plain convolution of VGG: ReLU(BN(conv x)), behind a max pooling where the map shrinks."""

    shortcut: None

    def __init__(self, in_channels: int, out_channels: int, stage: int, *, pooled: bool, norm: bool) -> None:
        """Build the layer; without `norm` the convolution's own output is the response."""
        super().__init__(stage, 1)
        steps: list[nn.Module] = [nn.MaxPool2d(2)] if pooled else []
        steps.append(conv3x3(in_channels, out_channels, bias=True))
        self.branch = nn.Sequential(*steps, *([nn.BatchNorm2d(out_channels)] if norm else []))
        self.shortcut = None
        self.relu = nn.ReLU()
        self.responses = (self.branch[-1],)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C_in, H, W) -> (N, C_out, H', W')."""
        return self.relu(self.branch(x))  # type: ignore[no-any-return]
