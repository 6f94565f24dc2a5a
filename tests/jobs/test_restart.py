"""A database server that dies while a run is trained: nothing is lost, and the run ends as it would have."""

import threading

import pytest
import torch
from kill_processes import SPEC

from explorer.jobs import actions, run_queue, training_loop
from explorer.nets.checkpoints import load_checkpoint
from explorer.runs.store import Store
from explorer.system.processes import this_process
from explorer.training.recipe import Recipe

RECIPE = Recipe(epochs=12, batch_size=50, device="cpu")


@pytest.fixture
def store(postgres):
    """In PostgreSQL, empty."""
    opened = Store(postgres.fresh_url())
    yield opened
    opened.close()


def test_a_run_goes_on_while_the_database_is_away(postgres, store):
    undisturbed, disturbed = (actions.submit(store, SPEC, RECIPE, "digits-small") for _ in range(2))
    assert (
        training_loop.train(training_loop.TrainingSession(store), run_queue.take(store, this_process()))
        == "done"
    )

    begun, back, trained = (threading.Event() for _ in range(3))

    def wait_in_the_third_epoch(_trainer, record):
        if record.epoch == 3:
            begun.set()
            assert back.wait(300)
        if record.epoch == RECIPE.epochs:
            trained.set()

    job = run_queue.take(store, this_process())
    session = training_loop.TrainingSession(store, progress=wait_in_the_third_epoch)
    results = []
    training = threading.Thread(target=lambda: results.append(training_loop.train(session, job)))
    training.start()
    assert begun.wait(300)
    postgres.stop()
    back.set()
    assert trained.wait(300)  # all twelve epochs, of which the last ones cannot be kept yet
    postgres.start()
    training.join(300)

    assert results == ["done"]
    assert store.epochs([disturbed])["epoch"].tolist() == list(range(13))
    nets = [load_checkpoint(store.get_run(one).checkpoint).net for one in (undisturbed, disturbed)]
    first, second = (net.state_dict() for net in nets)
    assert all(torch.equal(first[name], second[name]) for name in first)
