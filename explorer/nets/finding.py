"""The net that some modules make up, found by their shapes and order; names settle what shapes leave open.

A stem convolution takes the image. Behind it every two 3x3 convolutions, or every 1x1, 3x3 and 1x1, whose
channels follow from each other are a block, and a 1x1 from the block's input to its output is its shortcut.
Norms go to the convolutions of their block, by width and order. What fits no such chain is refused in the
file's own names.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from explorer.nets.errors import CheckpointError, short
from explorer.nets.resemblance import resemblance
from explorer.nets.spec import BlockKind
from explorer.nets.tensors import Module

_KINDS: tuple[tuple[BlockKind, tuple[int, ...]], ...] = (("bottleneck", (1, 3, 1)), ("basic", (3, 3)))
_HEADS = ("fc", "linear", "classifier", "head", "output", "logits", "last_linear", "predictions")
_KIND_WORDS = re.compile(
    r"convolution|conv(?:2d)?|^res(?=\d)|batch_?norm(?:2d)?|normalization|norm(?:2d)?|bn|[_-]", re.IGNORECASE
)
MAX_STAGES = 5
_MOST_STEMS = 4


@dataclass(frozen=True, eq=False)
class FoundBlock:
    """One block: its convolutions and norms in order, and those of its shortcut if there are any."""

    kind: BlockKind
    convs: tuple[Module, ...]
    projection: Module | None
    norms: tuple[Module, ...] = ()
    projection_norm: Module | None = None

    @property
    def inputs(self) -> int:
        """Channels of x."""
        return self.convs[0].inputs

    @property
    def outputs(self) -> int:
        """Channels of F(x)."""
        return self.convs[-1].outputs

    @property
    def width(self) -> int:
        """Channels inside."""
        return self.convs[0].outputs

    def all_convs(self) -> list[Module]:
        """Its convolutions, that of the shortcut too."""
        return [*self.convs, *([self.projection] if self.projection else [])]


@dataclass(frozen=True, eq=False)
class FoundNet:
    """A whole net in a file, by its modules.

    Attributes:
        stem: the first convolution.
        stem_norm: the norm behind it, if any.
        stages: blocks by stage.
        last_norm: the norm behind the last block of a pre-activation net, if any.
        head: the read-out, a linear layer or a 1x1 convolution.
        preact: whether norms stand before their convolutions.
        merged: no norms at all: they were merged into the convolutions.
    """

    stem: Module
    stem_norm: Module | None
    stages: tuple[tuple[FoundBlock, ...], ...]
    last_norm: Module | None
    head: Module
    preact: bool
    merged: bool = False

    @property
    def blocks(self) -> list[FoundBlock]:
        """All blocks in order."""
        return [block for stage in self.stages for block in stage]

    @property
    def root(self) -> tuple[str, ...]:
        """What the names of all its convolutions begin with."""
        return common(
            [self.stem.tokens[:-1], *(conv.tokens for block in self.blocks for conv in block.convs)]
        )

    def modules(self) -> list[Module]:
        """Everything that the net is made of."""
        made = [self.stem, self.head, *(norm for norm in (self.stem_norm, self.last_norm) if norm)]
        for block in self.blocks:
            made += [*block.all_convs(), *block.norms]
            made += [block.projection_norm] if block.projection_norm else []
        return made


def find_nets(modules: Sequence[Module], ordered: bool) -> list[FoundNet]:
    """Every whole net among the modules: one, or several sets of weights side by side.

    Args:
        modules: of a file.
        ordered: whether their order is that in which the net was defined.

    Raises:
        CheckpointError: there is none; the text names the first tensor that does not fit.
    """
    convs = [module for module in modules if module.kind == "conv"]
    if not convs:
        raise CheckpointError(resemblance(modules) or "it holds no convolution, so no net for pictures")
    image = min(conv.inputs for conv in convs)
    try:
        return [_whole(modules, ordered)]
    except CheckpointError as error:
        reason = error
    found: list[FoundNet] = []
    for part in _parts(modules, convs):
        if any(conv.inputs <= max(image, 4) for conv in part if conv.kind == "conv"):
            try:
                found += find_nets(part, ordered)
            except CheckpointError:
                continue
    if not found:
        raise CheckpointError(resemblance(modules) or str(reason)) from None
    return found


def _parts(modules: Sequence[Module], convs: Sequence[Module]) -> list[list[Module]]:
    """The modules below each name that the convolutions branch into, with what stands beside them all."""
    shared = len(common([conv.tokens for conv in convs]))
    names = list(dict.fromkeys(conv.tokens[: shared + 1] for conv in convs if len(conv.tokens) > shared + 1))
    if len(names) < 2:
        return []
    parts = []
    for name in names:
        below = [module for module in modules if module.tokens[: shared + 1] == name]
        if len(below) < len(modules):
            own = any(module.kind == "linear" for module in below)
            beside = [] if own else [m for m in modules if m.tokens[: shared + 1] not in names]
            parts.append([*below, *(module for module in beside if module.kind == "linear")])
    return parts


def common(paths: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """The names that all paths begin with."""
    first, last = min(paths), max(paths)
    length = next(
        (at for at, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last))
    )
    return first[:length]


def _affinity(one: Module, other: Module) -> tuple[int, int]:
    """How much two names have in common at their beginning: names between dots, then letters."""
    return len(common([one.tokens, other.tokens])), len(common([tuple(one.path), tuple(other.path)]))


def _whole(modules: Sequence[Module], ordered: bool) -> FoundNet:
    convs = [module for module in modules if module.kind == "conv"]
    reasons = []
    for stem in _stems(convs):
        chain, read_out = _without_head([conv for conv in convs if conv is not stem])
        try:
            blocks = _blocks(chain, stem)
        except CheckpointError as error:
            reasons.append(str(error))
            continue
        return _completed(modules, stem, blocks, read_out, ordered)
    raise CheckpointError(reasons[0])


def _stems(convs: Sequence[Module]) -> list[Module]:
    """Convolutions that may take the picture, the likeliest first: of 3 channels or 1, then of few."""
    wide = [conv for conv in convs if conv.kernel != 1] or list(convs)
    likely = sorted(wide, key=lambda conv: (conv.inputs not in (1, 3), conv.inputs, conv.place))
    first = {conv.inputs: conv for conv in reversed(likely)}
    return [first[inputs] for inputs in dict.fromkeys(conv.inputs for conv in likely)][:_MOST_STEMS]


def _without_head(chain: list[Module]) -> tuple[list[Module], Module | None]:
    """The convolutions without one that is the read-out: 1x1, by its name."""
    for conv in chain:
        if conv.kernel == 1 and any(token.lower() in _HEADS for token in conv.tokens):
            return [other for other in chain if other is not conv], conv
    return chain, None


def _blocks(chain: Sequence[Module], stem: Module) -> list[FoundBlock]:
    blocks: list[FoundBlock] = []
    at, channels, before = 0, stem.outputs, stem
    while at < len(chain):
        block, used = _take_block(chain, at, channels, before)
        at += used
        channels, before = block.outputs, block.convs[-1]
        blocks.append(block)
    if not blocks:
        raise CheckpointError(f"it has no blocks behind its first convolution, {short(stem.path)}")
    other = next((block for block in blocks if block.kind != blocks[0].kind), None)
    if other is not None:
        raise CheckpointError(
            f"it mixes blocks: {short(other.convs[0].path)} begins a {other.kind} one, {blocks[0].kind} "
            "ones come before it; nets of one kind of block are read here"
        )
    return blocks


def _take_block(chain: Sequence[Module], at: int, channels: int, before: Module) -> tuple[FoundBlock, int]:
    for kind, kernels in _KINDS:
        count = len(kernels)
        for place in (None, count, *range(count)):  # where the shortcut's convolution stands
            found = _fits(chain, at, kernels, channels, place)
            if found is None or (place is None and _is_shortcut_next(chain, at + count, found, channels)):
                continue
            convs, projection = found
            return FoundBlock(kind, convs, projection), count + (place is not None)
    raise CheckpointError(_does_not_follow(chain[at], channels, before))


def _fits(
    chain: Sequence[Module], at: int, kernels: tuple[int, ...], channels: int, place: int | None
) -> tuple[tuple[Module, ...], Module | None] | None:
    convs = list(chain[at : at + len(kernels) + (place is not None)])
    if len(convs) < len(kernels) + (place is not None):
        return None
    projection = None if place is None else convs.pop(place)
    inside = channels
    for conv, kernel in zip(convs, kernels, strict=True):
        if (conv.kernel, conv.inputs) != (kernel, inside):
            return None
        inside = conv.outputs
    if projection is not None and projection.shape != (inside, channels, 1, 1):
        return None
    return tuple(convs), projection


def _is_shortcut_next(
    chain: Sequence[Module], at: int, found: tuple[tuple[Module, ...], Module | None], channels: int
) -> bool:
    """Whether the 1x1 convolution behind a block is its shortcut, and not the next block's beginning."""
    branch = found[0]
    if at >= len(chain) or chain[at].shape != (branch[-1].outputs, channels, 1, 1):
        return False
    conv = chain[at]
    if conv.inputs != branch[-1].outputs or at + 1 == len(chain):
        return True
    following = chain[at + 1]
    if len(branch) == 3 and not (following.kernel == 3 and following.inputs == conv.outputs):
        return True
    return _affinity(conv, branch[-1]) >= _affinity(conv, following)


