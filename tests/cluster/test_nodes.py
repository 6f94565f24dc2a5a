"""A sweep on three nodes of Ray: a worker, the database and a node die, and all ends as undisturbed."""

import multiprocessing
import os
import signal
import threading
import time
from dataclasses import replace

import pandas as pd
import pytest
import sweep_shell
import torch
from safetensors.torch import load_file

from explorer.jobs.sweep import RunConfig, train_group
from explorer.runs.run_folder import archives, read_archive
from explorer.runs.store import Store
from explorer.system.paths import ROOT
from explorer.training.recipe import Recipe

SPAWN = multiprocessing.get_context("spawn")
TIMES = ["seconds", "images_per_s"]
RECIPE = Recipe(epochs=6, batch_size=20, device="cpu", lr=0.02)
PLANS = [
    RunConfig(f"{family}-8", replace(RECIPE, seed=seed), "digits:400")
    for seed in range(4)
    for family in ("residual", "plain")
]

pytestmark = pytest.mark.filterwarnings("default")  # Ray's own


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The same runs by this machine's sweep."""
    folder = tmp_path_factory.mktemp("undisturbed")
    for plan in PLANS:
        train_group([plan], folder)
    return folder


@pytest.fixture
def cluster(monkeypatch):
    """Three nodes of one core each, as processes of this machine; the first is the head."""
    from ray.cluster_utils import Cluster

    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setenv("RAY_worker_niceness", "0")  # beside other tests they would hardly be served
    made = Cluster()
    made.members = [
        made.add_node(num_cpus=1, object_store_memory=80 * 2**20, include_dashboard=False) for _ in range(3)
    ]
    yield made
    made.shutdown()


def running(store):
    """Of the runs that are trained now: status, epochs kept, and who trains them."""
    found = []
    for run_id in store.runs()["run_id"]:
        state = store.get_state(run_id)
        if state.status == "running":
            found.append((len(store.epochs([run_id])), state))
    return found


def wait_for(find, seconds=240):
    deadline = time.monotonic() + seconds
    while not (found := find()):
        assert time.monotonic() < deadline, "nothing came"
        time.sleep(0.05)
    return found


def test_whatever_dies_in_mid_sweep_every_run_ends_bit_by_bit(
    undisturbed, cluster, postgres, tmp_path, monkeypatch
):
    """The shell that began, a worker, the database, and a whole node are killed while runs are trained."""
    from explorer.cluster.sweep import sweep_on

    monkeypatch.setenv("EXPLORER_DATABASE_URL", postgres.fresh_url())
    lines, work = [], tmp_path / "work"
    first_shell = SPAWN.Process(target=sweep_shell.sweep, args=(cluster.address, PLANS, work))
    first_shell.start()
    store = Store()
    wait_for(lambda: running(store))
    first_shell.kill()
    first_shell.join(60)
    shell = threading.Thread(target=lambda: lines.extend(sweep_on(cluster.address, PLANS, work)))
    shell.start()

    def trained_elsewhere():
        """A run in its second epoch or later, on a node that may be killed."""
        others = {node.node_id for node in cluster.members[1:]}
        return [state for epochs, state in running(store) if epochs > 2 and state.node in others]

    first = wait_for(trained_elsewhere)[0]
    os.kill(first.pid, signal.SIGKILL)
    postgres.stop()
    postgres.start()
    second = wait_for(lambda: [state for state in trained_elsewhere() if state.pid != first.pid])[0]
    lost = next(node for node in cluster.members if node.node_id == second.node)
    cluster.remove_node(lost, allow_graceful=False)

    shell.join(400)
    assert not shell.is_alive()
    assert sorted(path.name for path in archives(work)) == sorted(plan.name for plan in PLANS)
    for plan in PLANS:
        places = [folder / plan.name for folder in (work, undisturbed)]
        ours, theirs = (load_file(place / "weights.safetensors") for place in places)
        assert ours.keys() == theirs.keys()
        assert all(torch.equal(ours[name], theirs[name]) for name in ours)
        (run, tables), (other, others) = (read_archive(place) for place in places)
        assert (run.run_id, run.results, run.epochs) == (other.run_id, other.results, other.epochs)
        for name in tables:
            left, right = (table[name].drop(columns=TIMES, errors="ignore") for table in (tables, others))
            pd.testing.assert_frame_equal(left, right, check_exact=True)
    assert any("8 of 8 nets done" in line for line in lines)
    assert list(sweep_on(cluster.address, PLANS, work)) == []
    store.close()
