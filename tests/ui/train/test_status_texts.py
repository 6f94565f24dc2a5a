"""What is told of a run: an estimate that was far off is said to be corrected."""

import pytest

from explorer.ui.train.status_texts import correction


@pytest.mark.parametrize(
    ("rate", "expected", "said"),
    [
        (100.0, 700.0, "7.0 times slower than estimated; the time left is corrected"),
        (300.0, 100.0, "3.0 times faster than estimated; the time left is corrected"),
        (100.0, 140.0, ""),
        (140.0, 100.0, ""),
        (0.0, 100.0, ""),
        (100.0, None, ""),
    ],
)
def test_an_estimate_far_off_is_followed_by_a_corrected_one(rate, expected, said):
    assert correction(rate, expected) == said
