"""Jobs: who may ask for what in which state, and whose turn it is."""

import os
import time
from dataclasses import replace

import pytest

from explorer.jobs import actions, run_queue
from explorer.nets.spec import NetSpec
from explorer.runs.store import LostRunError, UnknownRunError
from explorer.system.processes import Process, this_process
from explorer.training.estimates import DoesNotFitError
from explorer.training.recipe import Recipe

SPEC = NetSpec(depth=8, width=4, in_channels=1)
RECIPE = Recipe(epochs=2, batch_size=50, device="cpu")
ALL = ("queued", "running", "paused", "done", "stopped", "failed", "interrupted")


def status(store, run_id):
    return store.get_state(run_id).status


@pytest.fixture
def run_in(store, make_run):
    """A run in a given state; a running one is held by this process."""

    def make(state, run_id="run", **more):
        held = this_process().values if state == "running" else {}
        store.add_run(make_run(run_id, status=state), **held | more)
        return run_id

    return make


def test_a_submitted_run_waits_with_what_is_known_of_it(store):
    run_id = actions.submit(store, SPEC, RECIPE, "digits", owner="me", group="twins")

    state, run = store.get_state(run_id), store.get_run(run_id)
    assert (state.status, state.data, state.owner, state.group_id) == ("queued", "digits", "me", "twins")
    assert (run.spec, run.recipe, run.dataset, run.epochs) == (SPEC, RECIPE, "digits", RECIPE.epochs)
    row = actions.states(store).iloc[0]
    assert tuple(row.index) == actions.STATE_COLUMNS
    assert (row["place"], row["epoch"], row["iteration"]) == (1, -1, -1)


def test_a_folder_is_kept_with_its_whole_path(store, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "images" / "cats").mkdir(parents=True)
    run_id = actions.submit(store, SPEC, RECIPE, "images/cats:50")
    assert store.get_state(run_id).data == str(tmp_path / "images" / "cats:50")
    assert store.get_run(run_id).dataset == "cats:50"
    assert store.get_state(actions.submit(store, SPEC, RECIPE, "digits-small")).data == "digits-small"


def test_runs_started_together_are_one_group_or_none(store):
    first, second = actions.submit_all(store, [(SPEC, RECIPE), (SPEC.twin, RECIPE)])
    assert store.get_state(first).group_id == store.get_state(second).group_id != None  # noqa: E711
    huge = (NetSpec(depth=110, width=128), replace(RECIPE, batch_size=60_000))
    with pytest.raises(DoesNotFitError, match=r"needs about .* GiB.*smaller batch"):
        actions.submit_all(store, [(SPEC, RECIPE), huge])
    assert len(store.runs()) == 2


@pytest.mark.parametrize(
    ("verb", "ends"),
    [
        (actions.pause, {"queued": "paused", "running": "running", "paused": "paused"}),
        (actions.resume, dict.fromkeys(ALL, "queued") | {"running": "running", "done": None}),
        (actions.step_epoch, dict.fromkeys(ALL, "queued") | {"running": "running", "done": None}),
        (actions.stop, dict.fromkeys(("queued", "paused", "interrupted", "stopped"), "stopped")
         | {"running": "running"}),
        (actions.retry, dict.fromkeys(("failed", "stopped", "interrupted", "queued"), "queued")),
    ],
)  # fmt: skip
def test_each_verb_is_for_some_states_and_refused_in_words_in_the_others(store, run_in, verb, ends):
    for state in ALL:
        run_id = run_in(state, f"run-{state}")
        if ends.get(state) is None:
            with pytest.raises(actions.JobError, match=f"run-{state} is {state}; .* is for runs that are"):
                verb(store, run_id)
            assert status(store, run_id) == state
        else:
            verb(store, run_id)
            assert status(store, run_id) == ends[state]


def test_a_running_run_is_asked_and_a_waiting_one_changed(store, run_in):
    running, waiting = run_in("running", "a"), run_in("paused", "b")
    for verb, command in ((actions.pause, "pause"), (actions.step_epoch, "step"), (actions.stop, "stop")):
        verb(store, running)
        assert store.get_state(running).command == command
    actions.step_epoch(store, waiting)
    assert (status(store, waiting), store.get_state(waiting).command) == ("queued", "step")
    actions.resume(store, waiting)
    actions.pause(store, waiting)
    assert store.get_state(waiting).command is None


