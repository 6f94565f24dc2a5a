"""Training steps as one CUDA graph, replayed without waiting for Python."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Learn = Callable[[Tensor, Tensor | None], Tensor]
_WARMUP_STEPS = 3


class GraphedStep:
    """A training step captured once and replayed, on a stream of its own.

    Several of these side by side fill a GPU that one small net leaves idle.

    Args:
        learn: takes image numbers (N,) and augmentation draws (N, 3) or None, steps the optimiser,
            and returns the loss. Nothing in it may wait for the device.
        optimizer: its learning rates must be tensors on the device.
        state: all tensors that `learn` changes, besides the optimiser's; kept over the warm-up.
    """

    def __init__(self, learn: Learn, optimizer: torch.optim.SGD, state: list[Tensor]) -> None:
        self._learn, self._optimizer, self._state = learn, optimizer, state
        self._graph: torch.cuda.CUDAGraph | None = None
        self.stream: torch.cuda.Stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        self._index: Tensor | None = None
        self._draws: Tensor | None = None
        self._loss = torch.zeros(())

    def __call__(self, index: Tensor, draws: Tensor | None, lr: float) -> Tensor:
        """Take one step; returns a copy of the loss, still on its way."""
        self.stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self.stream):
            for group in self._optimizer.param_groups:
                group["lr"].fill_(lr)
            if self._graph is None:
                self._capture(index, draws)
            graph, static_index = self._graph, self._index
            assert graph is not None and static_index is not None  # noqa: PT018
            static_index.copy_(index)
            if self._draws is not None and draws is not None:
                self._draws.copy_(draws)
            graph.replay()
            return self._loss.clone()

    def _capture(self, index: Tensor, draws: Tensor | None) -> None:
        """Warm up, put the weights back, and record one step."""
        self._index, self._draws = index.clone(), None if draws is None else draws.clone()
        before = [tensor.clone() for tensor in self._state]
        momenta = {
            parameter: slot["momentum_buffer"].clone()
            for parameter, slot in self._optimizer.state.items()
            if slot.get("momentum_buffer") is not None
        }
        graph = torch.cuda.CUDAGraph()
        with torch.backends.cudnn.flags(enabled=True, benchmark=True):
            for _ in range(_WARMUP_STEPS):
                self._learn(self._index, self._draws)
            with torch.cuda.graph(graph, stream=self.stream):
                self._loss = self._learn(self._index, self._draws)
        with torch.no_grad():
            for tensor, value in zip(self._state, before, strict=True):
                tensor.copy_(value)
            for parameter, slot in self._optimizer.state.items():
                old = momenta.get(parameter)
                slot["momentum_buffer"].zero_() if old is None else slot["momentum_buffer"].copy_(old)
        self._graph = graph
