"""Attributions of one picture by any method, each saying how far to trust it.

An `Explainer` is a private copy of a net on which methods run; an `Attribution` is what one of them
found. Same net, picture, method, parameters and seed: same numbers.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from explorer.nets.blocks import Block
from explorer.nets.loaded_net import LoadedNet, ProbedNet
from explorer.probes import algorithms
from explorer.probes.algorithms import Task
from explorer.probes.baselines import SAID, baseline, noise_references
from explorer.probes.conductance import Path, conductance_table, layer_conductances
from explorer.probes.folded import folded
from explorer.probes.methods import AttributionError, Value, method
from explorer.probes.replica import Progress, activation_bytes, counting, rows_at_once

_NOTHING = 1e-5
"""In normalised pixels and in logits: far below one step of 8 bits."""


@dataclass(frozen=True)
class AttributionRequest:
    """What is asked of a picture.

    Attributes:
        method: Captum's class in snake case.
        target: class number; None asks for the likeliest class.
        parameters: those that differ from the method's defaults.
        seed: of all draws.
    """

    method: str
    target: int | None = None
    parameters: Mapping[str, Value] = field(default_factory=dict)
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Attribution:
    """What one method found.

    Attributes:
        method: Captum's class in snake case.
        inputs: what the net was shown, normalised, (1, C, H, W).
        attributions: of the target's logit, (1, C, H, W); summed over C they are the map.
        target: class number.
        probability: of that class, 0 to 1.
        score: the target's logit.
        delta: sum of the attributions less the rise of the score; None where the method claims no such sum.
        rise: score of the picture less that of the baseline (the mean of many); None as for delta.
        seconds: of the method alone.
        parameters: all that were used.
        baseline: what was taken as “nothing there”, in words.
        seed: of all draws.
        at_baseline: whether the picture is the baseline itself.
    """

    method: str
    inputs: Tensor
    attributions: Tensor
    target: int
    probability: float
    score: float
    delta: float | None
    rise: float | None
    seconds: float
    parameters: Mapping[str, Value]
    baseline: str
    seed: int
    at_baseline: bool = False

    @property
    def emptiness(self) -> str:
        """Why the map is zero everywhere, as a sentence; '' where it is not."""
        if self.at_baseline and not bool((self.attributions.abs() > _NOTHING).any()):
            return (
                f"The map is zero everywhere: the picture is the baseline itself ({self.baseline}), and "
                "there is no difference to explain. Choose another baseline or picture."
            )
        if bool((self.attributions == 0).all()):
            return "The map is zero everywhere: this method finds no pixel that changes the score."
        return ""

    def map(self) -> Tensor:
        """Attributions summed over the channels, (H, W)."""
        return self.attributions[0].sum(0)

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """What an .npz holds: `inputs` and `attributions`, (1, C, H, W) each."""
        return {"inputs": self.inputs.numpy(), "attributions": self.attributions.numpy()}


class Explainer:
    """A copy of a net on which methods run: one at a time, so give each computation its own."""

    def __init__(self, loaded: LoadedNet) -> None:
        """Copy the net; see `explorer.probes.folded`."""
        self.loaded = loaded
        self.net = folded(loaded.net)
        self._rows: dict[torch.Size, int] = {}

    @property
    def blocks(self) -> list[Block]:
        """The copy's blocks in order."""
        return self._probed().block_list()

    def attribute(
        self,
        inputs: Tensor,
        request: AttributionRequest,
        references: Tensor | None = None,
        progress: Progress | None = None,
    ) -> Attribution:
        """Attributions of one picture.

        Args:
            inputs: normalised, (1, C, H, W).
            request: method, target, parameters and seed.
            references: normalised pictures (N, C, H, W) as baselines of methods that average over some;
                None makes uniform noise.
            progress: told the share that is done; raises `Cancelled` to stop.

        Raises:
            AttributionError: the method, target, a parameter or the picture does not fit.
            Cancelled: `progress` raised it.
        """
        asked = method(request.method)
        settled = asked.settle(request.parameters)
        inputs = self._checked(inputs)
        task, scores, said = self._task(inputs, request, settled, references)
        target = task.target
        started = time.perf_counter()
        total = algorithms.images_for(task, asked.name) if progress else 0
        with _quiet(), counting(self._probed().stem, total, progress):
            found = algorithms.attribute(task, asked.name)
        seconds = time.perf_counter() - started
        rise = None
        if asked.complete and not settled.get("smooth_samples"):
            rise = float(scores[0, target] - scores[1:, target].mean())
        return Attribution(
            method=asked.name,
            inputs=inputs,
            attributions=found,
            target=target,
            probability=float(scores[0].softmax(0)[target]),
            score=float(scores[0, target]),
            delta=None if rise is None else float(found.double().sum()) - rise,
            rise=rise,
            seconds=seconds,
            parameters=settled,
            baseline=said,
            seed=request.seed,
            at_baseline=said != "none" and bool((task.baseline - inputs).abs().max() < _NOTHING),
        )

    def conductance(
        self, inputs: Tensor, request: AttributionRequest, progress: Progress | None = None
    ) -> pd.DataFrame:
        """Conductance of every block and its residual branch, by trapezoids; see `conductance_table`.

        Args:
            inputs: normalised, (1, C, H, W).
            request: its method is not read; n_steps and baseline are, as of layer_conductance.
            progress: told the share that is done; raises `Cancelled` to stop.
        """
        settled = method("layer_conductance").settle(request.parameters)
        inputs = self._checked(inputs)
        task, _, _ = self._task(inputs, request, settled, None)
        steps = int(settled["n_steps"])
        path = Path(inputs, task.baseline, task.target, steps, task.rows, trapezoid=True)
        with counting(self._probed().stem, path.n_steps + 1, progress):
            return conductance_table(self.blocks, lambda layers: layer_conductances(self.net, layers, path))

    def scores(self, inputs: Tensor) -> Tensor:
        """Logits (N, classes) of normalised pictures (N, C, H, W), a bounded number at a time."""
        with torch.no_grad():
            return torch.cat([self.net(part) for part in torch.split(inputs, self.rows(inputs))])

    def rows(self, inputs: Tensor) -> int:
        """How many such pictures go through the net at once; see `rows_at_once`."""
        shape = inputs.shape[1:]
        if shape not in self._rows:
            self._rows[shape] = rows_at_once(activation_bytes(self.net, inputs))
        return self._rows[shape]

    def baseline_of(self, inputs: Tensor, settled: Mapping[str, Value]) -> tuple[Tensor, str]:
        """The baseline of these parameters, and its name in words."""
        name = str(settled.get("baseline", "mean"))
        return baseline(self.loaded, inputs, name), SAID[name] if "baseline" in settled else "none"

    def _task(
        self,
        inputs: Tensor,
        request: AttributionRequest,
        settled: dict[str, Value],
        references: Tensor | None,
    ) -> tuple[Task, Tensor, str]:
        """The task, the logits of the picture and of its baselines, and the baselines in words."""
        nothing, said = self.baseline_of(inputs, settled)
        if "n_references" in settled:
            nothing, said = self._references(inputs, int(settled["n_references"]), references, request.seed)
        self._check_block(settled)
        # the baseline's score is wanted by the methods that account for the rise from it
        scores = self.scores(torch.cat([inputs, nothing]) if method(request.method).complete else inputs)
        target = self._target(request.target, scores[0])
        blocks: list[nn.Module] = list(self.blocks)
        task = Task(
            self.net, blocks, inputs, target, nothing[:1], nothing, settled, request.seed, self.rows(inputs)
        )
        return task, scores, said

    def _references(
        self, inputs: Tensor, count: int, references: Tensor | None, seed: int
    ) -> tuple[Tensor, str]:
        generator = torch.Generator().manual_seed(seed)
        if references is None:
            return noise_references(
                self.loaded, inputs, count, generator
            ), f"{count} pictures of uniform noise"
        if references.shape[1:] != inputs.shape[1:] or len(references) < 2:
            raise AttributionError("Reference pictures must be at least two, of the picture's own shape.")
        order = torch.randperm(len(references), generator=generator)[:count]
        return references[order], f"{len(order)} images of the data"

    def _checked(self, inputs: Tensor) -> Tensor:
        channels = self.loaded.in_channels
        if inputs.ndim != 4 or len(inputs) != 1 or inputs.shape[1] != channels:
            raise AttributionError(
                f"One picture of shape (1, {channels}, H, W) is needed, not {tuple(inputs.shape)}."
            )
        if not bool(torch.isfinite(inputs).all()):
            raise AttributionError("The picture holds values that are not finite.")
        return inputs.detach().float().clone()

    def _target(self, target: int | None, scores: Tensor) -> int:
        if target is None:
            return int(scores.argmax())
        if not 0 <= target < len(scores):
            raise AttributionError(f"There is no class {target}: this net has 0 to {len(scores) - 1}.")
        return target

    def _check_block(self, settled: Mapping[str, Value]) -> None:
        block, count = int(settled.get("block", 0)), len(self.blocks)
        if block > count:
            raise AttributionError(f"There is no block {block}: this net has 1 to {count} (0 is the last).")

    def _probed(self) -> ProbedNet:
        assert isinstance(self.net, ProbedNet)
        return self.net


@contextmanager
def _quiet() -> Iterator[None]:
    """Without Captum's remarks that it sets hooks and flags: they are set on a copy."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*hooks.*", category=UserWarning)
        warnings.filterwarnings("ignore", message=".*required_grads.*", category=UserWarning)
        warnings.filterwarnings("ignore", message=".*requires_grad.*", category=UserWarning)
        yield
