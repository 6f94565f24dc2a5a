"""Checkpoints: a net in a file, and when a file may be trusted.

Our own files are safetensors: tensors, and in the header's metadata what rebuilds and explains the
net. Nothing in a file is executed. Size, header, spec, names, shapes and dtypes are compared before
a value is read, and every value before a net is handed out. The net in a file of others is found by
its tensors' shapes and order (docs/decisions/0040).
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO, Literal, TypeVar

import torch
from torch import Tensor

from explorer.nets import conversion, sandbox, third_party
from explorer.nets.build import StagedNet, skeleton
from explorer.nets.checkpoint_reading import Assumption, Reading, other_readings
from explorer.nets.errors import MAX_FILE_BYTES, CheckpointError, short, words
from explorer.nets.families import Family
from explorer.nets.imagenet import VggNet, imagenet_skeleton
from explorer.nets.metadata import FORMAT, read_metadata
from explorer.nets.normalisation import Normalisation
from explorer.nets.published_imagenet import PublishedNet
from explorer.nets.saving import save_checkpoint
from explorer.nets.spec import NetSpec
from explorer.nets.tensor_file import (
    Entries,
    check_tensors,
    check_value,
    filled,
    in_order,
    loaded,
    read_header,
    read_tensors,
)

__all__ = [
    "Checkpoint",
    "CheckpointError",
    "load_any",
    "load_checkpoint",
    "save_checkpoint",
]


T = TypeVar("T")


@dataclass(frozen=True)
class Checkpoint:
    """A net from a file and what the file says about it.

    Attributes:
        net: in evaluation mode, float32, on the CPU.
        spec: which net it is.
        normalisation: how its inputs were normalised; None where the file does not tell.
        classes: the names of its outputs, if known.
        recipe: how it was trained, as saved.
        metrics: what was measured, by name with the unit as suffix.
        dataset: what it was trained on, if known.
        image_size: side of the square images it was trained on in pixels, if known.
        origin: a file of this explorer, or one published elsewhere.
        assumptions: what a file of others does not say, and what it was taken to be.
        notes: what was made of its tensors, and which were left out, as sentences.
    """

    net: StagedNet
    spec: NetSpec
    normalisation: Normalisation | None = None
    classes: tuple[str, ...] | None = None
    recipe: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    dataset: str | None = None
    image_size: int | None = None
    origin: Literal["explorer", "published"] = "explorer"
    assumptions: tuple[Assumption, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class VggCheckpoint:
    """torchvision's VGG from a file: `net` in evaluation mode, and what is known of it."""

    net: VggNet
    about: PublishedNet


def load_checkpoint(
    path: str | os.PathLike[str], *, family: Family | None = None, reading: Reading | None = None
) -> Checkpoint:
    """Read a file saved here, or a state dict of a residual net that others saved.

    Published files do not say all: a plain and a residual net have the same tensors, and None means
    residual. What was taken to be so stands in the result's `assumptions`. Channels of nets whose option A
    pads on both sides are renumbered to ours, which leaves their logits as they were up to rounding.

    Args:
        path: a safetensors file, or one of `torch.save` in its zip or its older format.
        family: plain or residual, for a published file; files saved here say it themselves.
        reading: all that a person says about a published file; `family` goes before its own.

    Raises:
        CheckpointError: the file cannot be read or trusted, or holds a VGG; nothing of it was run or kept.
    """
    found = load_any(path, family=family, reading=reading)
    if isinstance(found, VggCheckpoint):
        raise CheckpointError(
            f"Cannot load {Path(path).name}: it is torchvision's {found.about.title}, for photographs and "
            "ImageNet's classes; look at it on the Nets page or with `probe`."
        )
    return found


def load_any(
    path: str | os.PathLike[str], *, family: Family | None = None, reading: Reading | None = None
) -> Checkpoint | VggCheckpoint:
    """As `load_checkpoint`, and also a state dict of torchvision's VGG-19.

    Nets are known by their tensors' shapes, whatever the file is called; whether the values are published
    ones, no shape can tell.

    Raises:
        CheckpointError: the file cannot be read or trusted; nothing of it was run or kept.
    """
    asked = reading or Reading()
    if family is not None:
        asked = replace(asked, family=family)
    return _read(Path(path), lambda parts: _made(parts, asked))


