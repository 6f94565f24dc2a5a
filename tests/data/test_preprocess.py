"""What a net sees: sizes, channels and tone, against pictures whose answer is known."""

import numpy as np
import pytest
from PIL import Image

from explorer.data.preprocess import Picture, as_image, dataset_picture, fit
from explorer.data.sources import digits


def picture(array, **more):
    return Picture("test", "test", Image.fromarray(np.asarray(array, np.uint8)), **more)


def photograph(width=60, height=40, value=200):
    return picture(np.full((height, width, 3), value))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [8, 32, 224])
@pytest.mark.parametrize(("width", "height"), [(60, 40), (40, 60), (7, 300), (1, 1), (500, 500)])
def test_any_picture_fits_any_net(width, height, size, channels):
    seen = fit(photograph(width, height), size, channels, "as it is")

    assert seen.pixels.shape == (channels, size, size)
    assert seen.pixels.dtype == np.float32
    assert seen.pixels == pytest.approx(200 / 255, abs=0.003)


def test_a_dataset_image_is_shown_to_its_own_net_pixel_by_pixel():
    found = dataset_picture(digits(), "test", 3)

    seen = fit(found, 8, 1)

    assert np.array_equal(seen.pixels * 16, digits().split("test").images[3])
    assert found.label == str(digits().split("test").labels[3])
    assert "pixel by pixel" in seen.notes[0]


def test_a_digit_for_a_colour_net_becomes_larger_and_grey():
    seen = fit(dataset_picture(digits(), "test", 0), 32, 3)

    assert seen.pixels.shape == (3, 32, 32)
    assert np.array_equal(seen.pixels[0], seen.pixels[2])


@pytest.mark.parametrize("index", [-1, 360])
def test_an_image_that_is_not_there(index):
    with pytest.raises(IndexError, match="360 test images"):
        dataset_picture(digits(), "test", index)


def test_the_middle_is_kept():
    wide = np.zeros((40, 120, 3))
    wide[:, 40:80] = 255

    seen = fit(picture(wide), 32, 3)

    # the outermost pixels blend with the neighbours outside of the square
    assert seen.pixels[:, :, 2:-2].min() > 0.99
    assert any("33 % of the area" in note for note in seen.notes)


def test_large_nets_see_224_pixels_of_256():
    framed = np.full((256, 256, 3), 255)
    framed[16:240, 16:240] = 0

    assert fit(picture(framed), 224, 3).pixels.max() == 0


def test_fine_patterns_are_averaged_not_sampled():
    fine = np.indices((256, 256)).sum(0) % 2 * 255
    colours = np.repeat(fine[..., None], 3, 2)

    assert fit(picture(colours), 32, 3).pixels == pytest.approx(0.5, abs=0.02)


def test_brightness_weighs_green_most():
    seen = fit(picture(np.array([[[0, 255, 0]]])), 1, 1, "as it is")

    assert seen.pixels[0, 0, 0] == pytest.approx(0.587, abs=0.003)


def test_ink_on_paper_is_inverted_for_a_net_of_bright_strokes():
    ink = np.full((32, 32, 3), 240)
    ink[10:20, 14:18] = 10

    automatic, as_it_is, inverted = (
        fit(picture(ink), 8, 1, tone) for tone in ("auto", "as it is", "inverted")
    )

    assert np.array_equal(automatic.pixels, inverted.pixels)
    assert np.allclose(as_it_is.pixels, 1 - inverted.pixels)
    assert any("Inverted" in note for note in automatic.notes)
    assert not any("Inverted" in note for note in as_it_is.notes)


def test_chalk_on_a_board_is_not_inverted():
    chalk = np.full((32, 32, 3), 10)
    chalk[10:20, 14:18] = 240

    assert not any("Inverted" in note for note in fit(picture(chalk), 8, 1).notes)


def test_pixels_survive_as_a_picture():
    pixels = np.linspace(0, 1, 12, dtype=np.float32).reshape(3, 2, 2)

    back = np.asarray(as_image(pixels)).transpose(2, 0, 1) / 255

    assert np.abs(back - pixels).max() <= 0.5 / 255 + 1e-6
