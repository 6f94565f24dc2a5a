"""What several rooms' tests share: one thread per process, and a small, real dataset."""

import os
from dataclasses import replace

import numpy as np
import pytest

# the nets here are small: more threads cost more than they save, above all on a busy machine
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(autouse=True)
def no_users_home(tmp_path_factory, monkeypatch):
    """Nothing that a test keeps may reach the data folder of whoever runs it."""
    monkeypatch.setenv("EXPLORER_HOME", str(tmp_path_factory.mktemp("home")))


@pytest.fixture(scope="session")
def few_digits():
    """The first 200 training and 70 test digits: real images, one second of training."""
    from explorer.data.sources import digits

    whole = digits()
    readers = {
        name: lambda name=name, count=count: whole.split(name).take(np.arange(count))
        for name, count in (("train", 200), ("test", 70))
    }
    return replace(whole, readers=readers, _read={})
