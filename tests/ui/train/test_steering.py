"""What can be asked of a run, also while it has not come to what it was asked before."""

import pytest

from explorer.ui.train.steering import _PLACES, PAUSE, RETRY, STOP, standing


@pytest.mark.parametrize(
    ("status", "command", "expected"),
    [
        ("running", "stop", "stopping"), ("running", "pause", "pausing"), ("running", None, "running"),
        ("running", "step", "running"), ("stopped", "stop", "stopped"), ("queued", None, "queued"),
    ],
)  # fmt: skip
def test_a_run_that_was_asked_stands_as_what_it_will_do(status, command, expected):
    assert standing({"status": status, "command": command}) == expected


def test_what_was_asked_is_not_asked_again():
    assert "stopping" not in STOP.fits
    assert "pausing" not in PAUSE.fits
    assert "pausing" in STOP.fits


def test_a_second_press_on_stop_never_meets_the_button_that_throws_the_run_away():
    (place,) = [verbs for verbs in _PLACES if RETRY in verbs]
    assert place == (RETRY,)
