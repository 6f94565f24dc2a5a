"""A file's tensors as the modules that they belonged to; weights that were kept in parts are put together.

Only names, shapes and types are read here; `Derived.value` makes a weight from its parts once they fit.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor

from explorer.nets.errors import CheckpointError, short
from explorer.nets.tensor_file import Entries

Kind = Literal["conv", "norm", "linear", "affine"]
_ALIASES = {
    "gamma": "weight", "beta": "bias", "moving_mean": "running_mean", "moving_var": "running_var",
    "moving_variance": "running_var",
}  # fmt: skip
_STATISTICS = ("running_mean", "running_var")
_SCALE = {"mean", "std", "mu", "sigma", "var", "mean_", "std_"}
_SEPARATOR = re.compile(r"[./]")


@dataclass(frozen=True, eq=False)
class Module:
    """A convolution, a norm or a linear layer of the file.

    Attributes:
        path: its name in the file.
        kind: what its tensors' shapes make it; affine is a norm without running statistics.
        tensors: names of its tensors by what they are: weight, bias, running_mean, running_var.
        shape: of the weight; of a norm its channels.
        place: its number in the order of the file.
    """

    path: str
    kind: Kind
    tensors: dict[str, str]
    shape: tuple[int, ...]
    place: int
    tokens: tuple[str, ...] = field(default=())

    @property
    def outputs(self) -> int:
        """Channels of its output."""
        return self.shape[0]

    @property
    def inputs(self) -> int:
        """Channels of its input."""
        return self.shape[1] if len(self.shape) > 1 else self.shape[0]

    @property
    def kernel(self) -> int:
        """Side of a convolution's window; 0 where it is not square."""
        return self.shape[2] if self.shape[2] == self.shape[3] else 0


@dataclass(frozen=True)
class Derived:
    """A weight that a file keeps in parts: how they are put together.

    Attributes:
        sources: names of the parts.
        shape: of the weight.
        value: makes it from the parts.
        how: in words.
    """

    sources: tuple[str, ...]
    shape: tuple[int, ...]
    value: Callable[..., Tensor]
    how: str


def put_together(entries: Entries) -> tuple[Entries, dict[str, Derived]]:
    """The entries with whole weights in the place of parts, and how each is made.

    Masks (`weight_orig`, `weight_mask`), weight norm (`weight_g`, `weight_v`) and spectral norm
    (`weight_orig`, `weight_u`, `weight_v`) are known, by their old names and as parametrizations.

    Raises:
        CheckpointError: the parts of a weight do not fit each other.
    """
    made: dict[str, Derived] = {}
    for name in entries:
        found = _derived(name, entries)
        if found is not None:
            made[found[0]] = found[1]
    parts = {source for derived in made.values() for source in derived.sources}
    whole: Entries = {}
    owner = {source: name for name, derived in made.items() for source in derived.sources}
    for name, entry in entries.items():
        if name not in parts:
            whole[name] = entry
        elif owner[name] not in whole:  # at the place of its first part
            whole[owner[name]] = (entries[made[owner[name]].sources[0]][0], made[owner[name]].shape)
    return whole, made


def _derived(name: str, entries: Entries) -> tuple[str, Derived] | None:
    for end, make in _WAYS.items():
        if name.endswith(end):
            base = name.removesuffix(end)
            sources, how, value = make(base, entries)
            if sources:
                return _target(base, end), Derived(sources, entries[sources[0]][1], value, how)
    return None


def _target(base: str, end: str) -> str:
    if not end.startswith("."):
        return base
    return re.sub(r"(^|[./])parametrizations\.([^./]+)$", r"\1\2", base)


def _masked(base: str, entries: Entries) -> tuple[tuple[str, ...], str, Callable[..., Tensor]]:
    masked = (f"{base}_orig", f"{base}_mask")
    if f"{base}_mask" in entries:
        _same(masked, entries)
        return masked, "its masks multiplied in", lambda weight, mask: weight * mask
    names = (f"{base}_orig", f"{base}_u", f"{base}_v")
    return (
        (names, "its spectral norms divided out", _spectral) if _all(names, entries) else ((), "", _spectral)
    )