def _does_not_follow(conv: Module, channels: int, before: Module) -> str:
    shape = str(conv.shape).replace("'", "")
    if conv.inputs != channels:
        grouped = conv.inputs and channels % conv.inputs == 0 and conv.inputs < channels
        also = ", as grouped convolutions have" if grouped else ""
        return (
            f"{short(conv.path)} has shape {shape}: it takes {conv.inputs} channels{also}, where {channels} "
            f"come from {short(before.path)}; only blocks of plain 3x3 or 1x1, 3x3, 1x1 convolutions are "
            "read here"
        )
    return (
        f"{short(conv.path)} has shape {shape}, which begins no block of two 3x3 convolutions, or of 1x1, "
        "3x3 and 1x1, whose channels follow from each other"
    )


def _completed(
    modules: Sequence[Module], stem: Module, blocks: list[FoundBlock], read_out: Module | None, ordered: bool
) -> FoundNet:
    norms = [module for module in modules if module.kind == "norm"]
    halved = next((norm for norm in norms if ("weight" in norm.tensors) != ("bias" in norm.tensors)), None)
    if halved is not None:
        raise CheckpointError(f"{short(halved.path)} lacks its weight or its bias; save its state dict again")
    _refuse_other_norms(modules, blocks)
    head = read_out or _head(modules, blocks[-1].outputs)
    if head.inputs != blocks[-1].outputs:
        raise CheckpointError(
            f"its read-out {short(head.path)} takes {head.inputs} channels, where {blocks[-1].outputs} come "
            f"from {short(blocks[-1].convs[-1].path)}"
        )
    if not norms:
        return FoundNet(stem, None, _stages(stem, blocks), None, head, preact=False, merged=True)
    by_block, outside = _shared_out(norms, stem, blocks, ordered)
    return _normed(stem, blocks, by_block, outside, head)


