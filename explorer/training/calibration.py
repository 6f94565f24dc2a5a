"""The machine's speed: a few real steps of five small nets that differ in what makes a step slow."""

from __future__ import annotations

import time

import numpy as np

from explorer.data.dataset import Dataset, Split
from explorer.nets.spec import NetSpec
from explorer.training.estimates import Timing
from explorer.training.recipe import DeviceName, Kernels, Precision, Recipe

# many layers on nothing; many values; many multiply-adds; and what people train first
_PROBES = (
    (NetSpec("residual", 8, width=4), 8, 32),
    (NetSpec("residual", 20), 8, 128),
    (NetSpec("residual", 56), 8, 128),
    (NetSpec("residual", 8), 32, 32),
    (NetSpec("residual", 8, width=64), 8, 64),
)
_STEPS = 4


def time_steps(
    device: DeviceName, precision: Precision = "fp32", kernels: Kernels = "eager", threads: int = 1
) -> list[Timing]:
    """The fastest of a few steps of each net, trained on noise.

    Args:
        device: where.
        precision: fp32 or bf16.
        kernels: eager or fused.
        threads: of the CPU.
    """
    import torch

    from explorer.training.trainer import Trainer

    torch.set_num_threads(threads)
    timings = []
    for spec, size, batch in _PROBES:
        recipe = Recipe(batch_size=batch, precision=precision, device=device, kernels=kernels)
        trainer = Trainer(spec, recipe, _noise(size, batch))
        trainer.step()
        seconds = []
        for _ in range(_STEPS):
            start = time.perf_counter()
            float(trainer.step().loss)
            seconds.append(time.perf_counter() - start)
        timings.append(Timing(spec, size, batch, min(seconds)))
    return timings


def _noise(size: int, count: int) -> Dataset:
    """Images of noise: what they show does not change how long a step takes."""

    def split() -> Split:
        draw = np.random.RandomState(0)
        images = draw.randint(0, 256, (count, 3, size, size)).astype(np.uint8)
        return Split(images, draw.randint(0, 10, count).astype(np.int64))

    return Dataset("noise", "noise", tuple("0123456789"), {"train": split, "test": split})
