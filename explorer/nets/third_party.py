"""The net in a file that others saved: its spec, where its tensors go, and what had to be assumed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from explorer.nets.build import StagedNet
from explorer.nets.checkpoint_reading import CIFAR10, IMAGENET, Assumption, Padding, Reading
from explorer.nets.errors import CheckpointError, short, some
from explorer.nets.families import Family
from explorer.nets.finding import FoundBlock, FoundNet, containers_of, find_nets
from explorer.nets.layout import Layout, Projected
from explorer.nets.normalisation import Normalisation
from explorer.nets.resemblance import resemblance
from explorer.nets.spec import NetSpec, Shortcut
from explorer.nets.tensor_file import Entries
from explorer.nets.tensors import Derived, Module, modules_of, put_together

_AVERAGED = re.compile(
    r"ema|averag|avg|swa|teacher|momentum|(encoder|model|net)_k\b|shadow|target", re.IGNORECASE
)
_ACTING = re.compile(r"prelu|relu|\bact|attn|attention|scale|gamma", re.IGNORECASE)
_LAYERS = re.compile(r"layer\d$")
_GATE = re.compile(r"blocks\.\d{1,5}\.gate\.weight$")
_EPS = 1e-5


@dataclass(frozen=True, eq=False)
class Recognised:
    """Which net a file of others holds.

    Attributes:
        spec: the net.
        found: its modules as the file names them.
        derived: weights that the file keeps in parts.
        padding: where option A of its owner pads.
        assumptions: what the file does not say.
        left_out: tensors that are none of the net's, in words; empty if there are none.
        notes: what was made of its tensors, as sentences.
        scale: names of two tensors of the file that hold its mean and std, if it has some.
    """

    spec: NetSpec
    found: FoundNet
    derived: dict[str, Derived]
    padding: Padding
    assumptions: tuple[Assumption, ...]
    left_out: str
    notes: tuple[str, ...]
    scale: tuple[str, str] | None


def recognise(entries: Entries, reading: Reading, *, ordered: bool, by_others: bool = False) -> Recognised:
    """The net that these tensors make up; see `explorer.nets.finding`.

    Args:
        entries: type and shape by name, as the file names them.
        reading: what a person says about the file.
        ordered: whether they stand in the order in which the net was defined.
        by_others: whether the file was written by another training script than akamaster's.

    Raises:
        CheckpointError: no net that can be built here; the text says what is different.
    """
    _refuse_volumes(entries)
    whole, derived = put_together(entries)
    modules, rest = modules_of(whole)
    try:
        nets = find_nets(modules, ordered)
    except CheckpointError as error:
        raise CheckpointError(resemblance([], rest) or str(error)) from None
    found, chosen = _chosen(nets, reading.weights)
    _check_stages(found)
    left, scale = _left_out(found, nets, modules, rest, whole)
    usual = _usual_padding(found, by_others=by_others)
    spec, assumed = _spec(found, reading, usual)
    padding: Padding = reading.padding or usual
    return Recognised(spec, found, derived, padding, (*chosen, *assumed), left, _notes(found, derived), scale)


def _refuse_volumes(entries: Entries) -> None:
    for name, (_, shape) in entries.items():
        if len(shape) == 5:
            raise CheckpointError(
                f"{short(name)} has shape {short(shape)}: a convolution over volumes or time, and nets for "
                "pictures are read here"
            )


def highway_of(shapes: Mapping[str, tuple[int, ...]]) -> NetSpec | None:
    """The Highway net whose state dict, by our own names, these shapes may be; None if it is another net."""
    gates = [match for match in map(_GATE.match, shapes) if match]
    blocks = {name.split(".")[1] for name in shapes if name.startswith("blocks.")}
    stem, head = shapes.get("stem.0.weight", ()), shapes.get("head.2.weight", ())
    if not gates or len(stem) != 4 or len(head) != 2:
        return None
    try:
        return NetSpec("highway", len(blocks) + 2, stem[0], in_channels=stem[1], classes=head[0])
    except ValueError:
        return None


# Which of several sets


def _label(net: FoundNet, nets: Sequence[FoundNet]) -> str:
    """The name of a set of weights: what its tensors' names begin with."""
    return ".".join(net.root) or "the rest"


