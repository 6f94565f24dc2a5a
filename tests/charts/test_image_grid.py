"""Pictures by class and bars of counts: names, places, units."""

import pandas as pd

from explorer.charts.image_grid import ImageGrid, class_counts, image_grid, short


def test_rows_are_named_at_their_middle_and_each_image_can_be_pointed_at():
    figure = image_grid(ImageGrid("data:,", 2, 3, 10), ["cat", "dog"], list("abcdef"), "images of each class")
    image, about = figure.data

    assert (image.x0, image.dx, image.zsmooth) == (0.5, 1, None)
    assert list(zip(about.x, about.y, about.text, strict=True))[3] == (5, 15, "d")
    assert (figure.layout.yaxis.tickvals, figure.layout.yaxis.ticktext) == ((5, 15), ("cat", "dog"))
    assert (figure.layout.xaxis.range, figure.layout.yaxis.range) == ((0, 30), (20, 0))
    assert figure.layout.xaxis.title.text == "images of each class"


def test_bars_tell_training_and_test_by_pattern_and_words():
    counts = pd.DataFrame(
        {"class": ["cat", "dog"] * 2, "split": ["train"] * 2 + ["test"] * 2, "images": [1500, 7, 3, 2]}
    )
    figure = class_counts(counts, 1500)
    training, test = figure.data

    assert (training.name, test.name) == ("training", "test")
    assert (training.marker.pattern.shape, test.marker.pattern.shape) == ("/", None)
    assert training.text == ("1,500 training", "7 training")
    assert figure.layout.xaxis.title.text == "images"
    assert figure.layout.yaxis.ticktext == ("cat", "dog")


def test_two_long_names_that_begin_alike_stay_two_rows():
    names = ["aquarium_fish_one", "aquarium_fish_two"]
    counts = pd.DataFrame({"class": names, "split": ["train"] * 2, "images": [1, 2]})
    figure = class_counts(counts, 2)

    assert short(names[0]) == short(names[1]) == "aquarium_fi…"
    assert figure.data[0].y == (0, 1)
