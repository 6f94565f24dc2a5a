"""Workers as real processes: taken once, ended cleanly, outliving a killed app, and one set per folder."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from explorer.jobs import actions, worker, worker_pool
from explorer.jobs.worker import WorkerOptions, work
from explorer.jobs.worker_pool import WorkerPool, worker_count, worker_threads
from explorer.nets.spec import NetSpec
from explorer.runs import maintenance
from explorer.runs.database import StoreDamagedError, StoreGoneError, backup_path
from explorer.runs.store import Store, UnknownRunError
from explorer.system.processes import lives, this_process
from explorer.training.recipe import Recipe

DATA = "digits-small"
SPEC = NetSpec(depth=8, width=4)
RECIPE = Recipe(epochs=1, batch_size=50, device="cpu")
LONG = replace(RECIPE, epochs=9000)


def eventually(condition, seconds=90):
    """Waits for something that other processes do; generous, since the machine may be busy."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.1)


def statuses(store):
    return actions.states(store)["status"].tolist()


@pytest.fixture
def started():
    """Starts processes that are ended with the test."""
    running = []

    def start(*words):
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
        running.append(subprocess.Popen([sys.executable, *words], env=environment))
        return running[-1]

    yield start
    for process in running:
        process.kill()
        process.wait()


def test_a_worker_works_the_queue_off_in_fair_order(store):
    lines = []
    mine = [actions.submit(store, SPEC, RECIPE, DATA, owner="me") for _ in range(2)]
    hers = actions.submit(store, SPEC, RECIPE, DATA, owner="her")
    assert work(store, WorkerOptions(until_idle=True, said=lines.append)) == 3
    assert statuses(store) == ["done"] * 3
    assert [line for line in lines if "starts" in line] == [
        f"{run_id}: starts" for run_id in (mine[0], hers, mine[1])
    ]


def test_a_worker_goes_on_after_a_run_that_failed(store):
    actions.submit(store, SPEC, RECIPE, "nowhere")
    actions.submit(store, SPEC, RECIPE, DATA)
    assert work(store, WorkerOptions(until_idle=True, said=lambda _line: None)) == 2
    assert statuses(store) == ["failed", "done"]
    assert "'nowhere' is not a dataset" in actions.states(store)["reason"].iloc[0]


def test_an_idle_worker_leaves_with_its_parent(store):
    process = subprocess.Popen([sys.executable, "-c", ""])
    started = psutil.Process(process.pid).create_time()
    process.wait()
    assert work(store, WorkerOptions(parent=(process.pid, started))) == 0


def test_sigterm_lets_a_worker_leave_with_its_run_kept(store):
    run_id = actions.submit(store, SPEC, LONG, DATA)

    def end():
        eventually(lambda: len(store.epochs([run_id])) > 1)
        os.kill(os.getpid(), signal.SIGTERM)

    ending = threading.Thread(target=end)
    ending.start()
    assert work(store, WorkerOptions(said=lambda _line: None)) == 1
    ending.join()
    state = store.get_state(run_id)
    assert (state.status, "Resume goes on" in state.reason) == ("interrupted", True)


def test_a_worker_whose_data_folder_is_gone_stops_and_says_so(store, home):
    """SQLite and the trainer would go on for hours, and keep nothing."""
    run_id = actions.submit(store, SPEC, LONG, DATA)
    aside = home.with_name("moved")

    def move_away():
        eventually(lambda: len(store.epochs([run_id])) > 1)
        home.rename(aside)

    moving = threading.Thread(target=move_away)
    moving.start()
    with pytest.raises(StoreGoneError, match=r"runs\.sqlite3 is gone: .* Put it back, or start"):
        work(store, WorkerOptions(said=lambda _line: None))
    moving.join()
    assert not home.exists()  # nor was an empty one made in its place

    aside.rename(home)
    assert len(store.epochs([run_id])) > 1


def test_many_workers_take_each_run_once(store, started):
    run_ids = [actions.submit(store, SPEC, RECIPE, DATA) for _ in range(6)]
    both = [started("-m", "explorer", "worker", "--until-idle", "--threads", "1") for _ in range(2)]
    assert [process.wait(120) for process in both] == [0, 0]
    assert statuses(store) == ["done"] * 6
    assert [store.get_state(run_id).attempt for run_id in run_ids] == [1] * 6
    assert sorted(store.get_state(run_id).turn for run_id in run_ids) == [1, 2, 3, 4, 5, 6]


def test_a_worker_that_does_not_leave_is_ended_and_its_run_marked(store, monkeypatch):
    run_id = actions.submit(store, SPEC, LONG, DATA)
    mine = WorkerPool(1, 1)
    mine.start()
    eventually(lambda: len(store.epochs([run_id])) > 1)
    stuck = store.get_state(run_id)
    os.kill(stuck.pid, signal.SIGSTOP)
    monkeypatch.setattr(worker_pool, "_END_S", 0.5)
    mine.stop()
    assert not lives(stuck.pid, stuck.process_started)
    assert store.get_state(run_id).status == "interrupted"


APP = """
import time
from explorer.jobs.worker_pool import WorkerPool
WorkerPool(1, 1).start()
time.sleep(600)
"""