def _chosen(nets: Sequence[FoundNet], asked: str | None) -> tuple[FoundNet, tuple[Assumption, ...]]:
    labels = [_label(net, nets) for net in nets]
    if asked is not None:
        exact = [net for net, label in zip(nets, labels, strict=True) if asked == label]
        fitting = exact or [
            net for net, label in zip(nets, labels, strict=True) if asked.lower() in label.lower()
        ]
        if not fitting:
            raise CheckpointError(
                f"it has no weights '{short(asked)[:40]}'; it has {', '.join(map(short, labels))}"[:300]
            )
        return fitting[0], ()
    if len(nets) == 1:
        return nets[0], ()
    plain = [net for net, label in zip(nets, labels, strict=True) if not _AVERAGED.search(label)]
    taken = (plain or nets)[0]
    label = _label(taken, nets)
    others = tuple(other for other in labels if other != label)
    text = f"It holds {len(nets)} sets of weights: took {short(label)}, not {short(', '.join(others))}"
    return taken, (Assumption("weights", label, others, text),)


# What is left over


def _left_out(
    found: FoundNet, nets: Sequence[FoundNet], modules: Sequence[Module], rest: Sequence[str], whole: Entries
) -> tuple[str, tuple[str, str] | None]:
    used = {id(module) for module in found.modules()}
    others = {id(module) for net in nets if net is not found for module in net.modules()}
    names = [
        name for module in modules if id(module) not in used | others for name in module.tensors.values()
    ]
    names = [name for name in [*names, *rest] if not name.endswith("num_batches_tracked")]
    _refuse_parts_of_the_net(found, names, modules)
    channels = found.stem.inputs
    scale = _scale([name for name in names if torch.Size(whole[name][1]).numel() == channels])
    left = {name for name in names if scale is None or name not in scale}
    return (some(left) if left else ""), scale


def _refuse_parts_of_the_net(found: FoundNet, names: Sequence[str], modules: Sequence[Module]) -> None:
    """Refuse tensors inside blocks that no convolution or norm has: they change what the net computes."""
    inside = containers_of(found.stem, found.blocks) or []
    prefixes = {*inside, *(container[:-1] for container in inside if len(container) - 1 > len(found.root))}
    for name in names:
        tokens = tuple(re.split(r"[./]", name))
        within = any(tokens[:length] in prefixes for length in range(1, len(tokens)))
        below = tokens[: len(found.root)] == found.root and _ACTING.search(name) is not None
        if within or below:
            raise CheckpointError(
                resemblance(modules)
                or f"{short(name)} belongs to no convolution or norm of its blocks: they "
                "compute something that is not read here"
            )


def _scale(names: Sequence[str]) -> tuple[str, str] | None:
    """The tensors of a normalisation inside the net: mean and std, one value a channel."""

    def leaf(name: str) -> str:
        return re.split(r"[./_]", name.rstrip("_"))[-1].lower()

    mean = next((name for name in names if leaf(name) in ("mean", "mu")), None)
    std = next((name for name in names if leaf(name) in ("std", "sigma")), None)
    return None if mean is None or std is None else (mean, std)


# The spec


def _check_stages(found: FoundNet) -> None:
    """Refuse blocks that are wider or narrower inside than their stage: thinned ones."""
    for stage in found.stages:
        widths = [block.width for block in stage]
        usual = max(set(widths), key=widths.count)
        for block in stage:
            wanted = block.outputs if block.kind == "basic" else usual
            if block.width != wanted:
                conv = block.convs[0]
                shape = (wanted, *conv.shape[1:])
                raise CheckpointError(
                    f"its blocks were thinned: {short(conv.path)} has shape {conv.shape}, where its stage "
                    f"has {shape}; only blocks as wide inside as their stage are read here"
                )


