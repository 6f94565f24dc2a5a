"""Alone a page looks often; the more watch, the longer each waits, and who has left does not count."""

import time

import pytest

from explorer.ui import pacing


@pytest.fixture
def watching(monkeypatch):
    """So many other sessions, each seen so many seconds ago."""

    def there(count, ago=0.0):
        at = time.monotonic() - ago
        monkeypatch.setattr(pacing, "_seen", {str(number): at for number in range(count)})
        monkeypatch.setattr(pacing.st, "session_state", {})

    return there


def test_twenty_wait_longer_than_one(watching):
    watching(0)
    assert pacing.period_s() == pytest.approx(0.3)
    watching(19)
    assert pacing.period_s() == pytest.approx(0.5)


def test_who_has_left_is_forgotten(watching):
    watching(40, ago=6.0)

    assert pacing.period_s() == pytest.approx(0.3)
    assert len(pacing._seen) == 1


def test_a_page_changes_its_pace_only_when_many_come_or_go(watching):
    watching(19)
    assert pacing.is_far(0.3)
    assert not pacing.is_far(0.45)
    assert not pacing.is_far(None)
    watching(0)
    assert pacing.is_far(0.6)
