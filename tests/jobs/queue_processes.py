"""A process that takes runs from a queue until it is empty; importable, since processes are spawned."""

from explorer.jobs import run_queue
from explorer.runs.store import Store
from explorer.system.processes import this_process


def take_all(url, barrier, results):
    """Take until nothing is left, ending each run at once; tell what was taken, in order."""
    store = Store(url)
    barrier.wait()
    taken = []
    while job := run_queue.take(store, this_process()):
        taken.append(job.run.run_id)
        assert store.set_status(job.run.run_id, "running", "done")
    results.put(taken)
    store.close()