def _spec(found: FoundNet, reading: Reading, usual: Padding) -> tuple[NetSpec, tuple[Assumption, ...]]:
    blocks = found.blocks
    shortcut, first = _shortcuts(found)
    projected = any(block.projection is not None for block in blocks)
    assumed: list[Assumption] = []
    family = _family(found, reading, projected, assumed)
    if family in ("residual", "preact") and shortcut == "A":
        _assume_padding(found, reading, usual, assumed)
    projection = _projection(found, reading, projected, assumed)
    norms = {block.projection_norm is not None for block in blocks if block.projection is not None}
    if len(norms) > 1:
        raise CheckpointError(_odd_projection(blocks))
    widths = tuple(stage[0].width for stage in found.stages)
    expansions = {stage[0].outputs / stage[0].width for stage in found.stages}
    if len(expansions) > 1 or not next(iter(expansions)).is_integer():
        raise CheckpointError("its stages widen by different factors; nets of one expansion are read here")
    kernel = found.stem.kernel
    large = kernel >= 7
    preact = found.preact
    try:
        layout = Layout(
            blocks=tuple(map(len, found.stages)), channels=widths, stem=found.stem.outputs, kernel=kernel,
            stride=2 if large else 1, pool=large, expansion=int(next(iter(expansions))),
            projection=projection, averaged=_averaged(blocks), project_first=first,
            projection_norm=next(iter(norms)) if norms and not found.merged else not preact,
            stem_norm=found.stem_norm is not None or not preact,
            last_norm=found.last_norm is not None or not preact,
            conv_bias=any("bias" in conv.tensors for conv in _convs(found)),
        )  # fmt: skip
        spec = NetSpec(
            family, block=blocks[0].kind, shortcut=shortcut if family != "plain" else "A",
            in_channels=found.stem.inputs, classes=found.head.outputs, layout=layout,
        )  # fmt: skip
    except ValueError as error:
        raise CheckpointError(str(error).rstrip(".")) from None
    return spec, tuple(assumed)


def _odd_projection(blocks: Sequence[FoundBlock]) -> str:
    projected = [block for block in blocks if block.projection is not None]
    normed = [block for block in projected if block.projection_norm is not None]
    bare = [block for block in projected if block.projection_norm is None]
    odd = min(normed, bare, key=len)[0].projection
    assert odd is not None
    has = "no norm, where" if len(bare) <= len(normed) else "a norm, where no"
    return f"{short(odd.path)} has {has} other projections have one; nets of one kind are read here"


def _convs(found: FoundNet) -> list[Module]:
    return [found.stem, *(conv for block in found.blocks for conv in block.all_convs())]


def _shortcuts(found: FoundNet) -> tuple[Shortcut, bool]:
    """The option, and whether the first block projects although its shape stays."""
    blocks = found.blocks
    starts = {sum(map(len, found.stages[:number])) for number in range(1, len(found.stages))}
    changes = {at for at, block in enumerate(blocks) if at in starts or block.inputs != block.outputs}
    projected = {at for at, block in enumerate(blocks) if block.projection is not None}
    if not projected:
        return _padded(blocks), False
    if projected == changes:
        return "B", False
    if len(projected) == len(blocks):
        return "C", False
    if projected == changes | {0}:
        return "B", True
    lacking = sorted(changes - projected)
    odd = blocks[lacking[0] if lacking else min(projected - changes)].convs[0]
    raise CheckpointError(
        f"its projections follow none of the options A, B and C: see the block of {short(odd.path)}"
    )


def _padded(blocks: Sequence[FoundBlock]) -> Shortcut:
    narrower = next((block for block in blocks if block.outputs < block.inputs), None)
    if narrower is not None:
        raise CheckpointError(
            f"{short(narrower.convs[0].path)}: its block has fewer channels than its input, and no projection"
        )
    return "A"


def _family(found: FoundNet, reading: Reading, projected: bool, assumed: list[Assumption]) -> Family:
    asked = reading.family
    if found.preact:
        if asked not in (None, "preact"):
            raise CheckpointError(f"it holds a preact net, not a {asked} one; leave the family out")
        return "preact"
    if asked not in (None, "plain", "residual") or (asked == "plain" and projected):
        raise CheckpointError(f"it holds a residual net, not a {asked} one; leave the family out")
    if not projected and asked is None:
        text = "Read with shortcuts, as residual: a plain net has the same tensors"
        assumed.append(Assumption("family", "residual", ("plain",), text))
    return asked or "residual"


def _usual_padding(found: FoundNet, *, by_others: bool) -> Padding:
    """Akamaster's repository pads on both sides; its forks, whose training scripts save otherwise, after.

    Its names are `layer1.0.conv1` and `linear`; its script writes `module.` before them, or the accuracy
    beside them (docs/decisions/0041).
    """
    named = _is_named_linear(found) and not found.preact
    return "both" if named and not (by_others and "module" not in found.root) else "after"


