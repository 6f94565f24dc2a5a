"""How fast is the queue with many runs and workers, and what does a task of a cluster cost?

    python benchmarks/cluster.py queue --runs 10000 --workers 200
    python benchmarks/cluster.py tasks --runs 8

`queue` starts a PostgreSQL, queues runs of 50 owners and lets workers, as threads of several processes, take
and end them without training, while the list of runs is read as a page reads it; before that, it is read
while nobody takes. Its ratio is the takes per second with all workers over those with one. `tasks` starts
clusters of Ray with one and with two nodes of one core and trains short runs there. Its ratios are runs per
minute with two nodes over one (scaling), and the time of the runs on one node over that of one local worker
(the overhead of a task).
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

OWNERS = 50
PROCESSES = 4


def queue_speed(runs: int, workers: int, seconds: float) -> None:
    from postgres_server import Server

    server = Server()
    try:
        url = server.fresh_url()
        os.environ["EXPLORER_DATABASE_URL"] = url
        fill(url, runs)
        quiet, cpu = reads(url, 40)
        print(
            f"the list of runs while nobody takes: p95 {1000 * np.percentile(quiet, 95):.0f} ms, "
            f"median {1000 * np.median(quiet):.0f} ms, of this process {1000 * np.median(cpu):.0f} ms of CPU"
        )
        alone, _ = takes(url, 1, seconds)
        many, pages = takes(url, workers, seconds)
        p95 = f"{1000 * np.percentile(pages, 95):.0f} ms" if pages else "not measured"
        told = f"{alone:.1f} takes/s with 1 worker, {many:.1f} with {workers}, ratio {many / alone:.2f}"
        print(f"{runs} runs: {told}")
        print(f"the list of runs meanwhile: p95 {p95} of {len(pages)} reads")
    finally:
        server.remove()


def fill(url: str, count: int) -> None:
    """Queue the runs in one transaction."""
    from sqlalchemy import insert

    from explorer.jobs.actions import new_run
    from explorer.nets.spec import NetSpec
    from explorer.runs import rows, schema
    from explorer.runs.store import Store
    from explorer.training.recipe import Recipe

    store = Store(url)
    base = rows.run_values(new_run(NetSpec(depth=8), Recipe(), "digits"))
    made = [
        base | {"run_id": f"run-{number:05d}", "position": number + 1, "owner": f"owner-{number % OWNERS}"}
        for number in range(count)
    ]
    with store.database.writing() as connection:
        connection.execute(insert(schema.runs), made)
    store.close()


def reads(url: str, count: int) -> tuple[list[float], list[float]]:
    """Seconds of each of so many reads of the list, as a page reads it, and of this process's CPU."""
    from explorer.runs.store import Store

    store, walls, cpus = Store(url), [], []
    for _ in range(count):
        begun, used = time.perf_counter(), time.process_time()
        read(store)
        walls.append(time.perf_counter() - begun)
        cpus.append(time.process_time() - used)
    store.close()
    return walls[1:], cpus[1:]  # the first reads the settings, once per process


def read(store) -> None:
    from explorer.jobs import progress

    store.listing()
    progress.places(store)


def takes(url: str, workers: int, seconds: float) -> tuple[float, list[float]]:
    """Takes per second, and the seconds that each read of the list took meanwhile."""
    from explorer.runs.store import Store

    context = multiprocessing.get_context("spawn")
    processes = min(workers, PROCESSES)
    results = context.Queue()
    share = [workers // processes + (number < workers % processes) for number in range(processes)]
    children = [context.Process(target=take_on, args=(url, threads, seconds, results)) for threads in share]
    for child in children:
        child.start()
    store, pages = Store(url), []
    while any(child.is_alive() for child in children) and results.qsize() < processes:
        begun = time.perf_counter()
        read(store)
        pages.append(time.perf_counter() - begun)
        time.sleep(1.0)
    counts = [results.get() for _ in children]
    for child in children:
        child.join()
    store.close()
    return sum(counts) / seconds, pages


def take_on(url: str, threads: int, seconds: float, results: multiprocessing.Queue) -> None:
    from explorer.jobs import run_queue
    from explorer.runs.store import Store, StoreError
    from explorer.system.processes import this_process

    store, me, taken = Store(url), this_process(), [0] * threads
    until = time.monotonic() + seconds

    def one(number: int) -> None:
        while time.monotonic() < until:
            try:
                job = run_queue.take(store, me)
                if job is not None and store.set_status(job.run.run_id, "running", "done"):
                    taken[number] += 1
            except StoreError:  # more wait for a connection than there are
                time.sleep(0.1)

    workers = [threading.Thread(target=one, args=(number,)) for number in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    results.put(sum(taken))
    store.close()


def task_cost(count: int) -> None:
    from explorer.jobs.sweep import RunConfig
    from explorer.training.recipe import Recipe

    recipe = Recipe(epochs=12, batch_size=20, device="cpu", lr=0.02)
    configs = [RunConfig("residual-8", replace(recipe, seed=seed), "digits:800") for seed in range(count)]
    local = on_worker(configs)
    print(f"local worker: {60 * count / local:.2f} runs per minute")
    one, two = (on_cluster(configs, nodes) for nodes in (1, 2))
    print(f"cluster of one node: {60 * count / one:.2f} runs per minute, overhead ratio {one / local:.3f}")
    print(f"cluster of two nodes: {60 * count / two:.2f} runs per minute, scaling ratio {one / two:.2f}")


def on_worker(configs: list) -> float:
    """Seconds from the first run's start to the last one's end, in a worker of this machine."""
    from explorer.jobs import actions
    from explorer.runs.store import Store
    from explorer.system.processes import end_all, spawn

    with tempfile.TemporaryDirectory() as home:
        os.environ["EXPLORER_HOME"] = home
        store = Store()
        for config in configs:
            actions.submit(store, spec_of(config), config.recipe, config.data)
        child = spawn("explorer", "worker", "--until-idle", "--threads", "1")
        try:
            return ended(store, len(configs))
        finally:
            end_all([child], 20)
            store.close()


def on_cluster(configs: list, nodes: int) -> float:
    from ray.cluster_utils import Cluster

    from explorer.cluster.start import start
    from explorer.jobs import actions
    from explorer.runs.store import Store

    os.environ["PYTHONPATH"] = str(ROOT)
    with tempfile.TemporaryDirectory() as home:
        os.environ["EXPLORER_HOME"] = home
        cluster, store = Cluster(), Store()
        try:
            for _ in range(nodes):
                cluster.add_node(num_cpus=1, object_store_memory=80 * 2**20, include_dashboard=False)
            for config in configs:
                actions.submit(store, spec_of(config), config.recipe, config.data)
            start(cluster.address)
            return ended(store, len(configs))
        finally:
            cluster.shutdown()
            store.close()


def spec_of(config):
    from explorer.nets.spec import NetSpec

    return NetSpec.parse(config.net)


def ended(store, count: int) -> float:
    """Seconds from the first record to the end of the last run; starting processes is not counted."""
    begun = None
    while True:
        states = store.listing()["status"]
        if begun is None and (states != "queued").any():
            begun = time.monotonic()
        if (states == "done").sum() == count:
            return time.monotonic() - begun
        time.sleep(0.05)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("queue", "tasks"))
    parser.add_argument("--runs", type=int, default=None)
    parser.add_argument("--workers", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=20.0, help="of each measurement of the queue")
    options = parser.parse_args()
    if options.what == "queue":
        queue_speed(options.runs or 10_000, options.workers, options.seconds)
    else:
        task_cost(options.runs or 8)
