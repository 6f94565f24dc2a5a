"""Augmentation: the batched gather against a loop that pads, crops and mirrors one image at a time."""

import pytest
import torch

from explorer.data.augment import PAD, pad_crop_flip


def one_by_one(images, draws, *, flip):
    """The slow oracle."""
    cropped = []
    for image, (row, column, mirror) in zip(images, draws.tolist(), strict=True):
        channels, height, width = image.shape
        canvas = torch.zeros(channels, height + 2 * PAD, width + 2 * PAD)
        canvas[:, PAD : PAD + height, PAD : PAD + width] = image
        top, left = int(row * (2 * PAD + 1)), int(column * (2 * PAD + 1))
        crop = canvas[:, top : top + height, left : left + width]
        cropped.append(torch.flip(crop, dims=[2]) if flip and mirror < 0.5 else crop)
    return torch.stack(cropped)


def batch(shape=(40, 3, 8, 8), seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator), torch.rand(shape[0], 3, generator=generator)


@pytest.mark.parametrize("flip", [True, False])
@pytest.mark.parametrize("shape", [(40, 3, 8, 8), (7, 1, 5, 9), (1, 3, 32, 32)])
def test_equals_the_loop(shape, flip):
    images, draws = batch(shape)

    assert torch.equal(pad_crop_flip(images, draws, flip=flip), one_by_one(images, draws, flip=flip))


def test_memory_format_does_not_matter():
    images, draws = batch()

    ours = pad_crop_flip(images.contiguous(memory_format=torch.channels_last), draws, flip=True)

    assert torch.equal(ours, pad_crop_flip(images, draws, flip=True))


def test_the_draws_decide_alone():
    images, draws = batch()
    torch.manual_seed(1)
    first = pad_crop_flip(images, draws, flip=True)
    torch.manual_seed(2)

    assert torch.equal(pad_crop_flip(images, draws, flip=True), first)


def test_draws_in_the_middle_leave_the_image_alone():
    images, _ = batch()

    assert torch.equal(pad_crop_flip(images, torch.full((40, 3), 0.5), flip=True), images)


def test_without_flip_the_mirror_draw_says_nothing():
    images, draws = batch()
    mirrored, kept = draws.clone(), draws.clone()
    mirrored[:, 2], kept[:, 2] = 0.0, 0.99

    assert torch.equal(pad_crop_flip(images, mirrored, flip=False), pad_crop_flip(images, kept, flip=False))


@pytest.mark.parametrize(("draw", "shift"), [(0.0, -PAD), (0.999999, PAD)])
def test_extreme_draws_reach_the_full_padding_and_no_further(draw, shift):
    images, _ = batch()

    shifted = pad_crop_flip(images, torch.full((40, 3), draw), flip=False)

    inside = slice(PAD, None) if shift < 0 else slice(None, -PAD)
    source = slice(None, -PAD) if shift < 0 else slice(PAD, None)
    assert torch.equal(shifted[:, :, inside, inside], images[:, :, source, source])
    assert float(shifted.abs().sum()) == pytest.approx(
        float(images[:, :, source, source].abs().sum()), rel=1e-5
    )


def test_the_input_is_left_alone():
    images, draws = batch()
    before = images.clone()
    pad_crop_flip(images, draws, flip=True)

    assert torch.equal(images, before)
