"""What is measured of a dataset, against loops by hand; and many images in one picture."""

import io

import numpy as np
import pytest
from PIL import Image

from explorer.data.dataset import Split
from explorer.data.montage import examples, montage
from explorer.data.sources import digits
from explorer.data.summary import class_means, seen_before, summarise


def test_statistics_are_those_of_a_plain_computation():
    found = summarise(digits())
    train = digits().split("train")

    assert found.mean == pytest.approx((train.images.mean() / 16,), rel=1e-12)
    assert found.std == pytest.approx((train.images.std() / 16,), rel=1e-12)
    assert found.size == (1, 8, 8)
    for label in range(10):
        for name in ("train", "test"):
            row = found.counts.query("label == @label and split == @name")
            assert int(row["images"].iloc[0]) == int((digits().split(name).labels == label).sum())
        mean = train.images[train.labels == label].mean(0)
        assert np.abs(found.class_means[label] - mean).max() <= 0.5


def test_copies_between_the_splits_are_found_and_their_labels_compared():
    images = np.random.RandomState(0).randint(0, 256, (6, 3, 4, 4)).astype(np.uint8)
    train = Split(images[:4], np.array([0, 1, 2, 3]))
    nearly = images[3].copy()
    nearly[0, 0, 0] ^= 1
    test = Split(np.stack([images[0], images[1], nearly, images[5]]), np.array([0, 2, 3, 5]))

    assert seen_before(train, test) == (2, 1)


def test_a_class_without_images_is_black():
    split = Split(np.full((2, 1, 3, 3), 7, np.uint8), np.array([0, 2]))

    assert class_means(split, 3)[:, 0, 0, 0].tolist() == [7, 0, 7]


def test_every_image_stands_in_its_place_with_clear_gaps():
    images = [np.full((3, 4, 4), value, np.uint8) for value in (10, 20, 30)]
    grid = montage([images[0], None, images[1], images[2]], 2)

    assert (grid.rows, grid.columns, grid.cell, grid.pixels.shape) == (2, 2, 5, (10, 10, 4))
    assert grid.pixels[0, 0].tolist() == [10, 10, 10, 255]
    assert grid.pixels[5, 5].tolist() == [30, 30, 30, 255]
    assert grid.pixels[0, 5, 3] == grid.pixels[4, 0, 3] == 0
    read = np.asarray(Image.open(io.BytesIO(grid.png(3))))
    assert (read == grid.pixels.repeat(3, 0).repeat(3, 1)).all()
    assert grid.uri().startswith("data:image/png;base64,")


def test_grey_from_0_to_16_becomes_0_to_255_and_large_images_small():
    assert montage([np.array([[[16, 8]]], np.uint8)], 1, 16).pixels[0, :2, 0].tolist() == [255, 128]
    assert montage([np.zeros((3, 200, 100), np.uint8)], 1).cell == 65


def test_examples_are_the_first_or_drawn_by_seed():
    split = digits().split("train")
    first, drawn = examples(split, [3, 5], 4, 0), examples(split, [3, 5], 4, 9)

    assert first[0] == np.flatnonzero(split.labels == 3)[:4].tolist()
    assert drawn != first
    assert drawn == examples(split, [3, 5], 4, 9)
    assert {int(split.labels[index]) for index in drawn[1]} == {5}
