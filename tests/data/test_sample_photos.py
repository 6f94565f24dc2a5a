"""Photographs that ship with dependencies: found without a download, and cut into small pictures."""

import sys

from explorer.data.sample_photos import CROPS, photograph, photograph_crops


def test_the_cat_comes_inside_a_wheel_and_nothing_that_downloads_is_asked():
    assert photograph("cat").label == "cat"
    assert "pooch" not in sys.modules


def test_crops_are_small_colour_pictures_of_all_photographs():
    crops = photograph_crops(32)
    assert crops.shape == (CROPS, 3, 32, 32)
    assert len({crop.tobytes() for crop in crops}) == CROPS
    assert min(crop.std() for crop in crops) > 2