def _refuse_other_norms(modules: Sequence[Module], blocks: Sequence[FoundBlock]) -> None:
    first = next((module for module in modules if module.kind == "affine"), None)
    if first is not None and not any(module.kind == "norm" for module in modules):
        raise CheckpointError(
            f"{short(first.path)} is a norm without running statistics, such as group norm; only nets with "
            "batch norm are read here"
        )


def _head(modules: Sequence[Module], features: int) -> Module:
    linear = [module for module in modules if module.kind == "linear"]
    fitting = [module for module in linear if module.inputs == features]
    if not fitting:
        if not linear:
            raise CheckpointError(
                "it has no read-out: a backbone alone tells no classes apart; save it with its last layer"
            )
        raise CheckpointError(
            f"its read-out {short(linear[-1].path)} takes {linear[-1].inputs} values, where the last block "
            f"gives {features} channels; only one linear layer behind a global average is read here"
        )
    named = [module for module in fitting if set(_words(module)) & set(_HEADS)]
    head = (named or fitting)[0]
    behind = next((other for other in linear if other is not head and other.inputs == head.outputs
                   and other.tokens[:-1] == head.tokens[:-1]), None)  # fmt: skip
    if behind is not None:
        raise CheckpointError(
            f"its read-out has two layers, {short(head.path)} and {short(behind.path)}; only one is read here"
        )
    return head


