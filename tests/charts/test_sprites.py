"""Maps as colours and tiles, and the answers after each block: what is drawn is what was measured."""

import numpy as np
import pytest

from explorer.charts.activations import (
    AnswerTable,
    answer_table,
    answers_over_blocks,
    describe_answers,
    histogram,
    large_map,
    leads_from,
)
from explorer.charts.sprites import own_scale, resampled, shades, sprite
from explorer.charts.words import number

READOUT = np.array([[0.2, 0.5, 0.3], [0.6, 0.3, 0.1], [0.1, 0.8, 0.1], [0.05, 0.9, 0.05]])


def answers():
    return AnswerTable(answer_table(READOUT, ("cat", "dog", "owl"), [1, 0]), ("dog", "cat"), "residual")


def brightness(rgb):
    return rgb.astype(float) @ [0.299, 0.587, 0.114]


def test_shades_grow_brighter_with_the_value_and_stop_at_both_ends():
    found = brightness(shades(np.array([[-5.0, 0.0, 0.5, 1.0, 1.5, 2.0, 9.0]]), 2.0))[0]

    assert (np.diff(found[1:6]) > 0).all()
    assert found[0] == found[1]
    assert found[5] == found[6]


@pytest.mark.parametrize("top", [0.0, 1.0])
def test_an_empty_map_is_dark(top):
    assert len(np.unique(shades(np.zeros((3, 3)), top).reshape(-1, 3), axis=0)) == 1


def test_half_precision_gives_the_same_colours():
    values = np.linspace(0, 60_000, 64).reshape(8, 8)

    assert np.abs(shades(values, 6e4).astype(int) - shades(values.astype(np.float16), 6e4)).max() <= 4


def test_each_map_reaches_from_0_to_1_on_its_own_scale():
    found = own_scale(np.array([[[0.0, 4.0]], [[0.0, 0.0]], [[1.0, 2.0]]]))

    assert found.max(axis=(1, 2)).tolist() == [1, 0, 1]


def test_pixels_are_repeated_not_blurred():
    tile = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)

    assert np.array_equal(resampled(tile, 4), tile.repeat(2, 0).repeat(2, 1))


def test_tiles_of_any_size_stand_beside_each_other():
    tiles = [np.full((side, side, 3), side, np.uint8) for side in (2, 8, 40)]

    found = sprite(tiles, 32)

    assert found.shape == (32, 96, 3)
    assert found[0, [0, 31, 32, 95], 0].tolist() == [2, 2, 8, 40]


def test_lines_are_the_probabilities_and_the_block_is_marked():
    figure = answers_over_blocks(answers(), 2)
    lines = {trace.name: trace for trace in figure.data}

    assert list(lines["dog"].y) == pytest.approx(READOUT[:, 1])
    assert list(lines["cat"].y) == pytest.approx(READOUT[:, 0])
    assert list(lines["dog"].x) == [0, 1, 2, 3]
    assert lines["dog"].line.width > lines["cat"].line.width
    assert figure.layout.shapes[0].x0 == 2
    assert "probability" in figure.layout.yaxis.title.text
    assert "block" in figure.layout.xaxis.title.text


def test_the_chart_in_words():
    assert describe_answers(answers()).endswith("dog goes from 50% to 90%.")
    assert "3 blocks" in describe_answers(answers())


@pytest.mark.parametrize(("rows", "first"), [([0, 1, 2, 3], 2), ([0, 2, 3], 0), ([1, 3], 1), ([3], 0)])
def test_an_answer_leads_from_the_block_after_which_no_other_does(rows, first):
    assert leads_from(READOUT[rows]) == first


def test_a_map_is_drawn_on_a_scale_centred_at_zero():
    heat = large_map(np.array([[-3.0, 1.0]])).data[0]

    assert (heat.zmin, heat.zmax) == (-3, 3)
    assert large_map(np.zeros((2, 2))).data[0].zmax == 1


def test_every_pixel_is_counted():
    values = np.random.default_rng(0).normal(size=(16, 16))

    assert sum(histogram(values).data[0].y) == 256
    assert sum(histogram(np.zeros((4, 4))).data[0].y) == 16


@pytest.mark.parametrize(
    ("value", "said"),
    [(0.01251, "0.0125"), (-3.14159, "−3.14"), (54213.7, "54,214"), (0.0, "0"), (-1200.4, "−1,200")],
)
def test_numbers_keep_three_digits(value, said):
    assert number(value) == said
