"""What visitors may queue: so many runs in an hour, so many that wait, none that is too long."""

import threading
from dataclasses import replace

import pytest

from explorer.jobs import actions, run_limits
from explorer.nets.spec import NetSpec
from explorer.runs.status import Action
from explorer.runs.store import Store
from explorer.system.limits import LimitError
from explorer.training.recipe import Recipe

SPEC, RECIPE = NetSpec(depth=8, width=4, in_channels=1), Recipe(epochs=2, device="cpu")


def order(store, count=1, owner="me", **more):
    wanted = [(SPEC, replace(RECIPE, seed=seed, **more)) for seed in range(count)]
    return actions.submit_all(store, wanted, "digits", owner=owner, visitor=True)


def test_runs_of_an_hour_are_counted_by_owner_and_none_is_kept_of_an_order_too_large(store, monkeypatch):
    monkeypatch.setenv("EXPLORER_MAX_RUNS_PER_HOUR", "3")
    first = order(store, 2)
    with pytest.raises(LimitError, match=r"at most 3 runs .*; you have started 2 .* start 2"):
        order(store, 2)
    assert len(store.listing()) == 2
    order(store, owner="another")
    actions.delete(store, first[0])  # deleting is no way round
    order(store, 1)
    with pytest.raises(LimitError):
        order(store, 1)


def test_runs_of_an_earlier_hour_are_forgotten(store, make_run, monkeypatch):
    monkeypatch.setenv("EXPLORER_MAX_RUNS_PER_HOUR", "1")
    store.add_run(make_run("old", created="2020-01-01T00:00:00+00:00"), owner="me")
    order(store)


def test_the_queue_is_bounded_for_all_together(store, monkeypatch):
    monkeypatch.setenv("EXPLORER_MAX_QUEUE", "2")
    waiting = [*order(store), *order(store, owner="another")]
    with pytest.raises(LimitError, match="At most 2 runs may wait on this server; 2 wait now"):
        order(store, owner="a third")
    actions.pause(store, waiting[0])
    order(store, owner="a third")
    with pytest.raises(LimitError, match="2 wait now"):
        run_limits.check_action(store, "me", Action.RESUME, "paused")
    run_limits.check_action(store, "me", Action.RESUME, "queued")  # waits already
    run_limits.check_action(store, "me", Action.STOP, "paused")


def test_a_retry_counts_as_a_run(store, monkeypatch):
    monkeypatch.setenv("EXPLORER_MAX_RUNS_PER_HOUR", "2")
    (run_id,) = order(store)
    actions.stop(store, run_id)
    run_limits.check_action(store, "me", Action.RETRY, "stopped")
    actions.retry(store, run_id)
    with pytest.raises(LimitError, match="you have started 2"):
        run_limits.check_action(store, "me", Action.RETRY, "stopped")


def test_two_who_order_at_once_do_not_both_get_the_last_place(store, monkeypatch):
    monkeypatch.setenv("EXPLORER_MAX_QUEUE", "3")
    others, refused, together = [Store() for _ in range(4)], [], threading.Barrier(4)

    def one(mine, owner):
        together.wait()
        try:
            order(mine, 2, owner)
        except LimitError as error:
            refused.append(error)

    threads = [threading.Thread(target=one, args=(mine, str(n))) for n, mine in enumerate(others)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(refused), len(store.listing())) == (3, 2)
    for other in others:
        other.close()


@pytest.mark.parametrize(
    ("data", "more", "steps"),
    [("digits", {}, "22"), ("digits:300", {"batch_size": 10}, "60"), ("digits", {"iterations": 77}, "77")],
)
def test_a_run_of_too_many_steps_is_refused_with_their_number(store, monkeypatch, data, more, steps):
    monkeypatch.setenv("EXPLORER_MAX_STEPS", "21")
    wanted = [(SPEC, replace(RECIPE, **more))]
    with pytest.raises(LimitError, match=f"at most 21 steps, and this one would take {steps}"):
        actions.submit_all(store, wanted, data, owner="me", visitor=True)
    monkeypatch.setenv("EXPLORER_MAX_STEPS", steps)
    actions.submit_all(store, wanted, data, owner="me", visitor=True)


def test_a_dataset_whose_steps_cannot_be_counted_is_refused(store, monkeypatch):
    monkeypatch.setenv("EXPLORER_PROFILE", "internet")
    with pytest.raises(LimitError, match="cannot count those of a run on 'unknown'"):
        actions.submit_all(store, [(SPEC, RECIPE)], "unknown", owner="me", visitor=True)


def test_a_shell_is_not_bound(store, monkeypatch):
    for variable in ("EXPLORER_MAX_QUEUE", "EXPLORER_MAX_STEPS", "EXPLORER_MAX_RUNS_PER_HOUR"):
        monkeypatch.setenv(variable, "0")
    actions.submit(store, SPEC, RECIPE, "digits")
    assert len(store.listing()) == 1
