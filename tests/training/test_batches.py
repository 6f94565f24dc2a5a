"""Batches: normalised pixels, and an order that follows from seed and epoch alone."""

import numpy as np
import pytest
import torch

from explorer.data.dataset import Split
from explorer.nets.normalisation import Normalisation
from explorer.training.batches import Epoch, ResidentImages

CPU = torch.device("cpu")


def some_images(count=9):
    pixels = np.random.RandomState(0).randint(0, 101, (count, 2, 4, 4)).astype(np.uint8)
    return Split(pixels, np.arange(count) % 3)


def test_normalised_pixels_are_what_the_normalisation_says():
    split = some_images()
    images = ResidentImages(split, 100, Normalisation((0.2, 0.5), (0.25, 0.1)), CPU)

    ours = images.normalised(slice(2, 5))

    mean, std = (np.array(v).reshape(1, 2, 1, 1) for v in ((0.2, 0.5), (0.25, 0.1)))
    expected = (split.images[2:5] / 100 - mean) / std
    np.testing.assert_allclose(ours.numpy(), expected, atol=1e-5)
    assert ours.dtype == torch.float32
    assert ours.is_contiguous(memory_format=torch.channels_last)


def test_a_batch_keeps_images_and_labels_together():
    split = some_images()
    images = ResidentImages(split, 100, Normalisation((0.0, 0.0), (1.0, 1.0)), CPU)

    inputs, labels = images.batch(torch.tensor([7, 0, 4]), None, flip=True)

    assert labels.tolist() == [1, 0, 1]
    np.testing.assert_allclose(inputs.numpy() * 100, split.images[[7, 0, 4]], atol=1e-4)


def test_an_epoch_sees_every_image_once():
    epoch = Epoch(100, seed=1, epoch=0, device=CPU, augment=False)

    seen = torch.cat([epoch.batch(number, 20)[0] for number in range(5)])

    assert seen.sort().values.tolist() == list(range(100))


def test_order_and_draws_follow_from_seed_and_epoch_alone():
    def drawn(seed, number):
        epoch = Epoch(50, seed, number, CPU, augment=True)
        return epoch.order.tolist(), epoch.draws.tolist()

    first = drawn(1, 0)
    torch.manual_seed(99)

    assert drawn(1, 0) == first
    assert drawn(1, 1)[0] != first[0] != drawn(2, 0)[0]
    assert drawn(1, 1)[1] != first[1] != drawn(2, 0)[1]


@pytest.mark.parametrize("augment", [True, False])
def test_augmentation_does_not_change_the_order(augment):
    assert Epoch(50, 3, 2, CPU, augment=augment).order.equal(Epoch(50, 3, 2, CPU, augment=False).order)
