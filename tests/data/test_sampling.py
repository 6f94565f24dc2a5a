"""Parts of a dataset: balanced over classes, the same for the same words, and never both parts at once."""

import numpy as np
import pytest
from image_files import encoded, write_images

from explorer.data.dataset import DataError
from explorer.data.sampling import balanced, parted, subset
from explorer.data.sources import digits, open_dataset


def test_each_class_comes_equally_often_as_far_as_it_goes():
    labels = np.repeat([0, 1, 2], [50, 50, 3])

    assert np.bincount(labels[balanced(labels, 9)]).tolist() == [3, 3, 3]
    assert np.bincount(labels[balanced(labels, 23)]).tolist() == [10, 10, 3]
    assert balanced(labels, 103).tolist() == list(range(103))


def test_a_smaller_choice_is_part_of_a_larger_and_another_seed_is_another():
    labels = np.arange(200) % 7
    small, large = balanced(labels, 30), balanced(labels, 90)

    assert set(small) <= set(large)
    assert small.tolist() == sorted(set(small)) == balanced(labels, 30).tolist()
    assert small.tolist() != balanced(labels, 30, seed=1).tolist()


def test_a_subset_by_name_says_what_it_is():
    few = open_dataset("digits:100")

    assert (few.id, few.pixel_max, few.flips) == ("digits-100", 16, False)
    assert few.title == "Digits (scikit-learn, 8x8), 100 training images (class-balanced, seed 0)"
    assert np.bincount(few.split("train").labels).tolist() == [10] * 10
    assert few.split("test").sha256 == digits().split("test").sha256


@pytest.mark.parametrize(("name", "said"), [("digits:9", "fewer than the 10"), ("digits:1438", "not 1,438")])
def test_subsets_that_cannot_be(name, said):
    with pytest.raises(DataError, match=said):
        open_dataset(name).split("train")


def test_a_path_may_be_cut_too(tmp_path):
    for split in ("train", "test"):
        for number in range(4):
            write_images(tmp_path / split, {f"{name}/{number}.png": encoded() for name in "ab"})

    assert len(open_dataset(f"{tmp_path}:4").split("train").labels) == 4


def test_two_parts_of_one_split_share_nothing_and_lose_nothing():
    whole = subset(digits(), 500)
    single = type(whole)(**{**vars(whole), "readers": {"test": lambda: whole.split("train")}, "_read": {}})
    made = parted(single, 0.2)
    parts = [[image.tobytes() for image in made.split(name).images] for name in ("train", "test")]

    assert sorted(parts[0] + parts[1]) == sorted(image.tobytes() for image in whole.split("train").images)
    assert np.bincount(made.split("test").labels).tolist() == [10] * 10


def test_a_class_of_one_image_cannot_be_parted(tmp_path):
    write_images(tmp_path, {"a/1.png": encoded(), "a/2.png": encoded(), "b/1.png": encoded()})

    with pytest.raises(DataError, match=r"'b' of .* has 1 image"):
        parted(open_dataset(str(tmp_path)), 0.2).split("train")