def load_readings(path: str | os.PathLike[str], reading: Reading) -> list[tuple[Reading, Checkpoint]]:
    """The net by every reading that its file leaves open, the one that `load_checkpoint` takes first.

    Args:
        path: as for `load_checkpoint`.
        reading: what a person says about the file; that is never read in another way.

    Raises:
        CheckpointError: as `load_checkpoint`.
    """

    def all_of(parts: _Parts) -> list[tuple[Reading, Checkpoint]]:
        first = _made(parts, reading)
        if isinstance(first, VggCheckpoint):
            return []
        ways = other_readings(reading, first.assumptions)
        return [(ways[0], first), *((way, _residual(parts, way)) for way in ways[1:])]

    return _read(Path(path), all_of)


def _read(path: Path, make: Callable[[_Parts], T]) -> T:
    """What `make` makes of the file; whatever goes wrong is said in one sentence that names it."""
    try:
        _check_place(path)
        with path.open("rb") as file:
            return make(_opened(file, os.fstat(file.fileno()).st_size))
    except CheckpointError as error:
        reason = str(error)
    except OSError as error:
        reason = f"it cannot be read ({words(error)}); check its permissions and its disk"
    except MemoryError:
        reason = "this computer has too little free memory for it; close something and try again"
    raise CheckpointError(f"Cannot load {path.name}: {reason}.")


@dataclass(frozen=True)
class _Parts:
    """A file of tensors: type and shape by name, what its header says, and whether its order is known."""

    file: BinaryIO
    entries: Entries
    metadata: dict[str, str]
    ordered: bool


def _check_place(path: Path) -> None:
    if path.is_dir():
        raise CheckpointError("it is a folder; choose a file inside it")
    if not path.exists():
        raise CheckpointError("there is no such file; check its name")
    if not path.is_file():  # opening a pipe or a device could wait for ever
        raise CheckpointError("it is not a regular file; choose another file")


def _opened(file: BinaryIO, size: int) -> _Parts:
    if size == 0:
        raise CheckpointError("it is empty; save or download it again")
    if size > MAX_FILE_BYTES:
        raise CheckpointError(f"it is larger than {MAX_FILE_BYTES // 2**20} MiB; choose a smaller net")
    start = file.read(16)
    file.seek(0)
    sandbox.refuse_by_start(start)
    if sandbox.is_torch_file(start):
        plain = sandbox.convert(file.read())
        file, size = io.BytesIO(plain), len(plain)
    shapes, metadata = read_header(file, size)
    entries, ordered = in_order(shapes, metadata.get(sandbox.ORDER))
    return _Parts(file, entries, metadata, ordered)


def _made(parts: _Parts, reading: Reading) -> Checkpoint | VggCheckpoint:
    if FORMAT in parts.metadata:
        return _own(parts)
    shapes = {conversion.stripped_name(name): shape for name, (_, shape) in parts.entries.items()}
    highway = third_party.highway_of({name: shape for name, (_, shape) in parts.entries.items()})
    if highway is not None:
        return _highway(parts, highway, reading)
    about = conversion.recognise_vgg(shapes)
    return _residual(parts, reading) if about is None else _vgg(parts, about)


def _laid_out(entries: Entries, spec: NetSpec) -> StagedNet:
    if len(entries) < spec.depth:  # before a net of a thousand layers is laid out for nothing
        raise CheckpointError(f"it has {len(entries)} tensors, too few for {spec.title}; save it again")
    return check_tensors(entries, skeleton(spec), spec.title)


def _vgg(parts: _Parts, about: PublishedNet) -> VggCheckpoint:
    net = imagenet_skeleton(about)
    assert isinstance(net, VggNet)
    ours = {conversion.stripped_name(name): entry for name, entry in parts.entries.items()}
    counters = conversion.counters(net)
    check_tensors(dict.fromkeys(counters, ("I64", ())) | conversion.renamed(about, ours), net, about.title)
    state = {conversion.stripped_name(name): tensor for name, tensor in read_tensors(parts.file).items()}
    return VggCheckpoint(filled(net, counters | conversion.renamed(about, state)), about)


def _own(parts: _Parts) -> Checkpoint:
    about = read_metadata(parts.metadata)
    net = _laid_out(parts.entries, about["spec"])
    return Checkpoint(net=filled(net, read_tensors(parts.file)), **about)


def _highway(parts: _Parts, spec: NetSpec, reading: Reading) -> Checkpoint:
    """A state dict of one of our own Highway nets, which nobody else names or builds so."""
    if reading.family not in (None, "highway"):
        raise CheckpointError(f"it holds a highway net, not a {reading.family} one; leave the family out")
    net = _laid_out(parts.entries, spec)
    state = filled(net, read_tensors(parts.file))
    return Checkpoint(state, spec, reading.normalisation, image_size=reading.image_size, origin="published")


