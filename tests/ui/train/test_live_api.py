"""The feed of watched runs: made once for all who ask, and not too often; nobody waits for a newer one."""

import gzip
import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from explorer.charts.live import LiveStyle
from explorer.ui.train import live_api
from explorer.ui.train.live_api import ResponseCache
from explorer.ui.train.live_snapshot import LiveQuery, LiveQueryError

ONE = LiveQuery(("a",), (), LiveStyle(), False)
OTHER = LiveQuery(("b",), (), LiveStyle(), True)


class Clock:
    """Seconds that pass as the test says."""

    def __init__(self, monkeypatch):
        self.now = 100.0
        monkeypatch.setattr(live_api.time, "monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch):
    return Clock(monkeypatch)


def counting(clock, takes=0.0, wait_ms=400):
    made = []

    def make(query):
        clock.now += takes
        made.append(query)
        return json.dumps({"count": len(made)}), wait_ms

    return made, ResponseCache(make)


def test_all_who_ask_within_a_moment_get_what_was_made_once(clock):
    made, told = counting(clock)

    answers = {told.get(ONE).version for _ in range(20)}
    told.get(OTHER)
    clock.now += 0.4
    later = told.get(ONE)

    assert made == [ONE, OTHER, ONE]
    assert len(answers) == 1
    assert later.version not in answers
    assert json.loads(gzip.decompress(later.body)) == {"version": later.version, "count": 3}


def test_nobody_is_told_what_was_before_a_run_was_steered(clock):
    made, told = counting(clock)

    told.get(ONE)
    told.invalidate()
    told.get(ONE)

    assert made == [ONE, ONE]


def test_the_same_content_has_the_same_version(clock):
    told = ResponseCache(lambda query: ('{"drawn":"x"}', 400))

    first = told.get(ONE)
    clock.now += 1

    assert told.get(ONE) is not first
    assert told.get(ONE).version == first.version


def test_what_takes_long_is_made_less_often(clock):
    made, told = counting(clock, takes=0.2)

    told.get(ONE)
    clock.now += 0.7
    told.get(ONE)
    assert len(made) == 1
    clock.now += 0.2
    told.get(ONE)
    assert len(made) == 2


def test_who_comes_while_a_new_one_is_made_takes_the_one_before(clock):
    begun, go_on = threading.Event(), threading.Event()

    def make(query):
        if begun.is_set():
            return '{"count":0}', 400
        if made:
            begun.set()
            assert go_on.wait(10)
        made.append(query)
        return f'{{"count":{len(made)}}}', 400

    made, told = [], ResponseCache(make)
    first = told.get(ONE)
    clock.now += 1
    with ThreadPoolExecutor(1) as pool:
        renewing = pool.submit(told.get, ONE)
        assert begun.wait(10)
        assert told.get(ONE) is first
        go_on.set()
        assert renewing.result(10) is not first


def test_what_was_made_longest_ago_is_forgotten(clock):
    """Whoever may ask may ask of any runs: what is kept of their answers is bounded."""
    _, told = counting(clock)
    views = [LiveQuery((f"run-{number}",), (), LiveStyle(), False) for number in range(live_api._MOST + 1)]

    for query in views[:-1]:
        told.get(query)
    clock.now += 1
    told.get(views[0])  # made again, so that the second is the oldest
    told.get(views[-1])
    assert told.peek(views[0])
    assert told.peek(views[-1])
    assert told._last(views[1]) is None
    assert told._last(views[2])


def test_work_of_long_ago_makes_nobody_wait(clock):
    """Answers share a fifth of one core, counted over the last seconds alone."""
    made, told = counting(clock, takes=0.5)
    told.get(OTHER)
    clock.now += live_api._RECENT_S + 0.1
    told.get(ONE)
    clock.now += 2.6  # five times its own half second; with the other's it would be five seconds
    told.get(ONE)

    assert made == [OTHER, ONE, ONE]


def test_a_view_that_cannot_be_made_takes_no_other_with_it(clock):
    def make(query):
        if query is ONE:
            raise LiveQueryError("no such runs")
        return "{}", 400

    told = ResponseCache(make)

    with pytest.raises(LiveQueryError):
        told.get(ONE)
    assert told.get(OTHER)


def test_who_waits_for_the_first_step_gets_it_sooner_and_nothing_stays_long(clock):
    for wait_ms, stays in ((150, 0.13), (3000, 0.36)):
        made, told = counting(clock, wait_ms=wait_ms)
        told.get(ONE)
        clock.now += stays
        told.get(ONE)
        assert len(made) == 2
