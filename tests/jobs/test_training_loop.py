"""The engine: what it keeps equals the bare trainer's, whatever interrupts it; failures have a reason."""

import errno
import json
import os
import re
import sqlite3
import threading
import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from explorer.data.sources import open_dataset
from explorer.jobs import actions, failure_messages, resume, run_queue, run_recorder, training_loop
from explorer.jobs.training_loop import TrainingSession, train
from explorer.nets.checkpoints import load_checkpoint
from explorer.nets.spec import NetSpec
from explorer.runs import database, run_paths
from explorer.runs.run import TABLES
from explorer.runs.store import StoreBusyError
from explorer.runs.tables import record_tables
from explorer.system.processes import this_process
from explorer.training.recipe import Recipe
from explorer.training.trainer import Trainer

DATA = "digits-small"
SPEC = NetSpec(depth=8, width=4)
RECIPE = Recipe(epochs=3, batch_size=50, device="cpu", augment=True)
LONG = replace(RECIPE, epochs=9000)
TIMES = ["seconds", "images_per_s"]


@pytest.fixture(scope="module")
def whole():
    """Records and weights of the bare trainer, never interrupted."""
    torch.set_num_threads(1)
    trainer = Trainer(replace(SPEC, in_channels=1), RECIPE, open_dataset(DATA))
    return list(trainer.records()), trainer.net.state_dict()


@pytest.fixture
def take(store):
    """Submits a run and takes it, as a worker would."""

    def submit_and_take(recipe=RECIPE, spec=SPEC):
        actions.submit(store, spec, recipe, DATA)
        return run_queue.take(store, this_process())

    return submit_and_take


def go_on(store, run_id, **more):
    actions.resume(store, run_id)
    return train(TrainingSession(store, **more), run_queue.take(store, this_process()))


def assert_equals(store, run_id, whole):
    """The stored run is the bare trainer's, bit by bit but for the clock."""
    records, weights = whole
    expected = record_tables(store.get_run(run_id), records)
    for name in TABLES:
        found = getattr(store, name)([run_id]).drop(columns=TIMES, errors="ignore")
        pd.testing.assert_frame_equal(
            found, expected[name].drop(columns=TIMES, errors="ignore"), check_exact=True
        )
    kept = load_checkpoint(store.get_run(run_id).checkpoint).net.state_dict()
    assert all(torch.equal(kept[name], tensor) for name, tensor in weights.items())


def test_a_queued_run_is_trained_as_the_bare_trainer_would(store, take, whole):
    job = take()
    assert train(TrainingSession(store), job) == "done"

    run, state = store.get_run(job.run.run_id), store.get_state(job.run.run_id)
    assert_equals(store, run.run_id, whole)
    assert (run.spec.in_channels, run.epochs, run.iterations, run.dataset) == (1, 3, 12, DATA)
    assert run.parameters == sum(tensor.numel() for name, tensor in whole[1].items() if _learned(name))
    assert run.provenance["data_hash"] == open_dataset(DATA).split("train").sha256
    assert (state.threads, state.reason, state.command) == (1, None, None)
    assert not run_paths.resume_path(run.run_id, 1).exists()
    assert actions.live(store, [run.run_id]) == {}


def _learned(name):
    return "running" not in name and "tracked" not in name


def after_steps(monkeypatch, count, act):
    """Call `act` once, when the trainer of this process has taken `count` steps."""
    step = Trainer.step

    def counted(trainer):
        record = step(trainer)
        if trainer.iteration == count:
            act()
        return record

    monkeypatch.setattr(Trainer, "step", counted)


def seen(command):
    """Waits until the recorder's thread has read the command, as it does between two steps."""

    def wait(journal_of):
        until = time.monotonic() + 30
        while journal_of._command != command:
            assert time.monotonic() < until, f"'{command}' never arrived"
            time.sleep(0.01)

    return wait


@pytest.fixture
def journals(monkeypatch):
    """The journals that were begun."""
    begun = []
    enter = run_recorder.RunRecorder.__enter__
    monkeypatch.setattr(
        run_recorder.RunRecorder, "__enter__", lambda self: (begun.append(self), enter(self))[1]
    )
    return begun