def _residual(parts: _Parts, reading: Reading) -> Checkpoint:
    entries, metadata = parts.entries, parts.metadata
    by_others = bool(metadata.get(sandbox.WRAPPED)) and sandbox.BEST_ACCURACY not in metadata
    found = third_party.recognise(entries, reading, ordered=parts.ordered, by_others=by_others)
    net = skeleton(found.spec)
    sources = third_party.sources_of(found.found, net)
    _check_types(entries, [name for name in sources.values() if name], found)
    tensors = read_tensors(parts.file)
    shapes = {name: tensor.shape for name, tensor in net.state_dict().items()}
    state = {name: _value(name, sources[name], shape, tensors, found) for name, shape in shapes.items()}
    scale, assumed = _scale(found, tensors, reading)
    if found.spec.shortcut == "A" and found.spec.family != "plain" and found.padding == "both":
        state = third_party.reorder_channels(state, net)
    notes = [
        *found.notes,
        *([f"Left out, since the net has no such parts: {found.left_out}."] if found.left_out else []),
    ]
    if metadata.get(sandbox.BESIDE):
        notes.append(f"Also in the file, and not read: {short(metadata[sandbox.BESIDE])}.")
    return Checkpoint(
        net=loaded(net, state),
        spec=found.spec,
        normalisation=scale,
        metrics=_published_metrics(metadata),
        image_size=reading.image_size,
        origin="published",
        assumptions=(*found.assumptions, *assumed),
        notes=tuple(notes),
    )


def _check_types(entries: Entries, names: list[str], found: third_party.Recognised) -> None:
    """Refuse weights that are not floating-point numbers; counters may be of any whole-number type."""
    for name in names:
        for part in found.derived[name].sources if name in found.derived else (name,):
            dtype = entries[part][0]
            counter = part.endswith("num_batches_tracked") or part.endswith("_mask")
            if dtype not in _FLOATS and not (counter and dtype in _WHOLE):
                raise CheckpointError(
                    f"{short(part)} has the type {short(dtype)}; save the net as float32 or float16"
                )


_FLOATS = ("F64", "F32", "F16", "BF16")
_WHOLE = ("I64", "I32", "I16", "I8", "U64", "U32", "U16", "U8", "BOOL")


def _value(
    name: str,
    source: str | None,
    shape: torch.Size,
    tensors: Mapping[str, Tensor],
    found: third_party.Recognised,
) -> Tensor:
    """One value of our net, as float32, from the file's tensor of that name."""
    if source is None:
        return third_party.neutral(name, tuple(shape))
    made = found.derived.get(source)
    value = made.value(*(tensors[part].float() for part in made.sources)) if made else tensors[source]
    check_value(name, value, source)
    if name.endswith("num_batches_tracked"):
        return value.reshape(-1)[:1].sum().to(torch.int64)
    if value.dim() == 4 and len(shape) == 2:  # a 1x1 convolution as the read-out
        value = value.flatten(1)
    if value.shape != shape:
        raise CheckpointError(
            f"{short(source)} has shape {tuple(value.shape)}, not {tuple(shape)}; save it again"
        )
    return value.float()


def _scale(
    found: third_party.Recognised, tensors: Mapping[str, Tensor], reading: Reading
) -> tuple[Normalisation | None, tuple[Assumption, ...]]:
    """The net's normalisation: as a person says, as the file's own tensors hold it, or as is usual."""
    channels = found.spec.in_channels
    if reading.normalisation is not None:
        if len(reading.normalisation.mean) != channels:
            raise CheckpointError(
                f"its net takes {channels} channel{'s' * (channels > 1)}, and the mean and std given are for "
                f"{len(reading.normalisation.mean)}; give one value for each"
            )
        return reading.normalisation, ()
    if found.scale is not None:
        mean, std = (tuple(tensors[name].double().flatten().tolist()) for name in found.scale)
        try:
            return Normalisation(mean, std), ()
        except ValueError:
            return None, ()
    usual = third_party.usual_normalisation(found.found)
    if usual is None:
        return None, ()
    text = f"The scale of its inputs was taken to be {usual[1]}: {usual[0].said()}"
    return usual[0], (Assumption("normalisation", usual[0].said(), (), text),)


def _published_metrics(metadata: dict[str, str]) -> dict[str, Any]:
    try:
        accuracy = float(metadata.get(sandbox.BEST_ACCURACY, ""))
    except ValueError:
        return {}
    return {"best_top1_accuracy_pct": accuracy} if 0 <= accuracy <= 100 else {}
