"""What a page sees of runs: recorded steps once, fresh steps after them, links by run and by group."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from explorer.data.sources import digits
from explorer.jobs import actions
from explorer.jobs.progress import Snapshot
from explorer.jobs.run_reader import (
    IncrementalRunReader,
    RunCursor,
    being_trained,
    named,
    resolve,
    seconds_left,
    with_snapshot,
    zoo_records,
)
from explorer.nets.spec import NetSpec
from explorer.runs.library import Library
from explorer.runs.store import Store
from explorer.runs.zoo import Zoo
from explorer.training.recipe import Recipe
from explorer.training.trainer import Trainer

SPEC = NetSpec("residual", 8, width=4, in_channels=1)


def trained_epochs(store, run_id):
    run = store.get_run(run_id)
    return list(Trainer(run.spec, run.recipe, digits()).records())


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("EXPLORER_HOME", str(tmp_path))
    return Store()


def recorded(run_id, last):
    iterations = range(1, last + 1)
    return pd.DataFrame({"run_id": run_id, "iteration": iterations, "loss": 1.0, "lr": 0.01})


def test_steps_of_a_snapshot_follow_those_that_are_recorded(store):
    run_id = actions.submit(store, SPEC, Recipe(iterations=40))
    run = store.get_run(run_id)
    shot = Snapshot(14, np.arange(4, dtype=np.float32), 100.0, 0.0)

    table = with_snapshot(recorded(run_id, 12), shot, run)

    assert table["iteration"].tolist() == list(range(1, 15))
    assert table["loss"].tolist()[-2:] == [2.0, 3.0]
    assert table["lr"].iloc[-1] == run.recipe.lr_at(13, 40)


def test_an_old_snapshot_adds_nothing(store):
    run_id = actions.submit(store, SPEC, Recipe(iterations=40))
    shot = Snapshot(10, np.zeros(5, np.float32), 100.0, 0.0)
    table = with_snapshot(recorded(run_id, 12), shot, store.get_run(run_id))

    assert len(table) == 12


def test_links_name_runs_and_groups(store):
    one = actions.submit(store, SPEC, Recipe())
    twins = actions.submit_all(store, [(SPEC, Recipe()), (SPEC.twin, Recipe())], group="abc")

    assert resolve(store, ["abc"]) == twins
    assert resolve(store, [one, "abc", "nothing"]) == [one, *twins]
    assert resolve(store, ["nothing", "'; drop table runs"]) == []
    assert being_trained(store) == [one, *twins]
    actions.delete(store, one)
    assert resolve(store, [one]) == []
    assert being_trained(store) == twins


def test_runs_of_the_zoo_are_groups_of_their_own():
    zoo = Library([Zoo()])
    runs = [zoo.run(f"digits-{family}-20-s{seed}") for family in ("plain", "residual") for seed in (0, 1)]

    table = named(runs)
    kept = zoo_records(zoo, runs)

    assert table["group"].unique().tolist() == ["plain-20, zoo", "ResNet-20, zoo"]
    assert table["zoo"].all()
    assert list(kept) == [run.run_id for run in runs]
    for record in kept.values():
        assert set(record.blocks["epoch"]) == {0, 1, 10}
        assert (len(record.steps), len(record.epochs)) == (110, 11)


def test_followers_have_what_the_store_has_and_read_each_record_once(store, monkeypatch):
    run_id = actions.submit(store, SPEC, Recipe(epochs=4, batch_size=512))
    whole = trained_epochs(store, run_id)
    reader = IncrementalRunReader(store)
    assert len(reader.read([RunCursor(run_id, -1, 1)])[run_id].epochs) == 0

    asked = []
    read = store.steps
    monkeypatch.setattr(
        store, "steps", lambda ids, after=-1, until=None: asked.append(after) or read(ids, after, until)
    )
    for epoch, record in enumerate(whole):
        store.add_epoch(run_id, record)
        first = reader.read([RunCursor(run_id, epoch, 1)])[run_id]
        assert reader.read([RunCursor(run_id, epoch, 1)])[run_id] is first

    assert asked == [-1, 0, 1, 2, 3]
    for name in ("epochs", "steps"):
        pd.testing.assert_frame_equal(getattr(first, name), getattr(store, name)([run_id]))
    blocks = store.blocks([run_id])
    wanted = blocks[blocks["epoch"].isin([0, 1, 4])]
    pd.testing.assert_frame_equal(first.blocks.reset_index(drop=True), wanted.reset_index(drop=True))


def test_an_epoch_recorded_between_a_look_and_its_reading_is_not_read_twice(store):
    run_id = actions.submit(store, SPEC, Recipe(epochs=3, batch_size=512))
    whole = trained_epochs(store, run_id)
    reader = IncrementalRunReader(store)
    for record in whole[:3]:
        store.add_epoch(run_id, record)
    early = reader.read([RunCursor(run_id, 1, 1)])[run_id]  # the listing was read before the last record
    assert early.epochs["epoch"].tolist() == [0, 1]

    store.add_epoch(run_id, whole[3])
    record = reader.read([RunCursor(run_id, 3, 1)])[run_id]

    assert record.epochs["epoch"].tolist() == [0, 1, 2, 3]
    pd.testing.assert_frame_equal(record.steps, store.steps([run_id]))


def test_runs_that_are_as_far_are_read_together_and_stay_apart(store, monkeypatch):
    ids = [actions.submit(store, SPEC, Recipe(epochs=2, batch_size=512, seed=seed)) for seed in (0, 1)]
    whole = [trained_epochs(store, run_id) for run_id in ids]
    for run_id, records in zip(ids, whole, strict=True):
        for record in records:
            store.add_epoch(run_id, record)
    asked = []
    read = store.epochs
    monkeypatch.setattr(
        store, "epochs", lambda ids, after=-1, until=None: asked.append(tuple(ids)) or read(ids, after, until)
    )

    found = IncrementalRunReader(store).read([RunCursor(run_id, 2, 1) for run_id in ids])

    assert asked == [tuple(ids)]
    for run_id in ids:
        pd.testing.assert_frame_equal(found[run_id].epochs, read([run_id]))


def test_another_attempt_is_read_from_its_beginning(store):
    run_id = actions.submit(store, SPEC, Recipe(epochs=2, batch_size=512))
    records = trained_epochs(store, run_id)
    reader = IncrementalRunReader(store)
    for record in records:
        store.add_epoch(run_id, record)
    assert len(reader.read([RunCursor(run_id, 2, 1)])[run_id].epochs) == 3

    store.add_epoch(run_id, records[0])
    assert len(reader.read([RunCursor(run_id, 0, 2)])[run_id].epochs) == 1


def test_another_attempt_that_is_as_far_as_the_one_before_is_read_again(store):
    run_id = actions.submit(store, SPEC, Recipe(epochs=2, batch_size=512))
    records, reader = trained_epochs(store, run_id), IncrementalRunReader(store)
    for record in records:
        store.add_epoch(run_id, record)
    first = reader.read([RunCursor(run_id, 2, 1)])[run_id].epochs

    for record in records:
        store.add_epoch(run_id, replace(record, test_error_pct=12.5))
    again = reader.read([RunCursor(run_id, 2, 2)])[run_id].epochs

    assert first["test_error_pct"].iloc[-1] != 12.5
    assert again["test_error_pct"].tolist() == [12.5] * 3


def test_more_runs_than_are_kept_are_all_read(store, monkeypatch):
    monkeypatch.setattr("explorer.jobs.run_reader._MOST_KEPT", 1)
    ids = [actions.submit(store, SPEC, Recipe(epochs=2, batch_size=512, seed=seed)) for seed in (0, 1, 2)]
    record = trained_epochs(store, ids[0])[0]
    for run_id in ids:
        store.add_epoch(run_id, record)

    found = IncrementalRunReader(store).read([RunCursor(run_id, 0, 1) for run_id in ids])

    assert [len(found[run_id].epochs) for run_id in ids] == [1, 1, 1]


def test_time_left_follows_the_present_speed():
    assert seconds_left(10, 110, 1280.0, 128) == pytest.approx(10)
    assert seconds_left(10, 110, 0.0, 128) is None
    assert seconds_left(120, 110, 10.0, 128) == 0
