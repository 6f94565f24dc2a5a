"""Who takes which run: each once, also when many ask at once, and another one while one is being taken."""

import multiprocessing
import random

import pytest
import queue_processes as processes
from sqlalchemy import select

from explorer.jobs import run_queue
from explorer.runs import schema
from explorer.runs.store import Store
from explorer.system.processes import this_process

SPAWN = multiprocessing.get_context("spawn")


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, home):
    if request.param == "sqlite":
        return f"sqlite:///{home / 'runs.sqlite3'}"
    return request.getfixturevalue("postgres").fresh_url()


@pytest.fixture
def queued(url, make_run):
    """A store in which two owners wait with 12 runs each, the first owner's before the second's."""
    store = Store(url)
    for owner in "ab":
        for number in range(12):
            store.add_run(make_run(f"{owner}-{number:02d}", status="queued"), owner=owner)
    yield store
    store.close()


def test_many_who_take_at_once_get_each_run_once(queued, url):
    barrier, results = SPAWN.Barrier(4), SPAWN.Queue()
    takers = [SPAWN.Process(target=processes.take_all, args=(url, barrier, results)) for _ in range(4)]
    for taker in takers:
        taker.start()
    taken = [results.get(timeout=180) for _ in takers]
    for taker in takers:
        taker.join(60)
        assert taker.exitcode == 0
    assert sorted(run_id for part in taken for run_id in part) == sorted(queued.runs()["run_id"])


def test_owners_take_turns(queued):
    taken = []
    while job := run_queue.take(queued, this_process()):
        taken.append(job.run.run_id)
        queued.set_status(job.run.run_id, "running", "done")
    assert taken == [f"{owner}-{number:02d}" for number in range(12) for owner in "ab"]


@pytest.mark.parametrize("seed", range(5))
def test_the_first_few_are_those_of_the_whole_order(url, make_run, seed):
    chance, store = random.Random(seed), Store(url)
    for number in range(40):
        status = chance.choice(["queued", "queued", "done"])
        turn = None if status == "queued" else chance.randint(1, 1000)
        store.add_run(
            make_run(f"r{number}", status=status), owner=chance.choice([None, "a", "b", "c"]), turn=turn
        )
    states = {run_id: store.get_state(run_id) for run_id in store.runs()["run_id"]}
    queued = [(run_id, state.owner or "") for run_id, state in states.items() if state.status == "queued"]
    turns = {}
    for state in states.values():
        turns[state.owner or ""] = max(turns.get(state.owner or "", 0), state.turn or 0)
    expected = run_queue.fair_order(queued, turns)
    with store.database.reading() as connection:
        assert run_queue.waiting_order(connection) == expected
        for most in (1, 2, 5, 50):
            begin = run_queue.next_waiting(connection, most)
            assert begin == expected[: len(begin)]
            assert min(len(expected), 1) <= len(begin) <= most
    store.close()


def test_a_run_that_is_being_taken_holds_up_nobody(postgres, make_run):
    store = Store(postgres.fresh_url())
    for name in "ab":
        store.add_run(make_run(name, status="queued"))
    with store.database.writing() as connection:
        connection.execute(select(schema.runs).filter_by(run_id="a").with_for_update()).all()
        assert run_queue.take(store, this_process()).run.run_id == "b"
    store.close()


def test_a_run_whose_taking_was_not_answered_is_found_by_the_same_process(queued):
    """The database may go away between a commit and the word that it was done."""
    assert run_queue.taken_unknowingly(queued, this_process()) is None
    first = run_queue.take(queued, this_process())
    assert run_queue.taken_unknowingly(queued, this_process()).run.run_id == first.run.run_id
    queued.set_status(first.run.run_id, "running", "done")
    assert run_queue.taken_unknowingly(queued, this_process()) is None
