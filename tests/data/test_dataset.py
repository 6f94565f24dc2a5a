"""Splits: arrays that belong together, hashes, and a validation split."""

import numpy as np
import pytest

from explorer.data.dataset import DataError, Dataset, Split, hold_out
from explorer.data.sources import digits

# facts that must not drift: every number of the zoo was measured on these very images
TRAIN_SHA256 = "2f05ecbda98164f8b1c0de98143ea00a8e09071fbd5cff1622dc657cfb9d97fd"
TEST_SHA256 = "bf91217a4f578a792c51ed732320207653e0f5bbfd7048d5579f182633a0c50a"


def rows(split):
    """Each image with its label, as bytes that can be counted."""
    return [image.tobytes() + bytes([label]) for image, label in zip(split.images, split.labels, strict=True)]


def small_split(count=4, channels=1):
    images = np.arange(count * channels * 4, dtype=np.uint8).reshape(count, channels, 2, 2)
    return Split(images, np.arange(count, dtype=np.int64) % 2)


def test_the_digits_split_does_not_drift():
    assert digits().split("train").sha256 == TRAIN_SHA256
    assert digits().split("test").sha256 == TEST_SHA256


def test_digits_have_the_counts_and_the_range_they_claim():
    train, test = digits().split("train"), digits().split("test")

    assert (len(train.labels), len(test.labels)) == (1437, 360)
    assert train.images.shape[1:] == test.images.shape[1:] == (1, 8, 8)
    for split in (train, test):
        assert (split.images.min(), split.images.max()) == (0, digits().pixel_max)
        assert set(split.labels) == set(range(10))


def test_the_digits_splits_are_disjoint_and_cover_the_set():
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    every = [
        image.astype(np.uint8).tobytes() + bytes([label]) for image, label in zip(images, labels, strict=True)
    ]

    ours = rows(digits().split("train")) + rows(digits().split("test"))

    assert len(set(every)) == len(every)  # no image twice, so that disjoint can be read from the pixels
    assert sorted(ours) == sorted(every)


def test_hold_out_is_disjoint_and_covers_the_training_split():
    held = hold_out(digits(), 0.2, seed=3)
    train, validation = rows(held.split("train")), rows(held.split("test"))

    assert len(validation) == round(0.2 * 1437)
    assert not set(train) & set(validation)
    assert sorted(train + validation) == sorted(rows(digits().split("train")))
    assert (held.classes, held.pixel_max, held.flips) == (digits().classes, 16, False)


def test_hold_out_follows_the_seed():
    first, again, other = (hold_out(digits(), 0.2, seed).split("test").sha256 for seed in (1, 1, 2))

    assert first == again != other


def test_hash_sees_pixels_labels_and_shape():
    split = small_split()
    brighter = Split(split.images + np.uint8(1), split.labels)
    relabelled = Split(split.images, 1 - split.labels)
    reshaped = Split(split.images.reshape(4, 1, 1, 4), split.labels)
    same = Split(np.asfortranarray(split.images), split.labels.copy())

    assert len({item.sha256 for item in (split, brighter, relabelled, reshaped)}) == 4
    assert same.sha256 == split.sha256


def test_channel_stats_are_those_of_the_training_pixels():
    dataset = Dataset("made", "Made", ("a", "b"), {"train": lambda: small_split(6, 3)}, pixel_max=100)

    mean, std = dataset.channel_stats()

    for channel in range(3):
        values = [float(v) / 100 for v in small_split(6, 3).images[:, channel].ravel()]
        expected = sum(values) / len(values)
        assert mean[channel] == pytest.approx(expected)
        assert std[channel] == pytest.approx((sum((v - expected) ** 2 for v in values) / len(values)) ** 0.5)


def test_a_constant_channel_can_be_divided_by():
    flat = Split(np.full((2, 1, 2, 2), 7, np.uint8), np.array([0, 1]))

    assert Dataset("flat", "Flat", ("a", "b"), {"train": lambda: flat}).channel_stats()[1][0] > 0


@pytest.mark.parametrize(
    ("images", "labels"),
    [
        (np.zeros((2, 1, 4, 4), np.float32), np.zeros(2, np.int64)),
        (np.zeros((2, 4, 4), np.uint8), np.zeros(2, np.int64)),
        (np.zeros((2, 1, 4, 4), np.uint8), np.zeros(3, np.int64)),
        (np.zeros((0, 1, 4, 4), np.uint8), np.zeros(0, np.int64)),
    ],
)
def test_arrays_that_do_not_belong_together_are_refused(images, labels):
    with pytest.raises(DataError):
        Split(images, labels)


def test_a_missing_split_is_named_with_those_that_exist():
    with pytest.raises(DataError, match=r"no split 'validation'\. It has train, test"):
        digits().split("validation")


@pytest.mark.parametrize("label", [-1, 2])
def test_labels_without_a_class_are_refused(label):
    split = Split(np.zeros((1, 1, 2, 2), np.uint8), np.array([label]))

    with pytest.raises(DataError, match="between 0 and 1"):
        Dataset("made", "Made", ("a", "b"), {"test": lambda: split}).split("test")


def test_a_split_is_read_once_and_only_when_asked_for():
    reads = []
    dataset = Dataset("made", "Made", ("a", "b"), {"train": lambda: reads.append(1) or small_split()})

    assert reads == []
    assert dataset.split("train") is dataset.split("train")
    assert reads == [1]