def _words(module: Module) -> list[str]:
    return [token.lower() for token in module.tokens]


# Norms


def _shared_out(
    norms: Sequence[Module], stem: Module, blocks: Sequence[FoundBlock], ordered: bool
) -> tuple[list[list[Module]], list[Module]]:
    """Norms by block, and those outside all blocks."""
    containers = containers_of(stem, blocks)
    if containers is not None:
        return _by_container(norms, containers)
    by_kin = _by_kin(norms, stem, blocks)
    if by_kin is not None:
        return by_kin
    if not ordered:
        raise CheckpointError(
            "its names do not tell which norm belongs to which convolution; save it with torch.save"
        )
    return _by_order(norms, stem, blocks)


def containers_of(stem: Module, blocks: Sequence[FoundBlock]) -> list[tuple[str, ...]] | None:
    """For each block the shortest name that all its convolutions begin with and no others; None if flat."""
    counts: Counter[tuple[str, ...]] = Counter()
    for conv in [stem, *(conv for block in blocks for conv in block.all_convs())]:
        counts.update(conv.tokens[:length] for length in range(1, len(conv.tokens)))
    found = []
    for block in blocks:
        convs = block.all_convs()
        shared = common([conv.tokens for conv in convs])
        own = [
            shared[:length] for length in range(1, len(shared) + 1) if counts[shared[:length]] == len(convs)
        ]
        if not own:
            return None
        found.append(own[0])
    return found


def _by_container(
    norms: Sequence[Module], containers: Sequence[tuple[str, ...]]
) -> tuple[list[list[Module]], list[Module]]:
    places = {container: at for at, container in enumerate(containers)}
    by_block: list[list[Module]] = [[] for _ in containers]
    outside: list[Module] = []
    for norm in norms:
        lengths = range(1, len(norm.tokens) + 1)
        at = next((places[norm.tokens[:n]] for n in lengths if norm.tokens[:n] in places), None)
        (outside if at is None else by_block[at]).append(norm)
    return by_block, outside


def _kin(module: Module) -> tuple[str, ...]:
    """Its name without the words that tell convolutions from norms: the same for a pair of them."""
    return tuple(_KIND_WORDS.sub("", token) for token in module.tokens)


def _by_kin(
    norms: Sequence[Module], stem: Module, blocks: Sequence[FoundBlock]
) -> tuple[list[list[Module]], list[Module]] | None:
    """Norms to the convolutions that have the same name but for the word conv or norm."""
    owner = {_kin(conv): at for at, block in enumerate(blocks) for conv in block.all_convs()}
    if len(owner) < sum(len(block.all_convs()) for block in blocks):
        return None
    by_block: list[list[Module]] = [[] for _ in blocks]
    outside: list[Module] = []
    for norm in norms:
        at = owner.get(_kin(norm))
        (outside if at is None else by_block[at]).append(norm)
    return (by_block, outside) if len(outside) <= 2 else None


