"""How long a computation still takes, from its beginning or from where it was stopped."""

import pytest

from explorer.ui.components.computation import seconds_left


def test_what_goes_on_is_judged_by_what_it_did_since():
    assert seconds_left(10, 0.0, 0.25) == pytest.approx(30)
    assert seconds_left(10, 0.5, 0.75) == pytest.approx(10)
    assert seconds_left(1, 0.5, 0.51) is None