def test_a_killed_app_loses_nothing_and_a_killed_worker_is_seen_and_replaced(store, started, monkeypatch):
    run_id = actions.submit(store, SPEC, LONG, DATA)
    app = started("-c", APP)
    eventually(lambda: len(store.epochs([run_id])) > 1)
    first = store.get_state(run_id)
    app.kill()
    app.wait()
    reached = len(store.epochs([run_id]))
    eventually(lambda: len(store.epochs([run_id])) > reached + 1)  # it trains on without its app

    seen, orphans = [], WorkerPool._orphans
    monkeypatch.setattr(WorkerPool, "_orphans", lambda *words: seen.append(words[0]) or orphans(*words))
    again = WorkerPool(1, 1)
    again.start()
    eventually(lambda: seen.count(again) > 2)
    assert again.children == {}  # the one that is left counts
    os.kill(first.pid, signal.SIGKILL)
    eventually(lambda: statuses(store) == ["interrupted"])
    eventually(lambda: len(again.children) == 1)

    actions.resume(store, run_id)
    eventually(lambda: store.get_state(run_id).status == "running")
    child = store.get_state(run_id)
    assert child.pid == again.children[0].pid
    eventually(lambda: actions.states(store)["epoch"].iloc[0] > reached)
    again.stop()
    assert store.get_state(run_id).status == "interrupted"
    assert not lives(child.pid, child.process_started)


def test_there_is_one_set_of_workers_for_a_folder(home):
    home.mkdir()
    first, second = WorkerPool(0, 1), WorkerPool(0, 1)
    assert first._holds_lock()
    assert not second._holds_lock()
    first.stop()
    assert second._holds_lock()
    second.stop()


def test_a_worker_that_ends_at_once_is_followed_more_and_more_slowly(store, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/false")
    tended = WorkerPool(1, 1)
    waits = []
    for _ in range(3):
        tended._not_before = 0.0
        tended._supervise()
        tended.children[0].wait(30)
        tended._reap()
        waits.append(tended._wait_s)
    assert waits == [2.0, 4.0, 8.0]
    tended._supervise()
    assert tended.children == {}
    tended.stop()


def test_workers_are_as_many_as_the_machine_bears(monkeypatch):
    monkeypatch.setattr(worker_pool, "gpu_count", lambda: 0)
    for cores, count, threads in ((1, 1, 1), (2, 2, 1), (4, 4, 1), (16, 4, 4)):
        monkeypatch.setattr(worker_pool, "cores", lambda cores=cores: cores)
        assert (worker_count(), worker_threads()) == (count, threads)
    monkeypatch.setattr(worker_pool, "gpu_count", lambda: 2)
    assert worker_count() == 2
    monkeypatch.setenv("EXPLORER_WORKERS", "0")
    assert worker_count() == 0


@pytest.mark.parametrize("asked", ["", "many", "-1", "1000000"])
def test_a_number_of_workers_that_cannot_be_meant_counts_as_unset(monkeypatch, caplog, asked):
    monkeypatch.setattr(worker_pool, "gpu_count", lambda: 3)
    monkeypatch.setenv("EXPLORER_WORKERS", asked)

    assert worker_count() == 3
    assert ("EXPLORER_WORKERS must be a number from 0 to 64" in caplog.text) == bool(asked)


def test_gpus_that_may_be_used_are_counted(monkeypatch):
    for visible, count in (("", 0), ("-1", 0), ("0", 1), ("0,2", 2), ("GPU-1,GPU-2", 2)):
        worker_pool.gpu_count.cache_clear()
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
        assert worker_pool.gpu_count() == count
    assert worker_pool._environment(3, 1)["CUDA_VISIBLE_DEVICES"] == "GPU-2"
    worker_pool.gpu_count.cache_clear()


def test_warming_up_sweeps_what_killed_processes_left(home):
    folder = home / "checkpoints"
    folder.mkdir(parents=True)
    (folder / f".checkpoint-999999-1-{'0' * 16}.partial").write_bytes(b"half")
    (folder / "mine.safetensors").write_bytes(b"whole")
    worker.warm_up(1)
    assert [path.name for path in folder.iterdir()] == ["mine.safetensors"]


def test_a_damaged_database_is_refused_with_the_place_of_its_backup(store, make_run):
    store.add_run(make_run())
    home_file = Path(store.place)
    copy = maintenance.back_up(store)
    assert copy == backup_path(home_file)
    assert maintenance.back_up(store) is None  # not twice in an hour
    store.close()
    home_file.write_bytes(b"this is no database\n" * 300)
    with pytest.raises(StoreDamagedError, match=r"damaged.*Move it aside.*put its backup") as caught:
        Store()
    assert str(copy) in str(caught.value)
    home_file.unlink()
    copy.rename(home_file)
    opened = Store()
    assert opened.runs()["run_id"].tolist() == [make_run().run_id]
    assert sqlite3.connect(home_file).execute("PRAGMA quick_check").fetchone() == ("ok",)
    opened.close()


def test_deleted_runs_are_removed_for_good_after_a_day(store, make_run):
    for run_id in ("old", "new", "kept"):
        store.add_run(make_run(run_id, status="done"))
        store.checkpoint_path(run_id).write_bytes(b"weights")
    store.update_run("old", deleted=time.time() - maintenance.KEEP_DELETED_S - 1)
    actions.delete(store, "new")
    maintenance.run_maintenance(store)
    with pytest.raises(UnknownRunError):
        store.get_run("old")
    assert not store.checkpoint_path("old").exists()
    assert store.get_run("new").run_id == "new"
    assert store.runs()["run_id"].tolist() == ["kept"]
    assert lives(this_process().pid, this_process().started)