def _by_order(
    norms: Sequence[Module], stem: Module, blocks: Sequence[FoundBlock]
) -> tuple[list[list[Module]], list[Module]]:
    """Norms to the blocks among whose convolutions they stand in the file."""
    convs = sorted(
        [(conv.place, at) for at, block in enumerate(blocks) for conv in block.all_convs()]
        + [(stem.place, -1)]
    )
    for before in (True, False):  # behind their convolution, or before it
        by_block: list[list[Module]] = [[] for _ in blocks]
        outside: list[Module] = []
        for norm in norms:
            near = [at for place, at in convs if (place < norm.place) == before]
            at = (near[-1] if before else near[0]) if near else -1
            (outside if at < 0 else by_block[at]).append(norm)
        wanted = [len(block.convs) + (block.projection is not None) for block in blocks]
        if all(len(block.convs) <= len(found) <= most for block, found, most in
               zip(blocks, by_block, wanted, strict=True)):  # fmt: skip
            return by_block, outside
    raise CheckpointError("its order does not tell which norm belongs to which convolution")


def _normed(
    stem: Module, blocks: list[FoundBlock], by_block: list[list[Module]], outside: list[Module], head: Module
) -> FoundNet:
    placed = [_placed(block, norms) for block, norms in zip(blocks, by_block, strict=True)]
    post = all(_widths(block, "outputs") for block in placed)
    pre = all(_widths(block, "inputs") for block in placed)
    if not (post or pre):
        raise CheckpointError(_norm_refusal(placed))
    ends = _Ends(stem, blocks[-1].convs[-1], outside)
    preact = pre and not (post and ends.after_stem())
    stem_norm, last_norm = ends.shared(preact)
    return FoundNet(stem, stem_norm, _stages(stem, placed), last_norm, head, preact)


def _widths(block: FoundBlock, side: str) -> bool:
    return all(
        norm.outputs == getattr(conv, side) for conv, norm in zip(block.convs, block.norms, strict=True)
    )


def _norm_refusal(blocks: Sequence[FoundBlock]) -> str:
    block = next(b for b in blocks if not _widths(b, "outputs")) if blocks else None
    assert block is not None
    conv, norm = next((c, n) for c, n in zip(block.convs, block.norms, strict=True) if n.outputs != c.outputs)
    return (
        f"{short(norm.path)} has {norm.outputs} channels, {short(conv.path)} gives {conv.outputs} and takes "
        f"{conv.inputs}; save its state dict again"
    )


@dataclass(frozen=True)
class _Ends:
    """The norms outside all blocks, and where they may stand."""

    stem: Module
    last: Module
    outside: list[Module]

    def after_stem(self) -> bool:
        """Whether one of them belongs to the stem rather than to the end."""
        fitting = [norm for norm in self.outside if norm.outputs == self.stem.outputs]
        if len(self.outside) != 1 or not fitting:
            return False
        norm = fitting[0]
        if norm.outputs != self.last.outputs or _kin(norm) == _kin(self.stem):
            return True
        if _affinity(norm, self.stem) > _affinity(norm, self.last):
            return True
        return abs(norm.place - self.stem.place) <= abs(norm.place - self.last.place)

    def shared(self, preact: bool) -> tuple[Module | None, Module | None]:
        """The stem's norm and the last one."""
        norms = list(self.outside)
        if not preact or self.after_stem():
            stem = next((norm for norm in norms if norm.outputs == self.stem.outputs), None)
            if stem is None and not preact:
                raise CheckpointError(f"it has no norm behind its first convolution, {short(self.stem.path)}")
            return self._only(norms, stem, None)
        if len(norms) > 1:
            stem = max(norms, key=self._nearness_to_stem)
            return self._only(norms, stem, next(norm for norm in norms if norm is not stem))
        last = next((norm for norm in norms if norm.outputs == self.last.outputs), None)
        return self._only(norms, None, last)

    def _nearness_to_stem(self, norm: Module) -> tuple[bool, bool, tuple[int, int], int]:
        fits = norm.outputs == self.stem.outputs
        return fits, _kin(norm) == _kin(self.stem), _affinity(norm, self.stem), -norm.place

    def _only(
        self, norms: list[Module], stem: Module | None, last: Module | None
    ) -> tuple[Module | None, Module | None]:
        rest = [norm for norm in norms if norm not in (stem, last)]
        if rest:
            raise CheckpointError(f"{short(rest[0].path)} belongs to no convolution of the net")
        for norm, conv in ((stem, self.stem), (last, self.last)):
            if norm is not None and norm.outputs != conv.outputs:
                raise CheckpointError(
                    f"{short(norm.path)} has {norm.outputs} channels, {short(conv.path)} gives {conv.outputs}"
                )
        return stem, last