def _normed(base: str, entries: Entries) -> tuple[tuple[str, ...], str, Callable[..., Tensor]]:
    names = (f"{base}_v", f"{base}_g")
    fits = _all(names, entries) and len(entries[names[0]][1]) == len(entries[names[1]][1])
    return (names if fits else ()), "its weight norm multiplied out", _weight_norm


def _parametrized(base: str, entries: Entries) -> tuple[tuple[str, ...], str, Callable[..., Tensor]]:
    names = (f"{base}.original1", f"{base}.original0")
    fits = _all(names, entries) and len(entries[names[0]][1]) == len(entries[names[1]][1])
    return (names if fits else ()), "its weight norm multiplied out", _weight_norm


def _spectrally(base: str, entries: Entries) -> tuple[tuple[str, ...], str, Callable[..., Tensor]]:
    names = (f"{base}.original", f"{base}.0._u", f"{base}.0._v")
    return (names if _all(names, entries) else ()), "its spectral norms divided out", _spectral


_WAYS = {
    "_orig": _masked,
    "_g": _normed,
    ".original0": _parametrized,
    ".original": _spectrally,
}


def _all(names: tuple[str, ...], entries: Entries) -> bool:
    return all(name in entries for name in names)


def _same(names: tuple[str, ...], entries: Entries) -> None:
    first, second = (entries.get(name, ("", ()))[1] for name in names)
    if first != second:
        raise CheckpointError(
            f"{short(names[0])} has shape {short(first)}, its mask {short(second)}; save it again"
        )


def _weight_norm(direction: Tensor, length: Tensor) -> Tensor:
    direction, length = direction.float(), length.float()
    over = [axis for axis in range(direction.dim()) if length.shape[axis] == 1]
    norms = torch.linalg.vector_norm(direction, dim=over, keepdim=True) if over else direction.abs()
    return direction * (length / norms)


def _spectral(weight: Tensor, u: Tensor, v: Tensor) -> Tensor:
    weight = weight.float()
    return weight / torch.dot(u.float(), weight.flatten(1) @ v.float())


def modules_of(entries: Mapping[str, tuple[str, tuple[int, ...]]]) -> tuple[list[Module], list[str]]:
    """The file's modules in its order, and the names of tensors that make up none."""
    groups: dict[str, dict[str, str]] = {}
    for name in entries:
        path, leaf = _split(name, entries[name][1])
        groups.setdefault(path, {})[leaf] = name
    found: list[Module] = []
    rest: list[str] = []
    for path, tensors in groups.items():
        shapes = {leaf: entries[name][1] for leaf, name in tensors.items()}
        kind = _kind(shapes)
        used = _PARTS[kind] if kind else ()
        rest += [name for leaf, name in tensors.items() if leaf not in used]
        if kind is not None:
            shape = shapes["running_mean"] if kind == "norm" else shapes["weight"]
            kept = {leaf: name for leaf, name in tensors.items() if leaf in used}
            found.append(Module(path, kind, kept, shape, len(found), tuple(_SEPARATOR.split(path))))
    return found, [name for name in rest if not name.endswith("num_batches_tracked")]


_PARTS: dict[Kind, tuple[str, ...]] = {
    "conv": ("weight", "bias"),
    "norm": ("weight", "bias", *_STATISTICS, "num_batches_tracked"),
    "linear": ("weight", "bias"),
    "affine": ("weight", "bias"),
}


def _split(name: str, shape: tuple[int, ...]) -> tuple[str, str]:
    """Path and leaf; a bare tensor of four dimensions is a convolution's weight whatever it is called."""
    at = max(name.rfind("."), name.rfind("/"))
    path, leaf = name[: max(at, 0)], name[at + 1 :]
    leaf = _ALIASES.get(leaf, leaf)
    if len(shape) == 4 and leaf not in {"weight", *_SCALE}:
        return name, "weight"
    return path, leaf


def _kind(shapes: Mapping[str, tuple[int, ...]]) -> Kind | None:
    weight = shapes.get("weight")
    if all(len(shapes.get(name, ())) == 1 for name in _STATISTICS):
        return "norm"
    by_dimensions: dict[int, Kind] = {4: "conv", 2: "linear", 1: "affine"}
    kind = by_dimensions.get(len(weight)) if weight is not None else None
    return None if kind == "affine" and "bias" not in shapes else kind
