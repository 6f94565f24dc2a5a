"""Residual nets as other code bases write them: an oracle of plain functions that shares no code with ours.

`Owner` draws a net's tensors and computes its logits; `named` gives the tensors the names of one code base.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

State = dict[str, Tensor]
Place = tuple[str, int, int, int]
"""What a tensor belongs to (stem, block, short, last or head), its stage, block and layer, from 0."""


@dataclass(frozen=True)
class Owner:
    """A net; its shortcut is A (padding after), AA (on both sides), B, C, D (averages first) or none."""

    blocks: tuple[int, ...] = (1, 1, 1)
    widths: tuple[int, ...] = (4, 8, 16)
    stem: int = 0
    kernel: int = 3
    bottleneck: bool = False
    expansion: int = 4
    shortcut: str = "B"
    preact: str = ""  # or what projections see: input, activated
    stem_norm: bool = False  # of a pre-activation net
    last_norm: bool = True
    conv_bias: bool = False
    channels: int = 3
    classes: int = 7

    def places(self) -> Iterator[tuple[int, int, int, int, int, int]]:
        """Stage, block, channels of the input, inside and of the output, and stride of every block."""
        inside = self.stem or self.widths[0]
        for stage, (count, width) in enumerate(zip(self.blocks, self.widths, strict=True)):
            out = width * (self.expansion if self.bottleneck else 1)
            for block in range(count):
                yield stage, block, inside, width, out, 2 if stage and not block else 1
                inside = out

    def projects(self, inside: int, out: int, stride: int) -> bool:
        """Whether the shortcut has a convolution."""
        return self.shortcut == "C" or (self.shortcut in "BD" and (stride > 1 or inside != out))

    def draw(self, seed: int = 0) -> dict[tuple[Place, str, str], Tensor]:
        """Every tensor by its place, conv or norm, and part."""
        generator = torch.Generator().manual_seed(seed)
        state: dict[tuple[Place, str, str], Tensor] = {}

        def conv(place: Place, inside: int, out: int, kernel: int) -> None:
            scale = (2 / (out * kernel * kernel)) ** 0.5
            shape = (out, inside, kernel, kernel)
            state[place, "conv", "weight"] = torch.randn(shape, generator=generator) * scale
            if self.conv_bias:
                state[place, "conv", "bias"] = torch.randn(out, generator=generator) * 0.2

        def norm(place: Place, width: int) -> None:
            state[place, "norm", "weight"] = 1 + 0.2 * torch.randn(width, generator=generator)
            state[place, "norm", "bias"] = 0.2 * torch.randn(width, generator=generator)
            state[place, "norm", "running_mean"] = 0.2 * torch.randn(width, generator=generator)
            state[place, "norm", "running_var"] = 0.5 + torch.rand(width, generator=generator)
            state[place, "norm", "num_batches_tracked"] = torch.tensor(9)

        stem = self.stem or self.widths[0]
        conv(("stem", 0, 0, 0), self.channels, stem, self.kernel)
        if not self.preact or self.stem_norm:
            norm(("stem", 0, 0, 0), stem)
        for stage, block, inside, width, out, stride in self.places():
            steps = [(inside, width, 1), (width, width, 3), (width, out, 1)]
            steps = steps if self.bottleneck else [(inside, width, 3), (width, out, 3)]
            for layer, (a, b, kernel) in enumerate(steps):
                conv(("block", stage, block, layer), a, b, kernel)
                norm(("block", stage, block, layer), a if self.preact else b)
            if self.projects(inside, out, stride):
                conv(("short", stage, block, 0), inside, out, 1)
                if not self.preact:
                    norm(("short", stage, block, 0), out)
        if self.preact and self.last_norm:
            norm(("last", 0, 0, 0), out)
        state[("head", 0, 0, 0), "linear", "weight"] = torch.randn(self.classes, out, generator=generator)
        state[("head", 0, 0, 0), "linear", "bias"] = torch.randn(self.classes, generator=generator)
        return state

    def logits(self, state: dict[tuple[Place, str, str], Tensor], x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, classes)."""

        def conv(place: Place, x: Tensor, stride: int = 1) -> Tensor:
            weight = state[place, "conv", "weight"]
            bias = state.get((place, "conv", "bias"))
            return functional.conv2d(x, weight, bias, stride, weight.shape[-1] // 2)

        def norm(place: Place, x: Tensor) -> Tensor:
            parts = ("running_mean", "running_var", "weight", "bias")
            return functional.batch_norm(x, *(state[place, "norm", part] for part in parts))

        stem = ("stem", 0, 0, 0)
        x = conv(stem, x, 2 if self.kernel == 7 else 1)
        x = functional.relu(norm(stem, x)) if (stem, "norm", "weight") in state else x
        x = functional.max_pool2d(x, 3, 2, 1) if self.kernel == 7 else x
        for stage, block, _, _, out, stride in self.places():
            places = [("block", stage, block, layer) for layer in range(3 if self.bottleneck else 2)]
            strides = (1, stride, 1) if self.bottleneck else (stride, 1)
            y = x
            for place, step in zip(places, strides, strict=True):
                if self.preact:
                    y = conv(place, functional.relu(norm(place, y)), step)
                else:
                    y = norm(place, conv(place, y, step))
                    y = functional.relu(y) if place != places[-1] else y
            seen = functional.relu(norm(places[0], x)) if self.preact == "activated" else x
            y = y + self.short(state, conv, norm, ("short", stage, block, 0), (x, seen), out, stride)
            x = y if self.preact else functional.relu(y)
        last = ("last", 0, 0, 0)
        x = functional.relu(norm(last, x)) if (last, "norm", "weight") in state else x
        head = ("head", 0, 0, 0)
        return functional.linear(
            x.mean((2, 3)), state[head, "linear", "weight"], state[head, "linear", "bias"]
        )

    def short(self, state, conv, norm, place, seen, out: int, stride: int) -> Tensor:
        """What is added to F(x)."""
        x, projected = seen
        if self.shortcut == "none":
            return torch.zeros(())
        if self.projects(x.shape[1], out, stride):
            if self.shortcut == "D" and stride > 1:
                projected, stride = functional.avg_pool2d(projected, 2), 1
            y = conv(place, projected, stride)
            return y if self.preact else norm(place, y)
        more = out - x.shape[1]
        before = more // 2 if self.shortcut == "AA" else 0
        return functional.pad(x[:, :, ::stride, ::stride], (0, 0, 0, 0, before, more - before))


def images(owner: Owner, size: int = 16) -> Tensor:
    return torch.randn(2, owner.channels, size, size, generator=torch.Generator().manual_seed(1))


def _torchvision(place: Place, kind: str, part: str) -> str:
    where, stage, block, layer = place
    short = {"conv": "conv", "norm": "bn"}
    if where == "block":
        return f"layer{stage + 1}.{block}.{short[kind]}{layer + 1}.{part}"
    if where == "short":
        return f"layer{stage + 1}.{block}.downsample.{int(kind == 'norm')}.{part}"
    return {"stem": f"{short.get(kind)}1", "last": "bn", "head": "fc"}[where] + f".{part}"


def _cifar(place: Place, kind: str, part: str) -> str:
    """3x3 stems as most repositories write them: `shortcut`, `linear`."""
    name = _torchvision(place, kind, part)
    return name.replace("downsample", "shortcut").replace("fc.", "linear.")


def _averaging(place: Place, kind: str, part: str) -> str:
    """Number 0 of the shortcut is an average pooling, which has no tensors."""
    name = _torchvision(place, kind, part)
    return name.replace("downsample.1", "downsample.2").replace("downsample.0", "downsample.1")


def _hub(place: Place, kind: str, part: str) -> str:
    where, stage, block, layer = place
    kinds = {"conv": "convolution", "norm": "normalization"}
    start = f"resnet.encoder.stages.{stage}.layers.{block}"
    if where == "block":
        return f"{start}.layer.{layer}.{kinds[kind]}.{part}"
    if where == "short":
        return f"{start}.shortcut.{kinds[kind]}.{part}"
    return f"classifier.1.{part}" if where == "head" else f"resnet.embedder.embedder.{kinds[kind]}.{part}"


def _units(place: Place, kind: str, part: str) -> str:
    where, stage, block, layer = place
    short = {"conv": "conv", "norm": "bn", "linear": ""}[kind]
    start = f"features.stage{stage + 1}.unit{block + 1}"
    if where == "block":
        return f"{start}.body.conv{layer + 1}.{short}.{part}"
    if where == "short":
        return f"{start}.identity_conv.{short}.{part}"
    ends = {"stem": f"features.init_block.{short}", "last": "features.post_activ.bn", "head": "output"}
    return f"{ends[where]}.{part}"


def _sequences(place: Place, kind: str, part: str) -> str:
    where, stage, block, layer = place
    start, number = f"conv{stage + 2}_x.{block}", int(kind == "norm")
    if where == "block":
        return f"{start}.residual_function.{3 * layer + number}.{part}"
    if where == "short":
        return f"{start}.shortcut.{number}.{part}"
    return f"fc.{part}" if where == "head" else f"conv1.{number}.{part}"


def _letters(place: Place, kind: str, part: str) -> str:
    where, stage, block, layer = place
    short = {"conv": "conv", "norm": "bn", "linear": ""}[kind]
    if where == "block":
        return f"stage_{stage + 1}.{block}.{short}_{'abc'[layer]}.{part}"
    if where == "short":
        return f"stage_{stage + 1}.{block}.{short}_skip.{part}"
    return f"classifier.{part}" if where == "head" else f"{short}_{where}.{part}"


def _flat(place: Place, kind: str, part: str) -> str:
    """One level of names, as Caffe's nets have: res2a_branch2a, bn2a_branch2a."""
    where, stage, block, layer = place
    short = {"conv": "res", "norm": "bn", "linear": ""}[kind]
    start = f"{short}{stage + 2}{chr(97 + block)}_branch"
    if where == "block":
        return f"{start}2{'abc'[layer]}.{part}"
    if where == "short":
        return f"{start}1.{part}"
    ends = {"stem": "conv1" if kind == "conv" else "bn_conv1", "last": "bn_last", "head": "fc1000"}
    return f"{ends[where]}.{part}"


def _bare(place: Place, kind: str, part: str) -> str:
    """Convolutions that are tensors themselves: group0.block1.conv0."""
    where, stage, block, layer = place
    inner = {"block": f"{kind.replace('norm', 'bn')}{layer}", "short": "convdim"}.get(where)
    if inner is not None:
        name = f"group{stage}.block{block}.{inner}"
    else:
        name = {"stem": "conv0" if kind == "conv" else "bn0", "last": "bn", "head": "fc"}[where]
    return name if kind == "conv" else f"{name}.{part}"


NAMES: dict[str, Callable[[Place, str, str], str]] = {
    "torchvision": _torchvision, "cifar": _cifar, "averaging": _averaging, "hub": _hub, "units": _units,
    "sequences": _sequences, "letters": _letters, "flat": _flat, "bare": _bare,
}  # fmt: skip


def named(state: dict[tuple[Place, str, str], Tensor], names: str, prefix: str = "") -> State:
    """The tensors by the names of one code base, in the order in which they are defined."""
    return {prefix + NAMES[names](*key): tensor.clone() for key, tensor in state.items()}
