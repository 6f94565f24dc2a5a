"""Evaluation: equals a direct loop and leaves the net as it was."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from explorer.nets.build import build
from explorer.nets.normalisation import Normalisation
from explorer.nets.spec import NetSpec
from explorer.training.batches import ResidentImages
from explorer.training.evaluation import evaluate, evaluate_split

NORMALISATION = Normalisation((0.3,), (0.4,))


def images_of(dataset):
    return ResidentImages(dataset.split("test"), dataset.pixel_max, NORMALISATION, torch.device("cpu"))


def net_for_digits():
    net = build(NetSpec("residual", 8, width=4, in_channels=1), seed=0)
    net(torch.randn(16, 1, 8, 8, generator=torch.Generator().manual_seed(0)))
    return net


@pytest.mark.parametrize("batch_size", [7, 32, 70, 500])
def test_equals_a_direct_loop(few_digits, batch_size):
    net, split = net_for_digits(), few_digits.split("test")

    result = evaluate(net, images_of(few_digits), batch_size=batch_size)

    wrong, losses = 0, []
    net.eval()
    with torch.no_grad():
        for pixels, label in zip(split.images, split.labels, strict=True):
            x = (torch.tensor(pixels[None] / np.float32(16)) - 0.3) / 0.4
            logits = net(x)
            wrong += int(logits.argmax()) != label
            losses.append(float(functional.cross_entropy(logits, torch.tensor([label]))))
    assert (result.n, result.wrong) == (70, wrong)
    assert result.loss == pytest.approx(np.mean(losses), rel=1e-5)
    assert result.error_pct == pytest.approx(100 * wrong / 70)


@pytest.mark.parametrize("training", [True, False])
def test_leaves_state_and_each_modules_mode_alone(few_digits, training):
    net = net_for_digits().train(training)
    net.blocks[1].train(not training)
    modes = [module.training for module in net.modules()]
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}

    evaluate(net, images_of(few_digits))
    evaluate_split(net, few_digits, "test", NORMALISATION)

    assert [module.training for module in net.modules()] == modes
    assert all(torch.equal(before[name], tensor) for name, tensor in net.state_dict().items())


def test_modes_come_back_when_the_net_raises(few_digits):
    net = build(NetSpec(depth=8, width=4, in_channels=3)).train()

    with pytest.raises(RuntimeError):
        evaluate(net, images_of(few_digits))

    assert all(module.training for module in net.modules())


def test_bf16_is_near_fp32(few_digits):
    net = net_for_digits()
    exact, rough = (evaluate(net, images_of(few_digits), precision=name) for name in ("fp32", "bf16"))

    assert rough.loss == pytest.approx(exact.loss, rel=0.02)
    assert rough.loss != exact.loss


def test_a_net_for_other_channels_or_fewer_classes_is_refused(few_digits):
    with pytest.raises(ValueError, match="1 channels"):
        evaluate_split(net_for_digits(), few_digits, "test", Normalisation((0.1,) * 3, (0.2,) * 3))
    few = build(NetSpec(depth=8, width=4, in_channels=1, classes=4))
    with pytest.raises(ValueError, match="4 classes apart"):
        evaluate_split(few, few_digits, "test", NORMALISATION)
