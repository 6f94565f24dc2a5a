"""Loss and error around a trained net: a grid of nets on a plane through its weights.

After Li et al. 2018: random directions whose filters have the norms of the net's own, so that nets of other
scales can be compared. BN works with the statistics of the images asked about; with running ones, as in the
published code, the picture is of statistics that no longer fit the weights.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from explorer.probes.replica import replica

Statistics = Literal["batch", "running"]
STATISTICS: tuple[Statistics, ...] = get_args(Statistics)
SPAN = 1.0
MOST_POINTS = 101
_STRIDES = (8, 4, 2, 1)


@dataclass(frozen=True, eq=False)
class Plane:
    """Two directions in the space of weights; a parameter that neither names stays where it is.

    Attributes:
        first: by parameter's name, of its shape; the x axis.
        second: likewise; the y axis.
    """

    first: Mapping[str, Tensor]
    second: Mapping[str, Tensor]


@dataclass(frozen=True, eq=False)
class Grid:
    """What was measured at the points of a plane; NaN where nothing was yet, infinite where a net overflows.

    Attributes:
        x: positions along the first direction, (W,).
        y: positions along the second direction, (H,).
        loss: mean cross-entropy in nats, (H, W).
        error_pct: wrong images in per cent, (H, W).
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    loss: NDArray[np.float64] = field(init=False)
    error_pct: NDArray[np.float64] = field(init=False)

    def __post_init__(self) -> None:
        """All points are open."""
        for name in ("loss", "error_pct"):
            object.__setattr__(self, name, np.full((len(self.y), len(self.x)), np.nan))

    @property
    def done(self) -> int:
        """Points that were measured."""
        return int((~np.isnan(self.loss)).sum())


