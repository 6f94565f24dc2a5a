"""What a run sees of one image: the pixels that its batches really hold."""

import numpy as np
import torch

from explorer.data.dataset import Dataset, Split
from explorer.data.sources import digits
from explorer.nets.normalisation import Normalisation
from explorer.training.batches import Epoch, ResidentImages
from explorer.training.views import views_of

CPU = torch.device("cpu")


def colours():
    random = np.random.RandomState(0)
    split = Split(random.randint(0, 256, (40, 3, 12, 12)).astype(np.uint8), random.randint(0, 2, 40))
    return Dataset("noise", "Noise", ("a", "b"), {"train": lambda: split, "test": lambda: split})


def test_views_are_what_the_batches_of_that_seed_hold():
    dataset, seed = colours(), 5
    normalisation = Normalisation(*dataset.channel_stats())
    images = ResidentImages(dataset.split("train"), 255, normalisation, CPU)

    views = views_of(dataset, 17, seed, 3)

    for epoch, view in enumerate(views):
        order = Epoch(40, seed, epoch, CPU, augment=True)
        batches = [images.batch(*order.batch(number, 10), flip=True)[0] for number in range(4)]
        place = order.order.tolist().index(17)
        mean, std = (np.array(part)[:, None, None] for part in (normalisation.mean, normalisation.std))
        there = torch.cat(batches)[place].numpy() * std + mean
        np.testing.assert_allclose(view / 255, there, atol=0.5 / 255 + 1e-6)


def test_without_a_shift_an_image_is_unchanged():
    seen = views_of(digits(), 0, 0, 40)
    original = digits().split("train").images[0]

    assert all(view.shape == original.shape for view in seen)
    assert not any(np.array_equal(view, seen[0]) for view in seen[1:3])
    assert max(int(view.max()) for view in seen) <= 16
