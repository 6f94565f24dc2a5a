"""What a page sees of runs: recorded steps once, fresh steps after them, links by run and by group."""

import numpy as np
import pandas as pd
import pytest

from explorer.nets.spec import NetSpec
from explorer.runs import jobs
from explorer.runs.library import Library
from explorer.runs.progress import Snapshot
from explorer.runs.store import Store
from explorer.runs.watch import being_trained, records, resolve, seconds_left, with_snapshots
from explorer.runs.zoo import Zoo
from explorer.training.recipe import Recipe

SPEC = NetSpec("residual", 8, width=4, in_channels=1)


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("EXPLORER_HOME", str(tmp_path))
    return Store()


def recorded(run_id, last):
    iterations = range(1, last + 1)
    return pd.DataFrame({"run_id": run_id, "iteration": iterations, "loss": 1.0, "lr": 0.01})


def test_steps_of_a_snapshot_follow_those_that_are_recorded(store):
    run_id = jobs.submit(store, SPEC, Recipe(iterations=40))
    run = store.get_run(run_id)
    shot = Snapshot(14, np.arange(4, dtype=np.float32), 100.0, 0.0)

    table = with_snapshots(recorded(run_id, 12), {run_id: shot}, {run_id: run})

    assert table["iteration"].tolist() == list(range(1, 15))
    assert table["loss"].tolist()[-2:] == [2.0, 3.0]
    assert table["lr"].iloc[-1] == run.recipe.lr_at(13, 40)


def test_an_old_snapshot_adds_nothing(store):
    run_id = jobs.submit(store, SPEC, Recipe(iterations=40))
    shot = Snapshot(10, np.zeros(5, np.float32), 100.0, 0.0)
    table = with_snapshots(recorded(run_id, 12), {run_id: shot}, {run_id: store.get_run(run_id)})

    assert len(table) == 12


def test_links_name_runs_and_groups(store):
    one = jobs.submit(store, SPEC, Recipe())
    twins = jobs.submit_all(store, [(SPEC, Recipe()), (SPEC.twin, Recipe())], group="abc")

    assert resolve(store, ["abc"]) == twins
    assert resolve(store, [one, "abc", "nothing"]) == [one, *twins]
    assert resolve(store, ["nothing", "'; drop table runs"]) == []
    assert being_trained(store) == [one, *twins]
    jobs.delete(store, one)
    assert resolve(store, [one]) == []
    assert being_trained(store) == twins


def test_runs_of_the_zoo_are_groups_of_their_own():
    zoo = Library([Zoo()])
    runs = [zoo.run(f"digits-{family}-20-s{seed}") for family in ("plain", "residual") for seed in (0, 1)]

    kept = records(zoo, runs)

    assert kept.members["group"].unique().tolist() == ["plain-20, zoo", "ResNet-20, zoo"]
    assert kept.members["zoo"].all()
    assert set(kept.blocks["epoch"]) == {0, 1, 10}
    assert len(kept.steps) == 4 * 110


def test_time_left_follows_the_present_speed():
    assert seconds_left(10, 110, 1280.0, 128) == pytest.approx(10)
    assert seconds_left(10, 110, 0.0, 128) is None
    assert seconds_left(120, 110, 10.0, 128) == 0
