"""How is a net kept in a file, and when may a file be trusted?

Our own files are safetensors: tensors, and in the header's metadata what rebuilds and explains the
net. Nothing in a file is executed. Size, header, spec, names, shapes and dtypes are compared before
a value is read, and every value before a net is handed out.
"""

from __future__ import annotations

import io
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Literal

import torch

from explorer.nets import conversion, foreign, sandbox
from explorer.nets.about import FORMAT, read_about
from explorer.nets.build import CifarNet, skeleton
from explorer.nets.contents import Entries, check_tensors, filled, read_header, read_tensors
from explorer.nets.imagenet import ImageNet, imagenet_skeleton
from explorer.nets.normalisation import Normalisation
from explorer.nets.published import PublishedNet
from explorer.nets.refusal import MAX_FILE_BYTES, CheckpointError, words
from explorer.nets.saving import save_checkpoint
from explorer.nets.spec import Family, NetSpec

__all__ = [
    "Checkpoint",
    "CheckpointError",
    "load_any",
    "load_checkpoint",
    "save_checkpoint",
]


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
    """

    net: CifarNet
    spec: NetSpec
    normalisation: Normalisation | None = None
    classes: tuple[str, ...] | None = None
    recipe: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    dataset: str | None = None
    image_size: int | None = None
    origin: Literal["explorer", "published"] = "explorer"


def load_checkpoint(path: str | os.PathLike[str], *, family: Family | None = None) -> Checkpoint:
    """Read a file saved here, or a state dict of a CIFAR ResNet that others saved with PyTorch.

    Published files do not say all: a plain and a residual net have the same tensors, and None means
    residual. A net with akamaster's names and three input channels gets the normalisation that
    repository trains with, and its channels are renumbered to our option A, which leaves its logits
    as they were up to rounding.

    Args:
        path: a safetensors file, or one of `torch.save` in its zip or its older format.
        family: plain or residual, for a published file; files saved here say it themselves.

    Raises:
        CheckpointError: the file cannot be read or trusted, or holds a net for photographs; nothing of it
            was run or kept.
    """
    found = load_any(path, family=family)
    if isinstance(found, ImageNet):
        raise CheckpointError(
            f"Cannot load {Path(path).name}: it is torchvision's {found.about.title}, for photographs and "
            "ImageNet's classes; look at it on the Nets page or with `probe`."
        )
    return found


def load_any(path: str | os.PathLike[str], *, family: Family | None = None) -> Checkpoint | ImageNet:
    """As `load_checkpoint`, and also a state dict of torchvision's ResNets and VGG-19.

    Those are known by their tensors' names and shapes, whatever the file is called; whether the values
    are the published ones, no name can tell.

    Raises:
        CheckpointError: the file cannot be read or trusted; nothing of it was run or kept.
    """
    path = Path(path)
    try:
        _check_place(path)
        with path.open("rb") as file:
            return _load(file, os.fstat(file.fileno()).st_size, family)
    except CheckpointError as error:
        reason = str(error)
    except OSError as error:
        reason = f"it cannot be read ({words(error)}); check its permissions and its disk"
    except MemoryError:
        reason = "this computer has too little free memory for it; close something and try again"
    raise CheckpointError(f"Cannot load {path.name}: {reason}.")


def _check_place(path: Path) -> None:
    if path.is_dir():
        raise CheckpointError("it is a folder; choose a file inside it")
    if not path.exists():
        raise CheckpointError("there is no such file; check its name")
    if not path.is_file():  # opening a pipe or a device could wait for ever
        raise CheckpointError("it is no ordinary file; choose another")


def _load(file: BinaryIO, size: int, family: Family | None) -> Checkpoint | ImageNet:
    if size == 0:
        raise CheckpointError("it is empty; save or download it again")
    if size > MAX_FILE_BYTES:
        raise CheckpointError(f"it is larger than {MAX_FILE_BYTES // 2**20} MiB; choose a smaller net")
    start = file.read(9)
    file.seek(0)
    if sandbox.is_torch_file(start):
        plain = sandbox.convert(file.read())
        file, size = io.BytesIO(plain), len(plain)
    shapes, metadata = read_header(file, size)
    if FORMAT in metadata:
        return _load_own(file, shapes, metadata)
    about = conversion.recognise_published(
        {foreign.stripped_name(name): shape for name, (_, shape) in shapes.items()}
    )
    if about is not None:
        return _load_imagenet(file, shapes, about)
    return _load_published(file, shapes, metadata, family)


def _laid_out(entries: Entries, spec: NetSpec) -> CifarNet:
    if len(entries) < spec.depth:  # before a net of a thousand layers is laid out for nothing
        raise CheckpointError(f"it has {len(entries)} tensors, too few for {spec.title}; save it again")
    return check_tensors(entries, skeleton(spec), spec.title)


def _load_imagenet(file: BinaryIO, entries: Entries, about: PublishedNet) -> ImageNet:
    net = imagenet_skeleton(about)
    ours = {foreign.stripped_name(name): entry for name, entry in entries.items()}
    counters = conversion.counters(net)
    check_tensors(dict.fromkeys(counters, ("I64", ())) | conversion.renamed(about, ours), net, about.title)
    state = {foreign.stripped_name(name): tensor for name, tensor in read_tensors(file).items()}
    return filled(net, counters | conversion.renamed(about, state))


def _load_own(file: BinaryIO, entries: Entries, metadata: dict[str, str]) -> Checkpoint:
    about = read_about(metadata)
    net = _laid_out(entries, about["spec"])
    return Checkpoint(net=filled(net, read_tensors(file)), **about)


def _load_published(
    file: BinaryIO, entries: Entries, metadata: dict[str, str], family: Family | None
) -> Checkpoint:
    found = foreign.recognise({name: shape for name, (_, shape) in entries.items()}, family)
    renamed = {found.names[name]: entry for name, entry in entries.items()}
    # Nets from before PyTorch 0.4.1 have no batch counters; nothing depends on their values.
    norms = [name.removesuffix("running_var") for name in renamed if name.endswith("running_var")]
    missing = {f"{norm}num_batches_tracked" for norm in norms} - set(renamed)
    net = _laid_out(renamed | dict.fromkeys(missing, ("I64", ())), found.spec)
    state = {found.names[name]: tensor for name, tensor in read_tensors(file).items()}
    state |= {name: torch.zeros((), dtype=torch.int64) for name in missing}
    if found.padded_both_sides:
        state = foreign.reorder_channels(state, found.spec)
    net = filled(net, state)
    metrics = _published_metrics(metadata)
    return Checkpoint(net, found.spec, found.normalisation, metrics=metrics, origin="published")


def _published_metrics(metadata: dict[str, str]) -> dict[str, Any]:
    try:
        accuracy = float(metadata.get(sandbox.BEST_ACCURACY, ""))
    except ValueError:
        return {}
    return {"best_top1_accuracy_pct": accuracy} if 0 <= accuracy <= 100 else {}
