"""The family of nets that some tensors resemble, to refuse them by its name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from explorer.nets.errors import short
from explorer.nets.tensors import Module

_NAMES = (
    ("a DenseNet", r"denselayer|denseblock|dense_?block"),
    ("a SqueezeNet", r"\bfire\d|\bsqueeze\b"),
    ("an Inception net", r"mixed_?\d|inception|branch(1x1|3x3|5x5|7x7|_pool)"),
    ("a net for segmentation", r"decoder|\bup\d|upconv|upsample|aux_classifier|\baspp|classifier\.\d\.convs"),
    ("a detector", r"\bfpn|\brpn|bbox|anchor"),
    ("a vision transformer", r"cls_token|attn|attention\.|qkv|patch_embed|pos_embed|self_attn"),
    ("a recurrent net", r"weight_ih|weight_hh|lstm"),
)


def resemblance(modules: Sequence[Module], names: Sequence[str] = ()) -> str:
    """What a file of these modules looks like, as a reason to refuse it; empty where nobody can tell."""
    told = [*(module.path for module in modules), *names]
    found = _by_shape(modules) or _by_name(told)
    if found is None:
        return ""
    family, example = found
    return f"it looks like {family} ({short(example)}): not a residual net of the kind that is read here"


def _by_name(names: Sequence[str]) -> tuple[str, str] | None:
    for family, pattern in _NAMES:
        example = next((name for name in names if re.search(pattern, name, re.IGNORECASE)), None)
        if example is not None:
            return family, example
    return None


def _by_shape(modules: Sequence[Module]) -> tuple[str, str] | None:
    convs = [module for module in modules if module.kind == "conv"]
    if not convs:
        return (
            None
            if not modules or _by_name([m.path for m in modules])
            else ("a net without convolutions", next(iter(modules[0].tensors.values())))
        )
    depthwise = [conv for conv in convs if conv.inputs == 1 and conv.outputs > 1]
    if len(depthwise) > 1:
        large = depthwise[0].kernel >= 7
        return ("a ConvNeXt" if large else "a MobileNet or EfficientNet (depthwise convolutions)"), depthwise[
            0
        ].path
    return _dense(convs) or _grouped(convs) or _squeezed(modules) or _stacked(modules, convs)


def _dense(convs: Sequence[Module]) -> tuple[str, str] | None:
    """Inputs that grow by one number, outputs that stay: each layer sees all before it."""
    small = [conv for conv in convs if conv.kernel in (1, 3)]
    steps = [(b.inputs - a.inputs, a.outputs, b.outputs, b) for a, b in pairwise(small)]
    steps += [(b.inputs - a.inputs, a.outputs, b.outputs, b) for a, b in zip(small, small[2:], strict=False)]
    growing = [
        b
        for step, one, other, b in steps
        if step > 0 and one == other and b.inputs != b.outputs and step < one * 2
    ]
    return ("a DenseNet", growing[0].path) if len(growing) >= max(3, len(convs) // 4) else None


def _grouped(convs: Sequence[Module]) -> tuple[str, str] | None:
    """3x3 convolutions that see a share of the channels that the one before them gives."""
    for before, conv in pairwise(convs):
        shared = conv.kernel == 3 and before.outputs == conv.outputs and before.outputs > conv.inputs > 1
        reduced = before.kernel == 1 and before.inputs != conv.inputs
        if shared and reduced and before.outputs % conv.inputs == 0:
            return "a ResNeXt (grouped convolutions)", conv.path
    return None


def _squeezed(modules: Sequence[Module]) -> tuple[str, str] | None:
    """Narrow fully connected layers, or 1x1 convolutions with biases, inside blocks: channel attention."""
    pattern = re.compile(r"(^|[._])(se|se_module|se_layer|ca|cbam|eca|attention)([._\d]|$)", re.IGNORECASE)
    for module in modules:
        if module.kind in ("conv", "linear") and pattern.search(module.path):
            return "a net with squeeze-and-excitation or attention in its blocks", module.path
    return None


def _stacked(modules: Sequence[Module], convs: Sequence[Module]) -> tuple[str, str] | None:
    """3x3 convolutions one behind the other and two or more fully connected layers."""
    linear = [module for module in modules if module.kind == "linear"]
    chained = all(b.inputs == a.outputs for a, b in pairwise(convs))
    wide = [module for module in linear if module.inputs >= 4096]
    if chained and (len(wide) > 0 or len(linear) > 1) and all(conv.kernel == 3 for conv in convs):
        return "a VGG net (layers one behind the other, without blocks)", linear[0].path
    if convs[0].kernel == 11 or (chained and len(linear) > 1):
        return "an AlexNet or another net without blocks", convs[0].path
    return None
