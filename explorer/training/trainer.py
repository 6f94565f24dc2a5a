"""`Trainer`: trains a net one step at a time, and gives a record per epoch.

The trainer knows no UI and no disk. The order of the images and their augmentation follow from the
recipe's seed and the epoch alone, so that twins see the same batches and a run resumed from
`state` goes on as if it had never stopped.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from explorer.data.dataset import Dataset
from explorer.nets.blocks import Block
from explorer.nets.build import CifarNet, build
from explorer.nets.normalisation import Normalisation
from explorer.nets.spec import NetSpec
from explorer.probes.recorded import Moment, measure
from explorer.probes.responses import ResponseProbe
from explorer.training.allocator import keep_freed_maps
from explorer.training.batches import Epoch, resident
from explorer.training.evaluation import evaluate
from explorer.training.fused import FusedNet, block_forward
from explorer.training.graphs import GraphedStep
from explorer.training.history import EpochRecord, Live
from explorer.training.kernels import KernelError
from explorer.training.recipe import DeviceName, Kernels, Recipe
from explorer.training.regularise import at_test_time, check_regularisers, training_pass
from explorer.training.sgd import make_sgd

PROBE_IMAGES = 32
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class StepRecord:
    """One finished step.

    Attributes:
        iteration: steps finished, this one included.
        epoch: the epoch it belongs to, from 1.
        loss: mean cross-entropy of the batch; a tensor on the device, so that nothing waits for it.
        lr: the learning rate it was taken with.
    """

    iteration: int
    epoch: int
    loss: Tensor
    lr: float


class Trainer:
    """Trains one net.

    Args:
        spec: the net; its channels and classes must be the data's.
        recipe: how to train it.
        dataset: what to train and test it on.
        start: weights and statistics by name that the first step begins with, of a net of that spec; None:
            those that the recipe's seed draws. A run that goes on from `load_state` needs none.

    Raises:
        ValueError: net and data do not fit, `start` is of another net, or the device is not there.
    """

    def __init__(
        self, spec: NetSpec, recipe: Recipe, dataset: Dataset, start: Mapping[str, Tensor] | None = None
    ) -> None:
        """Build the net from the recipe's seed and move everything to the device."""
        self.spec, self.recipe, self.dataset = spec, recipe, dataset
        self.device = find_device(recipe.device)
        self.normalisation = Normalisation(*dataset.channel_stats())
        self.train_images, self.test_images = resident(dataset, self.normalisation, self.device)
        _check_fit(spec, dataset)
        check_regularisers(spec, recipe)
        net = build(spec, recipe.seed).to(self.device)
        if start is not None:
            _begin_at(net, start)
        self.net: CifarNet = net.to(memory_format=torch.channels_last)
        self.optimizer = make_sgd(self.net, recipe, self.device)
        self.batch_size = min(recipe.batch_size, len(self.train_images))
        self.iterations_per_epoch = len(self.train_images) // self.batch_size
        self.total_iterations = recipe.iterations or recipe.epochs * self.iterations_per_epoch
        self.iteration = 0
        self._order: tuple[int, Epoch] | None = None
        self._probe = ResponseProbe(self.net)
        self._steps: list[StepRecord] = []
        self._wrong = torch.zeros((), device=self.device)
        self._fused = _fused_net(self.net, recipe.kernels, self.device)
        self._pass = training_pass(self.net, recipe, self._call_block)
        # a captured step replays the same blocks and the same masks: with a pass, steps are taken one by one
        self._graphed = self._graph() if self.device.type == "cuda" and self._pass is None else None
        self._started = 0.0

    @property
    def kernels(self) -> Kernels:
        """What the steps are computed with; eager where the recipe's fused kernels cannot be had here."""
        return "fused" if self._fused else "eager"

    @property
    def epoch(self) -> int:
        """Finished epochs."""
        return -(-self.iteration // self.iterations_per_epoch)

    @property
    def total_epochs(self) -> int:
        """Epochs of the whole run; the last may be a part of one."""
        return -(-self.total_iterations // self.iterations_per_epoch)

    @property
    def finished(self) -> bool:
        """Whether all iterations are done."""
        return self.iteration >= self.total_iterations

    def step(self) -> StepRecord:
        """Train on the next batch."""
        epoch, number = divmod(self.iteration, self.iterations_per_epoch)
        if number == 0 or not self._steps:
            self._begin_epoch()
        index, draws = self._epoch_order(epoch).batch(number, self.batch_size)
        lr = self.recipe.lr_at(self.iteration, self.total_iterations)
        loss = self._take_step(index, draws, lr)
        self.iteration += 1
        self._steps.append(StepRecord(self.iteration, epoch + 1, loss, lr))
        return self._steps[-1]

    def records(self) -> Iterator[EpochRecord]:
        """Train to the end, one record per epoch; a fresh run begins with epoch 0, untrained."""
        if self.iteration == 0:
            yield self.record()
        while not self.finished:
            yield self.run_epoch()

    def run_epoch(self) -> EpochRecord:
        """Train to the end of the current epoch."""
        self.step()
        while not self.at_epoch_end:
            self.step()
        return self.record()

    @property
    def at_epoch_end(self) -> bool:
        """Whether a record is due."""
        return self.finished or self.iteration % self.iterations_per_epoch == 0

    def record(self) -> EpochRecord:
        """Evaluate and probe the net as it is now; losses are those of the epoch just run."""
        self._wait()
        seconds = time.perf_counter() - self._started
        losses = self._losses()
        trained = len(losses) * self.batch_size
        with self.as_tested():
            test = evaluate(self.net, self.test_images, precision=self.recipe.precision)
            responses = self._probe.measure([self.train_images.normalised(slice(0, PROBE_IMAGES))])
        blocks, layers = measure(Moment(self.net, responses))
        return EpochRecord(
            epoch=self.epoch,
            iteration=self.iteration,
            train_loss=float(losses.mean(dtype=np.float64)) if trained else float("nan"),
            train_error_pct=100 * float(self._wrong) / trained if trained else float("nan"),
            test_loss=test.loss,
            test_error_pct=test.error_pct,
            lr=self._steps[-1].lr if self._steps else 0.0,
            seconds=seconds if trained else 0.0,
            images_per_s=trained / seconds if trained else 0.0,
            step_losses=losses,
            blocks=blocks,
            layers=layers,
        )

    def as_tested(self) -> AbstractContextManager[CifarNet]:
        """The net as it is tested and saved: after stochastic depth, branches times their survival."""
        return at_test_time(self.net, self.recipe.survival)

    def live(self) -> Live:
        """How far the current epoch is; waits for the device."""
        losses = self._losses()
        seconds = max(time.perf_counter() - self._started, 1e-9)
        return Live(self.iteration, losses, len(losses) * self.batch_size / seconds)

    def _losses(self) -> NDArray[np.float32]:
        if not self._steps:
            return np.zeros(0, np.float32)
        self._wait()
        return torch.stack([step.loss for step in self._steps]).float().cpu().numpy()

    def state(self) -> dict[str, Any]:
        """Everything that the rest of the run depends on, after any step; tensors are the net's own."""
        self._wait()
        return {
            "iteration": self.iteration,
            "net": self.net.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "losses": torch.stack([step.loss for step in self._steps]) if self._steps else torch.zeros(0),
            "wrong": self._wrong,
            "seconds": time.perf_counter() - self._started,
            "kernels": self.kernels,
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Go on from `state`, taken in a run of the same spec, recipe and data."""
        if (kernels := state.get("kernels", "eager")) != self.kernels:
            self._fused = _fused_net(self.net, kernels, self.device)  # a run goes on as it began
        self.net.load_state_dict(state["net"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.iteration = int(state["iteration"])
        self._begin_epoch()
        self._wrong.copy_(state["wrong"])
        self._started -= float(state["seconds"])
        first = self.iteration - len(state["losses"])
        for number, loss in enumerate(state["losses"].to(self.device), start=first):
            lr = self.recipe.lr_at(number, self.total_iterations)
            self._steps.append(StepRecord(number + 1, number // self.iterations_per_epoch + 1, loss, lr))

    def _call_block(self, block: Block, x: Tensor) -> Tensor:
        return block_forward(block, x) if self._fused else block(x)

    def _begin_epoch(self) -> None:
        self._steps = []
        self._wrong.zero_()
        self._started = time.perf_counter()

    def _wait(self) -> None:
        if self._graphed is not None:
            self._graphed.stream.synchronize()
        elif self.device.type == "mps":
            torch.mps.synchronize()

    def _epoch_order(self, epoch: int) -> Epoch:
        if self._order is None or self._order[0] != epoch:
            recipe = self.recipe
            order = Epoch(len(self.train_images), recipe.seed, epoch, self.device, augment=recipe.augment)
            self._order = (epoch, order)
        return self._order[1]

    def _graph(self) -> GraphedStep:
        state = [*self.net.parameters(), *self.net.buffers(), self._wrong]
        return GraphedStep(self._learn, self.optimizer, [tensor.detach() for tensor in state])

    def _take_step(self, index: Tensor, draws: Tensor | None, lr: float) -> Tensor:
        if not self.net.training:
            self.net.train()
        if self._graphed is not None:
            return self._graphed(index, draws, lr)
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        if self._pass is not None:
            self._pass.begin(self.iteration)
        return self._learn(index, draws)

    def _learn(self, index: Tensor, draws: Tensor | None) -> Tensor:
        inputs, labels = self.train_images.batch(index, draws, flip=self.dataset.flips)
        self.optimizer.zero_grad(set_to_none=True)
        bf16 = self.recipe.precision == "bf16"
        with torch.autocast(self.device.type, torch.bfloat16, enabled=bf16, cache_enabled=False):
            net = self._fused or self.net
            logits = net(inputs) if self._pass is None else net(inputs, self._pass)
            loss = functional.cross_entropy(logits, labels)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        self._wrong += (logits.detach().argmax(1) != labels).sum()
        return loss.detach()


def _fused_net(net: CifarNet, kernels: Kernels, device: torch.device) -> FusedNet | None:
    if kernels == "eager" or device.type != "cpu":
        return None
    try:
        fused = FusedNet(net)
    except KernelError as error:
        log.warning("%s", error)
        return None
    keep_freed_maps()
    return fused


def _begin_at(net: CifarNet, start: Mapping[str, Tensor]) -> None:
    try:
        net.load_state_dict(start)
    except RuntimeError:
        raise ValueError(
            f"These weights are of another net than {net.spec.title}: build them for its spec."
        ) from None


def find_device(name: DeviceName) -> torch.device:
    """The device called `name`; auto takes cuda, then mps, then cpu.

    Raises:
        ValueError: this machine has no such device.
    """
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        return torch.device(next(kind for kind in ("cuda", "mps", "cpu") if there[kind]))
    if not there[name]:
        has = ", ".join(kind for kind, found in there.items() if found)
        raise ValueError(f"This machine has no {name} device; it has {has}. Leave the device at auto.")
    return torch.device(name)


def _check_fit(spec: NetSpec, dataset: Dataset) -> None:
    channels, classes = dataset.split("train").in_channels, len(dataset.classes)
    if (spec.in_channels, spec.classes) != (channels, classes):
        raise ValueError(
            f"{spec.title} takes {spec.in_channels} channels and tells {spec.classes} classes apart; "
            f"{dataset.title} has {channels} and {classes}."
        )


def train_together(trainers: Sequence[Trainer]) -> Iterator[tuple[int, EpochRecord]]:
    """Train several nets a step each in turn; yields each net's number and its records.

    On a GPU their steps overlap, since each has a stream of its own.
    """
    for number, trainer in enumerate(trainers):
        if trainer.iteration == 0:
            yield number, trainer.record()
    while active := [number for number, trainer in enumerate(trainers) if not trainer.finished]:
        for number in active:
            trainers[number].step()
        for number in active:
            if trainers[number].at_epoch_end:
                yield number, trainers[number].record()
