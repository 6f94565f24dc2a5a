"""What the tests of the store do in other processes; importable, since processes are spawned."""

import os
import signal
import sqlite3
from dataclasses import replace

from explorer.runs import rows
from explorer.runs.store import Store


def append(url, run, record, count):
    """Add `count` epochs to a run of its own."""
    store = Store(url)
    store.add_run(run)
    for epoch in range(count):
        store.add_epoch(run.run_id, replace(record, epoch=epoch))
    store.close()


def append_for_ever(url, run_id, record, ready):
    """Add epochs until killed."""
    store = Store(url)
    ready.set()
    epoch = 0
    while True:
        store.add_epoch(run_id, replace(record, epoch=epoch))
        epoch += 1


def die_within_an_epoch(url, run_id, record):
    """End as `kill -9` would, with half an epoch written and nothing committed."""
    store = Store(url)
    rows.series_values = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
    store.add_epoch(run_id, record)


def race(url, run_id, barrier, results):
    """Claim a queued run at the same moment as others."""
    store = Store(url)
    barrier.wait()
    results.put(store.set_status(run_id, "queued", "running", pid=os.getpid()))
    store.close()


def open_together(urls, barrier, results):
    """Open databases that do not exist yet; tell what was refused."""
    refused = []
    for url in urls:
        barrier.wait()
        try:
            Store(url).close()
        except Exception as error:  # noqa: BLE001 - the text is the result
            refused.append(f"{type(error).__name__}: {error}")
    results.put(refused)


def hold_lock(path, locked, release):
    """Keep the database's write lock."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    locked.set()
    release.wait(60)
    connection.execute("ROLLBACK")
    connection.close()