@pytest.mark.parametrize(
    ("verb", "steps"), [("pause", 1), ("pause", 3), ("pause", 4), ("stop", 5), ("leave", 4), ("leave", 11)]
)
def test_paused_stopped_or_left_and_resumed_equals_uninterrupted(
    store, take, whole, monkeypatch, journals, verb, steps
):
    job = take()
    shutdown = threading.Event()

    def ask():
        if verb == "leave":
            shutdown.set()
            return
        getattr(actions, verb)(store, job.run.run_id)
        seen(verb)(journals[-1])

    with monkeypatch.context() as patch:
        after_steps(patch, steps, ask)
        status = train(TrainingSession(store, shutting_down=shutdown.is_set), job)
    assert status == {"pause": "paused", "stop": "stopped", "leave": "interrupted"}[verb]
    frozen = torch.load(run_paths.resume_path(job.run.run_id, 1), weights_only=True)
    assert frozen["state"]["iteration"] == steps  # seen before the next step
    assert store.epochs([job.run.run_id])["epoch"].max() == steps // 4
    if verb == "stop":
        assert load_checkpoint(store.get_run(job.run.run_id).checkpoint).dataset == DATA

    assert go_on(store, job.run.run_id) == "done"

    assert_equals(store, job.run.run_id, whole)


def test_a_single_step_trains_one_epoch_and_pauses(store, take, whole):
    job = take(LONG)
    store.set_status(job.run.run_id, "running", "paused")
    for epoch in (1, 2):
        actions.step_epoch(store, job.run.run_id)
        assert train(TrainingSession(store), run_queue.take(store, this_process())) == "paused"
        assert store.epochs([job.run.run_id])["epoch"].max() == epoch


def test_a_step_asked_of_a_running_run_pauses_it_at_the_end_of_the_epoch(store, take, monkeypatch, journals):
    job = take(LONG)

    def ask():
        actions.step_epoch(store, job.run.run_id)
        seen("step")(journals[-1])

    after_steps(monkeypatch, 6, ask)
    assert train(TrainingSession(store), job) == "paused"
    assert store.epochs([job.run.run_id])["iteration"].max() == 8


def test_who_resumes_while_a_pause_is_being_kept_has_it_go_on(store, take, whole, monkeypatch, journals):
    job = take()
    run_id = job.run.run_id
    freeze = training_loop.frozen_state

    def pause():
        actions.pause(store, run_id)
        seen("pause")(journals[-1])

    def freeze_slowly(trainer):
        if trainer.iteration == 5:
            actions.resume(store, run_id)
        return freeze(trainer)

    monkeypatch.setattr(training_loop, "frozen_state", freeze_slowly)
    after_steps(monkeypatch, 5, pause)
    train(TrainingSession(store), job)

    again = run_queue.take(store, this_process())
    assert again is not None, "it stays paused, though it was resumed after that"
    assert train(TrainingSession(store), again) == "done"
    assert_equals(store, run_id, whole)


@pytest.mark.parametrize("already", [True, False])
def test_who_resumes_a_run_that_is_to_pause_after_its_epoch_has_it_go_on(
    store, take, whole, monkeypatch, journals, already
):
    job = take()
    run_id = job.run.run_id
    if already:  # it was begun to train one epoch
        store.set_status(run_id, "running", "paused")
        actions.step_epoch(store, run_id)
        job = run_queue.take(store, this_process())

    def ask():
        if not already:
            actions.step_epoch(store, run_id)
            seen("step")(journals[-1])
        actions.resume(store, run_id)
        seen("resume")(journals[-1])

    after_steps(monkeypatch, 2, ask)
    assert train(TrainingSession(store), job) == "done"
    assert_equals(store, run_id, whole)


def test_a_retry_begins_again_and_forgets_what_was(store, take, whole):
    job = take(replace(RECIPE, lr=100, warmup=0), replace(SPEC, family="plain", depth=14))
    run_id = job.run.run_id
    store.set_status(run_id, "running", "failed")
    run_paths.resume_path(run_id, 1).parent.mkdir(parents=True, exist_ok=True)
    run_paths.resume_path(run_id, 1).write_bytes(b"of the first attempt")
    actions.retry(store, run_id)
    again = run_queue.take(store, this_process())
    assert train(TrainingSession(store), again) in ("done", "failed")
    assert store.get_state(run_id).attempt == 2
    assert "damaged" not in (store.get_state(run_id).reason or "")