def test_a_retry_is_another_attempt(store, run_in):
    run_id = run_in("failed", reason="No memory.")
    actions.retry(store, run_id)
    state = store.get_state(run_id)
    assert (state.status, state.attempt, state.reason) == ("queued", 2, None)


def test_a_deleted_run_is_hidden_stopped_and_can_be_restored(store, run_in):
    for state in ALL:
        actions.delete(store, run_in(state, state))
    assert len(store.runs()) == len(actions.states(store)) == 0
    assert actions.places(store) == {}
    assert run_queue.take(store, this_process()) is None
    assert store.get_state("running").command == "stop"
    for state in ALL:
        actions.restore(store, state)
    assert len(store.runs()) == len(ALL)
    assert status(store, "queued") == status(store, "paused") == "stopped"
    with pytest.raises(UnknownRunError):
        actions.delete(store, "nobody")


def test_owners_take_turns(store):
    mine = [actions.submit(store, SPEC, RECIPE, owner="me") for _ in range(4)]
    hers = [actions.submit(store, SPEC, RECIPE, owner="her") for _ in range(2)]
    shell = actions.submit(store, SPEC, RECIPE)

    expected = [mine[0], hers[0], shell, mine[1], hers[1], mine[2], mine[3]]
    assert sorted(actions.places(store), key=actions.places(store).get) == expected
    assert [run_queue.take(store, this_process()).run.run_id for _ in expected] == expected
    assert run_queue.take(store, this_process()) is None


def test_who_comes_later_does_not_wait_for_all_runs_of_another(store):
    many = [actions.submit(store, SPEC, RECIPE, owner="many") for _ in range(5)]
    taken = [run_queue.take(store, this_process()).run.run_id for _ in range(2)]
    late = actions.submit(store, SPEC, RECIPE, owner="late")
    taken += [run_queue.take(store, this_process()).run.run_id for _ in range(2)]
    assert taken == [many[0], many[1], late, many[2]]


def test_a_run_whose_process_is_gone_is_interrupted(store, run_in):
    me = this_process()
    run_in("running", "alive")
    run_in("running", "reused", pid=me.pid, process_started=me.started - 100)
    run_in("running", "far", pid=1, process_started=1.0, host="elsewhere", heartbeat=1.0)
    run_in("running", "far-well", pid=1, process_started=1.0, host="elsewhere", heartbeat=time.time())
    run_in("running", "nobody", pid=None)
    found = actions.states(store).set_index("run_id")["status"].to_dict()
    assert found == {
        "alive": "running", "reused": "interrupted", "far": "interrupted", "far-well": "running",
        "nobody": "interrupted",
    }  # fmt: skip
    assert "Resume goes on" in store.get_state("reused").reason


def test_a_process_that_ended_and_was_not_waited_for_is_gone(store, run_in):
    pid = os.fork() if hasattr(os, "fork") else pytest.skip("needs fork")
    if pid == 0:
        os._exit(0)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    started = this_process().started
    try:
        import psutil

        started = psutil.Process(pid).create_time()
        run_in("running", "zombie", pid=pid, process_started=started)
        assert actions.states(store)["status"].tolist() == ["interrupted"]
    finally:
        os.waitpid(pid, 0)


def test_only_who_holds_a_run_may_write_it(store, records):
    run_id = actions.submit(store, SPEC, RECIPE)
    me = this_process()
    job = run_queue.take(store, me)
    store.add_epoch(run_id, records[0], me)
    run_queue.change_held(store, job, heartbeat=5.0)
    other = Process(me.pid, me.started + 1000, me.host)
    with pytest.raises(LostRunError):
        store.add_epoch(run_id, records[1], other)
    store.set_status(run_id, "running", "interrupted")
    with pytest.raises(LostRunError):
        store.add_epoch(run_id, records[1], me)
    with pytest.raises(LostRunError):
        run_queue.change_held(store, job, heartbeat=6.0)
    assert len(store.epochs([run_id])) == 1
