"""`Recipe`: how a net is trained, frozen and torch-free, with its learning-rate schedule."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

from explorer import paper

Precision = Literal["fp32", "bf16"]
DeviceName = Literal["auto", "cpu", "cuda", "mps"]
Schedule = Literal["cosine", "step"]
Kernels = Literal["eager", "fused"]

PAPER_ITERATIONS = paper.ITERATIONS
_CHOICES = (("precision", Precision), ("device", DeviceName), ("schedule", Schedule), ("kernels", Kernels))


@dataclass(frozen=True, slots=True)
class Recipe:
    """Stochastic gradient descent with momentum, a warm-up and a decay.

    The default is the one for digits. The paper's, for CIFAR-10, is `paper_recipe`.

    Args:
        epochs: passes over the training split; ignored where `iterations` is given.
        iterations: number of batches, or None.
        batch_size: images per batch; the last, smaller batch of an epoch is left out.
        lr: peak learning rate.
        schedule: cosine to zero, or steps: divided by ten at each of `drops`.
        drops: fractions of the run, between 0 and 1; used by the step schedule.
        warmup: fraction of the run over which the learning rate rises linearly to its peak.
        momentum: of SGD.
        weight_decay: on all parameters, as in the paper.
        augment: pad by 4, crop, and flip where a mirrored image keeps its class (section 4.2).
        seed: of weights, batch order and augmentation.
        precision: fp32, or bf16 autocast.
        device: auto takes cuda, then mps, then cpu.
        survival: chance that the last block's branch takes part in a step; it falls linearly from 1 over the
            blocks (stochastic depth, Huang et al. 2016). 1 keeps every block.
        dropout: chance that a value between two convolutions of a block is set to zero in a step.
        checkpointing: keep each block's input only, and compute its inside again for the gradient: less
            memory, more time, the same numbers.
        kernels: torch's own operations, or on a CPU one fused operation for BN, addition and ReLU: faster,
            equal up to rounding. Where it cannot be built, eager operations take its place.

    Raises:
        ValueError: a value is out of range.
    """

    epochs: int = 10
    iterations: int | None = None
    batch_size: int = 128
    lr: float = 0.03
    schedule: Schedule = "cosine"
    drops: tuple[float, ...] = (0.5, 0.75)
    warmup: float = 0.15
    momentum: float = 0.9
    weight_decay: float = 1e-4
    augment: bool = False
    seed: int = 0
    precision: Precision = "fp32"
    device: DeviceName = "auto"
    survival: float = 1.0
    dropout: float = 0.0
    checkpointing: bool = False
    kernels: Kernels = "eager"

    def __post_init__(self) -> None:
        """Refuse values that cannot be trained with, in words that say which can."""
        _check("epochs", self.epochs, 1, 10_000)
        if self.iterations is not None:
            _check("iterations", self.iterations, 1, 10_000_000)
        _check("batch_size", self.batch_size, 1, 65_536)
        _check("lr", self.lr, 1e-8, 100)
        _check("warmup", self.warmup, 0, 1)
        _check("momentum", self.momentum, 0, 0.9999)
        _check("weight_decay", self.weight_decay, 0, 1)
        _check("seed", self.seed, 0, 2**31 - 1)
        _check("survival", self.survival, 0.01, 1)
        _check("dropout", self.dropout, 0, 0.99)
        for name, choices in _CHOICES:
            if getattr(self, name) not in get_args(choices):
                raise ValueError(
                    f"{name} must be one of {', '.join(get_args(choices))}, not {getattr(self, name)!r}."
                )
        if any(not 0 < drop < 1 for drop in self.drops) or list(self.drops) != sorted(set(self.drops)):
            raise ValueError(f"drops must be rising fractions between 0 and 1, not {self.drops}.")

    @property
    def regularisers(self) -> str:
        """What the recipe adds to weight decay, as part of a name: empty, -survival0.5 or -dropout0.3."""
        parts = [f"-survival{self.survival:g}"] if self.survival < 1 else []
        return "".join([*parts, f"-dropout{self.dropout:g}"] if self.dropout else parts)

    def lr_at(self, iteration: int, total: int) -> float:
        """Learning rate of the step that follows `iteration` finished ones, of `total`."""
        warmup = self.warmup * total
        if iteration < warmup:
            return self.lr * (iteration + 1) / (math.floor(warmup) + 1)
        if self.schedule == "step":
            return self.lr * 0.1 ** sum(iteration >= drop * total for drop in self.drops)
        progress = (iteration - warmup) / max(total - warmup, 1)
        return self.lr * 0.5 * (1 + math.cos(math.pi * min(progress, 1.0)))

    def to_dict(self) -> dict[str, Any]:
        """Every field by name, ready for JSON."""
        return asdict(self) | {"drops": list(self.drops)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Recipe:
        """The inverse of `to_dict`.

        Raises:
            ValueError: a field is unknown or out of range.
        """
        unknown = sorted(set(values) - {field.name for field in fields(cls)})
        if unknown:
            raise ValueError(f"Unknown fields in a recipe: {', '.join(unknown)}.")
        if "drops" in values:
            values = values | {"drops": tuple(values["drops"])}
        return cls(**values)


def paper_recipe(seed: int = 0, fraction: float = 1.0, *, warmup: bool = False) -> Recipe:
    """The recipe of section 4.2, or the first `fraction` of its iterations with drops in proportion.

    Args:
        seed: of weights, order and augmentation.
        fraction: of the paper's 64,000 iterations.
        warmup: rise to the peak over the first 400 iterations, for 110 layers and more. The paper
            holds 0.01 until the training error is below 80 % instead (about 400 iterations).
    """
    iterations = round(PAPER_ITERATIONS * fraction)
    return Recipe(
        iterations=iterations,
        lr=0.1,
        schedule="step",
        drops=paper.DROPS,
        warmup=min(paper.WARMUP_ITERATIONS / iterations, 0.1) if warmup else 0.0,
        augment=True,
        seed=seed,
    )


def _check(name: str, value: float, low: float, high: float) -> None:
    if not (isinstance(value, (int, float)) and math.isfinite(value) and low <= value <= high):
        raise ValueError(f"{name} must lie between {low:g} and {high:g}, not {value}.")