def square(points: int, span: float = SPAN) -> Grid:
    """An open grid of `points` by `points` from -span to span, its middle point the net itself.

    Raises:
        ValueError: the number is even, below 3 or above 101, or the span is not positive.
    """
    if points % 2 == 0 or not 3 <= points <= MOST_POINTS:
        raise ValueError(
            f"{points} points a side: give an odd number from 3 to {MOST_POINTS}, so that the net itself is "
            "the middle one."
        )
    if not (0 < span < math.inf):
        raise ValueError(f"A span of {span:g}: give a number above 0; 1 is as long as the weights.")
    at = np.linspace(-span, span, points)
    at[points // 2] = 0.0
    return Grid(at, at)


def random_plane(net: nn.Module, seed: int) -> Plane:
    """Two Gaussian directions, each filter and each row of the read-out as long as the net's own.

    Biases and the scales and shifts of BN have no part in it.
    """
    generator = torch.Generator().manual_seed(seed)
    first, second = (
        {name: _like(weight, generator) for name, weight in net.named_parameters() if weight.dim() > 1}
        for _ in range(2)
    )
    return Plane(first, second)


def fill(
    net: nn.Module, plane: Plane, grid: Grid, images: Tensor, labels: Tensor,
    *, statistics: Statistics = "batch", told: Callable[[float], None] = lambda _: None,
) -> None:  # fmt: skip
    """Measure all open points of a grid, coarse points first; a grid that was stopped goes on.

    Args:
        net: at the origin; left as it is.
        plane: of that net.
        grid: its open points are filled in place.
        images: normalised, (N, C, H, W), asked in one pass.
        labels: (N,).
        statistics: of BN: those of these images, or the running ones of training.
        told: given the share that is done, 0 to 1; what it raises stops.
    """
    mover, total = _Mover(net, plane, statistics), grid.loss.size
    images = images.contiguous(memory_format=torch.channels_last)
    with torch.inference_mode():
        for row, column in _coarse_first(grid):
            told(grid.done / total)
            logits = mover.at(float(grid.x[column]), float(grid.y[row]))(images)
            loss = float(functional.cross_entropy(logits, labels))
            grid.error_pct[row, column] = 100 * float((logits.argmax(1) != labels).double().mean())
            grid.loss[row, column] = math.inf if math.isnan(loss) else loss
    told(1.0)


def principal_plane(states: Sequence[Mapping[str, Tensor]]) -> tuple[Plane, NDArray[np.float64], list[float]]:
    """The plane through the last state that holds most of a trajectory (PCA, Li et al. 2018, section 7).

    Args:
        states: parameters by name, in the order of training; at least three.

    Returns:
        The plane, of two directions of length 1; where each state lies on it, (states, 2), the last at the
        origin; and the share of the squared distances to the last state that each component holds.

    Raises:
        ValueError: there are too few states.
    """
    if len(states) < 3:
        raise ValueError(f"{len(states)} states: the plane of a trajectory needs at least 3.")
    last = states[-1]
    away = torch.stack([_flat(state, last) for state in states[:-1]])
    values, vectors = torch.linalg.eigh(away @ away.T)
    values, vectors = values.flip(0).clamp(min=0), vectors.flip(1)
    axes = vectors[:, :2].T @ away / values[:2].sqrt().clamp(min=1e-12)[:, None]
    at = torch.cat([away @ axes.T, torch.zeros(1, 2, dtype=torch.float64)])
    shares = (values / values.sum()).tolist()
    return Plane(*(_unflat(axis, last) for axis in axes)), at.numpy(), shares


def random_walk_shares(states: int) -> list[float]:
    """What each component would hold, had the trajectory been a random walk in infinitely many dimensions.

    Antognini and Sohl-Dickstein 2018: the squared distances of the states to the last one have the
    covariance min(i, j), whose eigenvalues are known in closed form.
    """
    count = states - 1
    half = [(2 * k - 1) * math.pi / (4 * count + 2) for k in range(1, states)]
    values = [1 / (4 * math.sin(angle) ** 2) for angle in half]
    return [value / sum(values) for value in values]


class _Mover:
    """A private copy of a net that is put to any point of a plane."""

    def __init__(self, net: nn.Module, plane: Plane, statistics: Statistics) -> None:
        self._net = replica(net)
        self._moved = []
        for name, weight in list(self._net.named_parameters()):
            if name in plane.first or name in plane.second:
                base = weight.detach()
                own = nn.Parameter(base.clone(), requires_grad=False)
                _put(self._net, name, own)
                ways = [plane.first.get(name), plane.second.get(name)]
                one, two = (torch.zeros_like(base) if way is None else way.to(base) for way in ways)
                self._moved.append((own, base, one, two))
        for module in self._net.modules():
            if isinstance(module, nn.BatchNorm2d) and statistics == "batch":
                module.running_mean = module.running_var = None  # in eval mode too it then takes the batch's
                module.track_running_stats = False
        self._net.to(memory_format=torch.channels_last)

    def at(self, x: float, y: float) -> nn.Module:
        """The net at base + x first + y second; the same object each time."""
        for own, base, one, two in self._moved:
            own.copy_(base).add_(one, alpha=x).add_(two, alpha=y)
        return self._net


def _put(net: nn.Module, name: str, parameter: nn.Parameter) -> None:
    owner, _, last = name.rpartition(".")
    setattr(net.get_submodule(owner), last, parameter)


def _like(weight: Tensor, generator: torch.Generator) -> Tensor:
    """A Gaussian direction whose rows have the norms of the weight's."""
    drawn = torch.randn(weight.shape, generator=generator)
    norms = [rows.flatten(1).norm(dim=1) for rows in (weight.detach(), drawn)]
    scale: Tensor = norms[0] / norms[1]
    return drawn * scale.view(-1, *[1] * (weight.dim() - 1))


def _coarse_first(grid: Grid) -> Iterator[tuple[int, int]]:
    """Row and column of every open point: those of a coarse grid first, and the ones between them then."""
    order = sorted(
        product(range(len(grid.y)), range(len(grid.x))),
        key=lambda point: next(n for n, s in enumerate(_STRIDES) if point[0] % s == point[1] % s == 0),
    )
    return (point for point in order if np.isnan(grid.loss[point]))


def _flat(state: Mapping[str, Tensor], origin: Mapping[str, Tensor]) -> Tensor:
    return torch.cat([(state[name].double() - origin[name].double()).flatten() for name in origin])


def _unflat(vector: Tensor, like: Mapping[str, Tensor]) -> dict[str, Tensor]:
    parts = torch.split(vector, [tensor.numel() for tensor in like.values()])
    return {name: part.view(like[name].shape).float() for part, name in zip(parts, like, strict=True)}