def test_training_that_diverges_ends_as_failed_with_its_records(store, take):
    recipe = replace(RECIPE, lr=100, warmup=0, momentum=0.999, weight_decay=1, epochs=50)
    job = take(recipe, replace(SPEC, family="plain", depth=14))
    assert train(TrainingSession(store), job) == "failed"
    run_id = job.run.run_id
    reason = store.get_state(run_id).reason
    assert "not a number" in reason
    assert "Lower the learning rate (it peaks at 100)" in reason
    epochs = store.epochs([run_id])
    assert epochs["epoch"].tolist() == list(range(len(epochs)))
    assert len(epochs) > 1
    last = epochs.iloc[-1]
    assert not np.isfinite(last["train_loss"] + last["test_loss"])


def failing(monkeypatch, error):
    def act():
        raise error

    after_steps(monkeypatch, 6, act)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"), "memory on the GPU.*smaller"),
        (MemoryError(), "ran out of memory. Take a smaller batch"),
        (OSError(errno.ENOSPC, "No space left on device", "a.txt"), "disk is full.*a.txt.*resume"),
        (OSError(errno.EACCES, "Permission denied", "a.txt"), "a.txt: permission denied.*permissions"),
        (ZeroDivisionError("oh"), "ZeroDivisionError: oh .*Retry"),
    ],
)
def test_what_goes_wrong_is_the_reason_and_the_records_stay(store, take, monkeypatch, error, words):
    job = take()
    failing(monkeypatch, error)
    assert train(TrainingSession(store), job) == "failed"
    assert re.search(words, store.get_state(job.run.run_id).reason)
    assert store.epochs([job.run.run_id])["epoch"].tolist() == [0, 1]


def test_memory_that_really_runs_out_is_explained():
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**60, dtype=torch.uint8)
    assert "ran out of memory" in failure_messages.explain(caught.value)


def test_a_run_that_does_not_fit_now_is_refused_with_numbers(store, take, monkeypatch):
    job = take()
    tiny = type("Memory", (), {"available": 2**20, "total": 2**20})
    monkeypatch.setattr(training_loop.psutil, "virtual_memory", lambda: tiny)
    assert train(TrainingSession(store), job) == "failed"
    assert "1 MiB are free" in store.get_state(job.run.run_id).reason


def test_a_run_that_does_not_fit_beside_another_waits_for_it(store, take, make_run, monkeypatch):
    job = take()
    other = {"pid": os.getppid(), "process_started": 1.0, "host": this_process().host}
    store.add_run(make_run("other", status="running"), **other)
    tiny = type("Memory", (), {"available": 2**20, "total": 2**20})
    monkeypatch.setattr(training_loop.psutil, "virtual_memory", lambda: tiny)
    assert train(TrainingSession(store), job) == "queued"
    assert "another run is using the memory that this one needs" in store.get_state(job.run.run_id).reason
    assert actions.places(store) == {job.run.run_id: 1}


def test_a_failed_run_can_go_on(store, take, whole, monkeypatch):
    job = take()
    with monkeypatch.context() as patch:
        failing(patch, OSError(errno.ENOSPC, "No space left on device"))
        assert train(TrainingSession(store), job) == "failed"
    assert go_on(store, job.run.run_id) == "done"
    assert_equals(store, job.run.run_id, whole)


def test_a_checkpoint_that_cannot_be_written_ends_the_run_with_its_name(store, take, monkeypatch):
    def full(_path, _data):
        raise OSError(errno.ENOSPC, "No space left on device")

    job = take(LONG)
    monkeypatch.setattr(resume, "replace_file", full)
    assert train(TrainingSession(store), job) == "failed"
    reason = store.get_state(job.run.run_id).reason
    assert ".resume-1 cannot be written (no space left on device). Make room" in reason


@pytest.mark.parametrize(("timeout_s", "attempts"), [(0, 8), (1, 3)])
def test_a_database_that_is_locked_for_long_loses_nothing(
    store, take, whole, monkeypatch, timeout_s, attempts
):
    """Another program holds it for longer than SQLite waits, again and again."""
    monkeypatch.setattr(database, "BUSY_TIMEOUT_S", timeout_s)
    short = type(store)()
    job = take()
    holder = sqlite3.connect(store.place, isolation_level=None, check_same_thread=False)
    after_steps(monkeypatch, 2, lambda: holder.execute("BEGIN IMMEDIATE"))
    writes = []
    add = type(short).add_epoch

    def watched(*arguments):
        try:
            add(*arguments)
        except StoreBusyError:
            writes.append("busy")
            if len(writes) == attempts:
                holder.execute("ROLLBACK")
            raise

    monkeypatch.setattr(type(short), "add_epoch", watched)
    assert train(TrainingSession(short), job) == "done"
    assert len(writes) >= attempts
    holder.close()
    assert_equals(store, job.run.run_id, whole)
    short.close()


