"""Fixtures of all tests of runs: a home of its own, and real records made once."""

from datetime import UTC, datetime

import pytest

from explorer.nets.spec import NetSpec
from explorer.runs.run import Run
from explorer.runs.run_paths import HOME_VARIABLE, URL_VARIABLE
from explorer.training.recipe import Recipe

SPEC = NetSpec(depth=8, width=4, in_channels=1)
RECIPE = Recipe(epochs=2, batch_size=50, device="cpu")


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    folder = tmp_path / "home"
    monkeypatch.setenv(HOME_VARIABLE, str(folder))
    monkeypatch.delenv(URL_VARIABLE, raising=False)
    return folder


@pytest.fixture(scope="session")
def records(few_digits):
    """Epoch 0, 1 and 2 of a real run of 8 steps."""
    from explorer.training.trainer import Trainer

    return list(Trainer(SPEC, RECIPE, few_digits).records())


@pytest.fixture
def make_run():
    """Makes a run that fits `records`."""

    def make(run_id="residual-8-w4-s0-aaaaaaaa", **changes):
        return Run(
            run_id, SPEC, RECIPE, **{
                "dataset": "digits", "status": "running", "epochs": 2, "iterations": 8, "parameters": 4990,
                "provenance": {"commit": "abc", "versions": {"torch": "2"}, "hardware": "a CPU, 2 cores"},
                "created": datetime(2026, 1, 2, tzinfo=UTC).isoformat(), **changes,
            },
        )  # fmt: skip

    return make


@pytest.fixture
def store(home):
    from explorer.runs.store import Store

    opened = Store()
    yield opened
    opened.close()
