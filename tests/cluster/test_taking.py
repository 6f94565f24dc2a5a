"""Which task may train which run, how a cluster stands, and what is said where there is none; without Ray."""

import json
import os
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from explorer.cluster import settings
from explorer.cluster.settings import ClusterError
from explorer.cluster.start import start
from explorer.cluster.state import last_address, read_state, seconds_left, write_state
from explorer.cluster.training import take_for_task
from explorer.jobs import actions
from explorer.jobs.run_queue import KILLED, LostRunError, change_held
from explorer.runs.store import Store, UnknownRunError
from explorer.system.processes import this_process

ME = this_process()
OTHER = replace(ME, pid=ME.pid + 1)


@pytest.fixture
def queued(store, make_run):
    store.add_run(make_run("a", status="queued"))
    return store


def test_a_queued_run_is_taken_by_one_task(queued):
    job = take_for_task(queued, ME, "a", "first", "node-1")
    state = queued.get_state("a")
    assert (state.status, state.pid, state.task, state.node) == ("running", ME.pid, "first", "node-1")
    assert take_for_task(queued, OTHER, "a", "second", "node-2") is None
    change_held(queued, job, threads=1)


def test_a_task_that_is_begun_again_goes_on_and_its_forerunner_can_write_no_more(queued):
    before = take_for_task(queued, ME, "a", "first", "node-1")
    after = take_for_task(queued, OTHER, "a", "first", "node-2")
    change_held(queued, after, threads=1)
    with pytest.raises(LostRunError):
        change_held(queued, before, threads=2)
    assert queued.get_state("a").node == "node-2"


def test_what_was_asked_while_the_node_died_is_still_to_be_done(queued):
    take_for_task(queued, ME, "a", "first", "node-1")
    actions.pause(queued, "a")
    take_for_task(queued, OTHER, "a", "first", "node-2")
    assert queued.get_state("a").command == "pause"


@pytest.mark.parametrize(
    ("status", "reason", "task", "taken"),
    [
        ("interrupted", KILLED, "first", True),
        ("interrupted", KILLED, "second", False),
        ("interrupted", "The explorer was closed.", "first", False),
        ("stopped", None, "first", False),
        ("paused", None, "first", False),
        ("done", None, "first", False),
    ],
)
def test_a_run_that_ended_otherwise_is_left_alone(queued, status, reason, task, taken):
    take_for_task(queued, ME, "a", "first", "node-1")
    queued.set_status("a", "running", status, reason)
    assert (take_for_task(queued, OTHER, "a", task, "node-2") is not None) == taken


def test_a_deleted_run_is_not_begun_and_an_unknown_one_is_named(queued):
    actions.delete(queued, "a")
    assert take_for_task(queued, ME, "a", "first", "node-1") is None
    with pytest.raises(UnknownRunError, match="same EXPLORER_DATABASE_URL"):
        take_for_task(queued, ME, "b", "first", "node-1")


def test_how_a_cluster_stands_is_read_without_ray(queued):
    assert read_state(queued, "host:1") is None
    nodes = [{"node": f"node-{n}", "host": "h", "cpus": 2.0, "gpus": 0.0, "alive": True} for n in (1, 2)]
    write_state(queued, "host:1", nodes, "")
    write_state(queued, "host:1", nodes, "a problem")
    take_for_task(queued, ME, "a", "first", "node-2")
    found = read_state(queued, "host:1")
    assert found.nodes["runs"].tolist() == [[], ["a"]]
    assert (found.waiting, found.problem, found.is_fresh) == (0, "a problem", True)
    assert last_address(queued) == "host:1"


def test_time_left_counts_layers_and_what_is_done():
    def row(run_id, depth, iterations):
        settings = {"spec": {"depth": depth}, "recipe": {"batch_size": 10}}
        return {"run_id": run_id, "iterations": iterations, **settings}

    rows = [row("a", 10, 100), row("b", 20, 100), row("c", 10, 0)]
    assert seconds_left(rows, {}) is None
    assert seconds_left([], {}) == 0
    # 50 x 10 x 10 + 100 x 10 x 20 + 100 x 10 x 10 left, at 100 images of 10 layers a second
    assert seconds_left(rows, {"a": (50, 100.0)}) == pytest.approx(35_000 / 1000)


@pytest.mark.parametrize("wrong", ["nowhere", "host:", "ray://host:1", "host:port", "a b:1"])
def test_an_address_that_is_none_is_told(monkeypatch, wrong):
    monkeypatch.setenv("EXPLORER_CLUSTER", wrong)
    with pytest.raises(ClusterError, match="HOST:PORT"):
        settings.asked_cluster()


def test_without_a_cluster_nothing_is_asked(monkeypatch):
    for text in ("", "local"):
        monkeypatch.setenv("EXPLORER_CLUSTER", text)
        assert settings.asked_cluster() is None


def test_a_cluster_that_does_not_answer_is_told_at_once():
    begun = time.monotonic()
    with pytest.raises(ClusterError, match=r"127\.0\.0\.1:1 does not answer"):
        start("127.0.0.1:1")
    assert time.monotonic() - begun < 10


def test_machines_that_cannot_reach_the_runs_are_refused(store):
    settings.check_shared(store, [ME.host], None)
    with pytest.raises(ClusterError, match="EXPLORER_DATABASE_URL and EXPLORER_STORAGE"):
        settings.check_shared(store, [ME.host, "another"], None)


def test_nodes_are_told_where_the_runs_are_but_not_this_machines_workers(home, monkeypatch):
    monkeypatch.setenv("EXPLORER_WORKERS", "3")
    monkeypatch.setenv("EXPLORER_STORAGE", "s3://bucket")
    found = settings.settings()
    assert found["EXPLORER_HOME"] == str(home)
    assert found["EXPLORER_STORAGE"] == "s3://bucket"
    assert "EXPLORER_WORKERS" not in found


def test_the_shell_tells_what_is_missing(home):
    def shell(*words):
        command, environment = (
            [sys.executable, "-m", "explorer", *words],
            os.environ | {"EXPLORER_CLUSTER": ""},
        )
        return subprocess.run(command, capture_output=True, text=True, env=environment)

    assert "No cluster has trained these runs yet" in shell("cluster", "status").stderr
    assert "Say which cluster" in shell("cluster", "start").stderr
    store = Store()
    write_state(store, "host:1", [], "")
    store.close()
    told = json.loads(shell("cluster", "status", "--json").stdout)
    assert (told["cluster"], told["at_work"], told["queued"]) == ("host:1", True, 0)