def test_a_run_that_was_taken_away_is_left_alone(store, take, monkeypatch):
    job = take(LONG)
    after_steps(
        monkeypatch, 5, lambda: store.set_status(job.run.run_id, "running", "interrupted", reason="gone")
    )
    assert train(TrainingSession(store), job) is None
    assert store.get_state(job.run.run_id).reason == "gone"


def test_a_run_that_was_deleted_is_left_alone(store, take, monkeypatch):
    job = take(LONG)
    after_steps(monkeypatch, 5, lambda: store.delete_run(job.run.run_id))
    assert train(TrainingSession(store), job) is None


def test_a_checkpoint_of_other_data_or_damaged_is_not_gone_on_from(store, take, monkeypatch):
    job = take()
    run_id, path = job.run.run_id, run_paths.resume_path(job.run.run_id, 1)
    shutdown = threading.Event()
    after_steps(monkeypatch, 2, shutdown.set)
    train(TrainingSession(store, shutting_down=shutdown.is_set), job)
    whole_file = path.read_bytes()
    frozen = torch.load(path, weights_only=True)
    resume.write_resume(path, frozen | {"data_hash": "another"})
    assert go_on(store, run_id) == "failed"
    assert "written with other data" in store.get_state(run_id).reason
    path.write_bytes(whole_file[: len(whole_file) // 2])
    assert go_on(store, run_id) == "failed"
    assert "is damaged. Retry" in store.get_state(run_id).reason


def test_a_snapshot_shows_the_epoch_so_far(store, take, monkeypatch):
    monkeypatch.setattr(training_loop, "PERIOD_S", 0)
    job = take(replace(LONG, batch_size=2))
    found = []

    def look():
        while not found:
            found.extend(actions.live(store, [job.run.run_id]).values())
        actions.stop(store, job.run.run_id)

    looker = threading.Thread(target=look)
    after_steps(monkeypatch, 3, looker.start)
    assert train(TrainingSession(store), job) == "stopped"
    looker.join()
    steps = store.steps([job.run.run_id]).set_index("iteration")["loss"]
    first = found[0].iteration - len(found[0].losses) + 1
    known = [number for number in range(first, found[0].iteration + 1) if number in steps.index]
    assert [steps[number] for number in known] == found[0].losses[: len(known)].tolist()
    assert found[0].images_per_s > 0


def test_the_first_step_is_shown_at_once(store, take, monkeypatch):
    for module in (training_loop, run_recorder):
        monkeypatch.setattr(module, "PERIOD_S", 60)
    job = take(replace(LONG, iterations=4))
    found = []

    def look():
        end = time.monotonic() + 20
        while not found and time.monotonic() < end:
            found.extend(actions.live(store, [job.run.run_id]).values())

    after_steps(monkeypatch, 3, look)

    assert train(TrainingSession(store), job) == "done"
    assert [shot.iteration for shot in found] == [1]


def test_the_thread_count_of_a_run_stays(store, take, monkeypatch):
    job = take(replace(LONG, iterations=1))
    assert train(TrainingSession(store, threads=1), job) == "done"
    assert store.get_state(job.run.run_id).threads == 1
    assert json.dumps(store.get_run(job.run.run_id).provenance)
    assert os.environ.get("OMP_NUM_THREADS") == "1"


def test_a_disk_that_is_full_ends_the_run_with_its_records_once_there_is_room(store, take, monkeypatch):
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    job = take(LONG)
    waited = []

    def fill():
        size = max(path.stat().st_size for path in run_paths.home().glob("runs.sqlite3*"))
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 30_000, before[1]))

    def make_room(seconds):
        waited.append(seconds)
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    after_steps(monkeypatch, 5, fill)
    monkeypatch.setattr(training_loop.time, "sleep", make_room)
    try:
        assert train(TrainingSession(store), job) == "failed"
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    state, epochs = store.get_state(job.run.run_id), store.epochs([job.run.run_id])["epoch"].tolist()
    assert re.search("refused: (disk I/O error|database or disk is full)|cannot be written", state.reason)
    assert epochs == list(range(len(epochs)))
    assert len(epochs) >= 2
    store.database.close()
    assert sqlite3.connect(store.place).execute("PRAGMA quick_check").fetchone() == ("ok",)