def _is_named_linear(found: FoundNet) -> bool:
    block = found.blocks[0].convs[0].tokens
    named = len(block) > 2 and _LAYERS.match(block[-3]) is not None and block[-1] == "conv1"
    return named and found.head.tokens[-1] == "linear"


def _assume_padding(found: FoundNet, reading: Reading, usual: Padding, assumed: list[Assumption]) -> None:
    if reading.padding is not None or all(block.outputs == block.inputs for block in found.blocks):
        return
    if usual == "both":
        text = (
            "Option A was read as padding with half of the new channels before and half after the old ones, "
            "as akamaster's repository does, whose names the tensors bear"
        )
        assumed.append(Assumption("padding", "both", ("after",), text))
    else:
        text = "Option A was read as padding with all new channels after the old ones: no tensor tells it"
        assumed.append(Assumption("padding", "after", ("both",), text))


def _projection(found: FoundNet, reading: Reading, projected: bool, assumed: list[Assumption]) -> Projected:
    """In a pre-activation net, what projections see; see docs/decisions/0041."""
    if not (found.preact and projected):
        return "input"
    if reading.projection is not None:
        return reading.projection
    block = next(block for block in found.blocks if block.projection is not None)
    path = (block.projection or block.convs[0]).path
    in_sequence = (
        block.convs[0].tokens[:-1] == block.norms[0].tokens[:-1] and block.convs[0].tokens[-1].isdigit()
    )
    if in_sequence or "downsample" in path:
        text = f"Projections were read as seeing the block's input, as in nets with names like {short(path)}"
        assumed.append(Assumption("projection", "input", ("activated",), text))
        return "input"
    seen = "the input after BN and ReLU"
    text = f"Projections were read as seeing {seen}, as in nets with names like {short(path)}"
    assumed.append(Assumption("projection", "activated", ("input",), text))
    return "activated"


def _averaged(blocks: Sequence[FoundBlock]) -> bool:
    """Whether a layer without weights, an average pooling, stands before projections: they are number 1."""
    paths = [block.projection.tokens for block in blocks if block.projection is not None]
    numbered = bool(paths) and all(len(path) > 1 and path[-1] == "1" for path in paths)
    first = next((block for block in blocks if block.projection is not None), None)
    inside = [] if first is None else [*first.convs, *first.norms]
    return numbered and not any(module.tokens == (*paths[0][:-1], "0") for module in inside)


def _notes(found: FoundNet, derived: Mapping[str, Derived]) -> tuple[str, ...]:
    notes = []
    for how in dict.fromkeys(made.how for made in derived.values()):
        count = sum(made.how == how for made in derived.values())
        notes.append(f"{count} of its weights were kept in parts: {how}.")
    if found.merged:
        notes.append(
            "It has no norms: they were merged into its convolutions; norms that change nothing stand there."
        )
    if found.stem.kernel >= 7:
        notes.append(
            f"Its {found.stem.kernel}x{found.stem.kernel} stem was read with stride 2 and max pooling "
            "behind it."
        )
    if found.head.kind == "conv":
        notes.append("Its read-out, a 1x1 convolution, was read as a linear layer.")
    return tuple(notes)


def usual_normalisation(found: FoundNet) -> tuple[Normalisation, str] | None:
    """The scale that the net's origin trains with, and whose it is and why; None if nothing tells."""
    if found.stem.inputs != 3:
        return None
    if found.stem.kernel >= 7:
        return IMAGENET, "ImageNet's, since its stem is that of nets for photographs"
    if not _is_named_linear(found) or found.blocks[0].kind != "basic":
        return None
    if len(found.stages) == 3:
        return IMAGENET, "ImageNet's, as in akamaster's repository, whose names the tensors bear"
    return CIFAR10, "CIFAR-10's, as is usual for nets of these names"


# Values


