"""Errors and loss of a net over a split, in eval mode."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from explorer.data.dataset import Dataset, SplitName
from explorer.nets.normalisation import Normalisation
from explorer.probes.candidates import check_match
from explorer.probes.hooks import mode
from explorer.training.batches import ResidentImages

EVAL_BATCH = 500


@dataclass(frozen=True)
class Evaluation:
    """What a net got wrong.

    Attributes:
        n: images.
        wrong: wrongly classified images.
        loss: mean cross-entropy.
    """

    n: int
    wrong: int
    loss: float

    @property
    def error_pct(self) -> float:
        """Wrong images in per cent."""
        return 100 * self.wrong / self.n


def evaluate(
    net: nn.Module, images: ResidentImages, *, batch_size: int = EVAL_BATCH, precision: str = "fp32"
) -> Evaluation:
    """Run the whole split through the net, in eval mode and without gradients.

    A non-finite loss counts every image of its batch as it was classified; the mean is then NaN.
    """
    device = images.labels.device
    wrong, loss = torch.zeros((), device=device), torch.zeros((), device=device, dtype=torch.float64)
    autocast = torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16")
    with mode(net, training=False), torch.inference_mode(), autocast:
        for start in range(0, len(images), batch_size):
            part = slice(start, start + batch_size)
            batch_wrong, batch_loss = _batch(net, images.normalised(part), images.labels[part])
            wrong += batch_wrong
            loss += batch_loss
    return Evaluation(len(images), int(wrong), float(loss) / len(images))


def _batch(net: nn.Module, inputs: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    logits = net(inputs).float()
    return (logits.argmax(1) != labels).sum(), functional.cross_entropy(
        logits, labels, reduction="sum"
    ).double()


def evaluate_split(
    net: nn.Module, dataset: Dataset, split: SplitName, normalisation: Normalisation
) -> Evaluation:
    """Evaluate a CIFAR-style net on one split of a dataset, on the CPU.

    Raises:
        ValueError: the net was made for other channels, or for another number of classes.
    """
    part = dataset.split(split)
    images = ResidentImages(part, dataset.pixel_max, normalisation, torch.device("cpu"))
    if len(normalisation.mean) == part.in_channels:
        with mode(net, training=False), torch.inference_mode():
            classes = net(images.normalised(slice(0, 1))).shape[1]
    else:
        classes = len(dataset.classes)
    check_match(classes, len(normalisation.mean), dataset, split)
    return evaluate(net, images)
