"""A net beside one made deeper: errors, answers and logits compared."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from explorer.nets.build import CifarNet
from explorer.nets.identity import Constructed, Place, check_deepening, construct, settle
from explorer.nets.loaded_net import LoadedNet
from explorer.probes.probe_images import ProbeImages
from explorer.probes.replica import replica

_BATCH = 250


@dataclass(frozen=True)
class AnswerComparison:
    """Two nets' answers to the same images.

    Attributes:
        images: how many.
        wrong_before: images that the first net got wrong.
        wrong_after: images that the second got wrong.
        changed: images that they class differently.
        largest_change: greatest absolute difference of a logit.
    """

    images: int
    wrong_before: int
    wrong_after: int
    changed: int
    largest_change: float

    @property
    def before_pct(self) -> float:
        """Error of the first net in per cent."""
        return 100 * self.wrong_before / self.images

    @property
    def after_pct(self) -> float:
        """Error of the second in per cent."""
        return 100 * self.wrong_after / self.images


def built_from(loaded: LoadedNet, depth: int, train: ProbeImages, place: Place = "end") -> Constructed:
    """A private deeper copy of a net that keeps its answers; the net itself stays as it is.

    A net that was never trained first gets the BN statistics of the training images.

    Raises:
        ValueError: it is not of the CIFAR design, or cannot be made that deep; the text says why.
    """
    if not isinstance(loaded.net, CifarNet):
        raise ValueError(
            f"{loaded.title} is not of the CIFAR design. Choose a plain or residual net that is."
        )
    check_deepening(loaded.net.spec, depth)
    net = replica(loaded.net)
    assert isinstance(net, CifarNet)
    if not loaded.trained:
        settle(net, train.images)
    return construct(net, depth, train.images, place)


def compared(before: CifarNet, after: CifarNet, asked: ProbeImages) -> AnswerComparison:
    """Ask both nets, in eval mode, about the same images."""
    first, second = (logits(net, asked.images) for net in (before, after))
    answers = [found.argmax(1) for found in (first, second)]
    return AnswerComparison(
        images=len(asked.labels),
        wrong_before=int((answers[0] != asked.labels).sum()),
        wrong_after=int((answers[1] != asked.labels).sum()),
        changed=int((answers[0] != answers[1]).sum()),
        largest_change=float((first - second).abs().max()),
    )


def logits(net: CifarNet, images: Tensor) -> Tensor:
    """(N, classes), in passes that fit into memory at any depth."""
    with torch.inference_mode():
        return torch.cat([net(batch) for batch in torch.split(images, _BATCH)])
