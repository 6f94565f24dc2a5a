"""A worker killed at any instant loses nothing: what it goes on to equals what was never interrupted."""

import kill_processes as processes
import pandas as pd
import pytest
import torch

from explorer.data.sources import open_dataset
from explorer.jobs import actions
from explorer.nets.checkpoints import load_checkpoint
from explorer.runs import run_paths
from explorer.runs.run import TABLES
from explorer.runs.store import Store
from explorer.runs.tables import record_tables
from explorer.system.files import sweep_temporaries
from explorer.training.trainer import Trainer

TIMES = ["seconds", "images_per_s"]

pytestmark = pytest.mark.skipif(not hasattr(processes.os, "fork"), reason="there is no SIGKILL here")


def test_twenty_kills_and_the_run_equals_one_that_was_never_interrupted(store):
    instants = processes.instants(20, seed=0)
    assert {instant.place for instant in instants} == set(processes.PLACES)
    run_id = actions.submit(store, processes.SPEC, processes.RECIPE, processes.DATA)
    killed = 0
    with processes.Nursery() as nursery:
        for instant in instants:
            killed += nursery.kill_and_resume(store, run_id, instant)
            assert_whole(run_id)
        assert killed == len(instants)
        assert not nursery.kill_and_resume(store, run_id, None)

    trainer = Trainer(processes.SPEC, processes.RECIPE, open_dataset(processes.DATA))
    records = list(trainer.records())
    expected = record_tables(store.get_run(run_id), records)
    for name in TABLES:
        ours, theirs = getattr(store, name)([run_id]), expected[name]
        pd.testing.assert_frame_equal(
            *(table.drop(columns=TIMES, errors="ignore") for table in (ours, theirs)), check_exact=True
        )
    kept = load_checkpoint(store.get_run(run_id).checkpoint).net.state_dict()
    assert all(torch.equal(kept[name], tensor) for name, tensor in trainer.net.state_dict().items())
    sweep_temporaries(run_paths.home() / "checkpoints")
    assert [path.name for path in (run_paths.home() / "checkpoints").iterdir()] == [f"{run_id}.safetensors"]


def assert_whole(run_id):
    """A database that is sound, whole epochs in a row, and a file that is whole and never ahead of them."""
    store = Store()
    epochs = store.epochs([run_id])
    assert epochs["epoch"].tolist() == list(range(len(epochs)))
    for name in ("blocks", "layers"):
        assert sorted(set(getattr(store, name)([run_id])["epoch"])) == epochs["epoch"].tolist()
    path = run_paths.resume_path(run_id, 1)
    if path.exists():
        assert torch.load(path, weights_only=True)["state"]["iteration"] <= epochs["iteration"].max()
    store.close()