def pairs(found: FoundNet, net: StagedNet) -> Iterator[tuple[str, Module | None]]:
    """Each module of our net that has values, and the file's module for it, or None where it has none."""
    yield "stem.0", found.stem
    if net.spec.design.stem_norm:
        yield "stem.1", found.stem_norm
    for index, (block, theirs) in enumerate(zip(net.block_list(), found.blocks, strict=True)):
        yield from _branch_pairs(f"blocks.{index}.branch", block.branch, theirs)
        if block.shortcut is not None and theirs.projection is not None:
            named = [
                (f"blocks.{index}.shortcut.{name}".rstrip("."), part)
                for name, part in block.shortcut.named_modules()
            ]
            yield next(name for name, part in named if isinstance(part, nn.Conv2d)), theirs.projection
            norms = [name for name, part in named if isinstance(part, nn.BatchNorm2d)]
            yield from ((name, theirs.projection_norm) for name in norms)
    if isinstance(net.head[0], nn.BatchNorm2d):
        yield "head.0", found.last_norm
    yield f"head.{len(net.head) - 1}", found.head


def _branch_pairs(
    name: str, branch: nn.Sequential, theirs: FoundBlock
) -> Iterator[tuple[str, Module | None]]:
    convs, norms = iter(theirs.convs), iter(theirs.norms)
    for number, part in enumerate(branch):
        if isinstance(part, nn.Conv2d):
            yield f"{name}.{number}", next(convs)
        elif isinstance(part, nn.BatchNorm2d):
            yield f"{name}.{number}", next(norms, None)


def sources_of(found: FoundNet, net: StagedNet) -> dict[str, str | None]:
    """For each value of our net the file's tensor; None where it has none and a neutral value stands."""
    sources: dict[str, str | None] = {}
    modules = dict(net.named_modules())
    for name, module in pairs(found, net):
        for part in modules[name].state_dict():
            sources[f"{name}.{part}"] = None if module is None else module.tensors.get(part)
    return sources


def neutral(name: str, shape: tuple[int, ...]) -> Tensor:
    """What a value is where the file has none: a norm that changes nothing, no bias, no batches counted."""
    if name.endswith("num_batches_tracked"):
        return torch.zeros((), dtype=torch.int64)
    if name.endswith("running_var"):
        return torch.full(shape, 1 - _EPS)
    return torch.ones(shape) if name.endswith(".weight") else torch.zeros(shape)


def reorder_channels(state: Mapping[str, Tensor], net: StagedNet) -> dict[str, Tensor]:
    """The same function with new channels after the old ones, as `PadShortcut` pads them.

    An option A that puts half of the new, empty channels before the old ones gives the same logits, up to
    rounding, once the channels that leave each block are renumbered.

    Args:
        state: by our names, channels in their owner's order.
        net: its skeleton, with option A.
    """
    moved = dict(state)
    order = torch.arange(net.spec.design.stem)
    for index, block in enumerate(net.block_list()):
        parts = [(f"blocks.{index}.branch.{number}", part) for number, part in enumerate(block.branch)]
        convs = [(name, part) for name, part in parts if isinstance(part, nn.Conv2d)]
        inside, order = order, _padded_order(order, convs[-1][1].out_channels)
        last_conv = max(number for number, (_, part) in enumerate(parts) if isinstance(part, nn.Conv2d))
        first_conv = min(number for number, (_, part) in enumerate(parts) if isinstance(part, nn.Conv2d))
        for name, _ in parts[:first_conv]:
            _move(moved, name, inside, axis=0)
        _move(moved, convs[0][0], inside, axis=1)
        for name, _ in parts[last_conv:]:
            _move(moved, name, order, axis=0)
    for number, part in enumerate(net.head):
        if isinstance(part, nn.BatchNorm2d):
            _move(moved, f"head.{number}", order, axis=0)
        if isinstance(part, nn.Linear):
            _move(moved, f"head.{number}", order, axis=1)
    return moved


def _move(state: dict[str, Tensor], module: str, order: Tensor, axis: int) -> None:
    for part in ("weight", "bias", "running_mean", "running_var"):
        name = f"{module}.{part}"
        if name in state and state[name].dim() > axis and not (axis == 1 and part != "weight"):
            state[name] = state[name].index_select(axis, order)


def _padded_order(old: Tensor, channels: int) -> Tensor:
    """Where each channel of ours is in the owner's numbering, once padding has made `channels` of them."""
    more = channels - len(old)
    if not more:
        return old
    before = more // 2
    new = torch.arange(channels)
    return torch.cat([old + before, new[:before], new[before + len(old) :]])
