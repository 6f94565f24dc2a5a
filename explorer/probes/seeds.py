"""Sampling methods of Captum that draw from a seeded generator, so that they repeat.

Captum draws from torch's and numpy's global generators, which all sessions share. Where it lets us
give the draws, we do; GradientShap does not, so its draws happen under a lock, and the global
generators are put back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

import numpy as np
import torch
from captum.attr import KernelShap, NoiseTunnel
from torch import Tensor

_GLOBAL = Lock()


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed the global generators for one short computation of one session; then put them back."""
    with _GLOBAL, torch.random.fork_rng(devices=[]):
        before = np.random.get_state()
        torch.manual_seed(seed)
        np.random.seed(seed % 2**32)
        try:
            yield
        finally:
            np.random.set_state(before)


class OwnNoiseTunnel(NoiseTunnel):  # type: ignore[misc]
    """Captum's NoiseTunnel with noise from a generator of its own."""

    def __init__(self, method: Any, generator: torch.Generator) -> None:
        super().__init__(method)
        self._generator = generator

    def _add_noise_to_input(self, input: Tensor, stdev: float, nt_samples_partition: int) -> Tensor:
        copies = input.repeat_interleave(nt_samples_partition, dim=0)
        return copies + stdev * torch.randn(copies.shape, generator=self._generator)


class OwnKernelShap(KernelShap):  # type: ignore[misc]
    """Captum's KernelShap with coalitions from a generator of its own."""

    def __init__(self, forward: Callable[[Tensor], Tensor], generator: torch.Generator) -> None:
        super().__init__(forward)
        self._generator = generator

    def kernel_shap_perturb_generator(self, original_inp: Any, **kwargs: Any) -> Iterator[Tensor]:
        """All regions, none, then coalitions whose sizes follow the Shapley kernel."""
        count, sizes = kwargs["num_interp_features"], kwargs["num_select_distribution"].probs
        yield torch.ones(1, count, dtype=torch.long)
        yield torch.zeros(1, count, dtype=torch.long)
        while True:
            size = torch.multinomial(sizes, 1, generator=self._generator)
            order = torch.randperm(count, generator=self._generator)
            yield (order < size)[None].long()


def coin_flips(generator: torch.Generator) -> Callable[..., Tensor]:
    """LIME's draws: each region is kept or hidden with equal chance."""

    def flip(_inputs: Any, **kwargs: Any) -> Tensor:
        return torch.randint(2, (1, kwargs["num_interp_features"]), generator=generator)

    return flip
