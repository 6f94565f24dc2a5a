"""Scales that a person gives: in pixels from 0 to 1, or refused with those that were probably meant."""

import pytest

from explorer.nets.normalisation import Normalisation, given


@pytest.mark.parametrize(
    ("mean", "std", "meant"),
    [
        (
            (123.675, 116.28, 103.53),
            (58.395, 57.12, 57.375),
            "--mean 0.485,0.456,0.406 --std 0.229,0.224,0.225",
        ),
        ((125.3, 123.0, 113.9), (63.0, 62.1, 66.7), "--mean 0.4914,0.4824,0.4467"),
        ((0.0,), (255.0,), "--mean 0 --std 1"),
        ((127.5,), (127.5,), "--mean 0.5 --std 0.5"),
    ],
)
def test_values_of_255ths_are_refused_with_what_was_meant(mean, std, meant):
    with pytest.raises(ValueError, match="0 to 255") as refused:
        given(mean, std)
    assert meant in str(refused.value)


@pytest.mark.parametrize(
    ("mean", "std"), [((0.5,), (0.25,)), ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)), ((-1.0,), (2.0,))]
)
def test_values_of_pixels_in_0_to_1_are_taken(mean, std):
    assert given(mean, std) == Normalisation(mean, std)


def test_nothing_given_is_nothing_and_one_alone_is_refused():
    assert given(None, None) is None
    for mean, std in (((0.5,), None), (None, (0.5,))):
        with pytest.raises(ValueError, match="together"):
            given(mean, std)
