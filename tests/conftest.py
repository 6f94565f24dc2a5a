"""What all tests share: one thread per process, a small real dataset, and who runs which file when."""

import os
import sys
from dataclasses import replace

import numpy as np
import pytest

# the nets here are small: more threads cost more than they save, above all on a busy machine
os.environ.setdefault("OMP_NUM_THREADS", "1")

# by measured time: what takes long begins first, so that no process ends long after the others
SLOW_FIRST = (
    "tests/browser/", "tests/cluster/test_nodes.py", "tests/test_house.py", "tests/jobs/test_worker_pool.py",
    "tests/jobs/test_sweep.py", "tests/app/", "tests/jobs/", "tests/transfer/",
)  # fmt: skip

WALKS = ("tests/browser/test_crawl.py", "tests/browser/test_accessibility.py", "tests/browser/test_phone.py")
"""What opens every page: about as long as all other browser tests together."""


def pytest_collection_modifyitems(items):
    items.sort(key=_rank)  # the order within a file stays


def _rank(item):
    places = [at for at, start in enumerate(SLOW_FIRST) if item.nodeid.startswith(start)]
    return min(places, default=len(SLOW_FIRST))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """One file is run by one process; browser tests by two, each with one server and one Chromium."""
    from xdist.scheduler import LoadFileScheduling

    class ByFile(LoadFileScheduling):
        def _split_scope(self, nodeid):
            if not nodeid.startswith("tests/browser/"):
                return super()._split_scope(nodeid)
            return "walks over all pages" if nodeid.startswith(WALKS) else "browser"

    return ByFile(config, log)


MAIN = sys.modules["__main__"]


@pytest.fixture(autouse=True)
def own_main_module():
    """A page under test takes the place of `__main__`; a process that is spawned later would run it."""
    sys.modules["__main__"] = MAIN
    yield
    sys.modules["__main__"] = MAIN


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