def _placed(block: FoundBlock, norms: list[Module]) -> FoundBlock:
    """The block with its norms in the order of its convolutions."""
    count = len(block.convs)
    projection = None
    if block.projection is not None and len(norms) == count + 1:
        projection = _projections_norm(block, norms)
        norms = [norm for norm in norms if norm is not projection]
    if len(norms) != count:
        raise CheckpointError(
            f"the block of {short(block.convs[0].path)} has {len(norms)} norms for its {count} convolutions; "
            "blocks with one each are read here"
        )
    norms = _in_order(block.convs, norms)
    if (
        projection is not None
        and block.projection is not None
        and projection.outputs != block.projection.outputs
    ):
        raise CheckpointError(
            f"{short(projection.path)} has {projection.outputs} channels, {short(block.projection.path)} "
            f"gives {block.projection.outputs}"
        )
    return FoundBlock(block.kind, block.convs, block.projection, tuple(norms), projection)


def _in_order(convs: Sequence[Module], norms: list[Module]) -> list[Module]:
    """The norms as their convolutions' names order them, where names pair them; else as the file does."""
    by_kin = {_kin(norm): norm for norm in norms}
    paired = [by_kin.get(_kin(conv)) for conv in convs]
    found = [norm for norm in paired if norm is not None]
    return found if len(found) == len(convs) == len(set(map(id, found))) else norms


def _projections_norm(block: FoundBlock, norms: Sequence[Module]) -> Module:
    projection = block.projection
    assert projection is not None

    def nearness(norm: Module) -> tuple[bool, int, int, int, bool, int]:
        mine = (*_affinity(norm, projection), _suffix(norm, projection))
        others = [(*_affinity(norm, conv), _suffix(norm, conv)) for conv in block.convs]
        names, letters, ends = (
            own - max(each) for own, each in zip(mine, zip(*others, strict=True), strict=True)
        )
        distance = norm.place - projection.place
        return _kin(norm) == _kin(projection), names, letters, ends, distance > 0, -abs(distance)

    fitting = [norm for norm in norms if norm.outputs == projection.outputs]
    return max(fitting or norms, key=nearness)


def _suffix(one: Module, other: Module) -> int:
    """How many letters two names have in common at their end."""
    return len(common([tuple(reversed(one.path)), tuple(reversed(other.path))]))


# Stages


def _stages(stem: Module, blocks: Sequence[FoundBlock]) -> tuple[tuple[FoundBlock, ...], ...]:
    """Blocks by stage: where channels change, where a lone projection stands, or where names say so."""
    by_shape = {0}
    everywhere = all(block.projection is not None for block in blocks)
    for at, block in enumerate(blocks[1:], start=1):
        if block.outputs != block.inputs or (block.projection is not None and not everywhere):
            by_shape.add(at)
    by_name = _starts_by_name(stem, blocks)
    starts = sorted(by_name if by_shape <= by_name and len(by_name) <= MAX_STAGES else by_shape)
    if len(starts) > MAX_STAGES:
        raise CheckpointError(f"it has {len(starts)} stages; nets of 1 to {MAX_STAGES} are read here")
    ends = [*starts[1:], len(blocks)]
    return tuple(tuple(blocks[start:end]) for start, end in zip(starts, ends, strict=True))


def _starts_by_name(stem: Module, blocks: Sequence[FoundBlock]) -> set[int]:
    """Where the name before the block's own changes: layer1.0, layer1.1, layer2.0."""
    containers = containers_of(stem, blocks)
    if containers is None:
        return set()
    parents = [container[:-1] for container in containers]
    return {at for at in range(len(blocks)) if at == 0 or parents[at] != parents[at - 1]}
