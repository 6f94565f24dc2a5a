"""The worker processes of the app: started once per data folder, kept alive, and ended."""

from __future__ import annotations

import atexit
import logging
import os
import shutil
import subprocess
import threading
import time
from functools import lru_cache
from pathlib import Path
from typing import IO

from filelock import FileLock, Timeout

from explorer.jobs import progress
from explorer.runs import maintenance
from explorer.runs.provenance import cores
from explorer.runs.run_paths import HOME_VARIABLE, home
from explorer.runs.store import Store, StoreError
from explorer.system.processes import Process, end_all, spawn, this_process

log = logging.getLogger(__name__)

COUNT_VARIABLE = "EXPLORER_WORKERS"
_MOST = 4
_MOST_ASKED = 64
_PERIOD_S = 0.5
_UPKEEP_S = 3600.0
_END_S = 20.0
_SHORT_LIFE_S = 10.0
_MAX_WAIT_S = 60.0
_LOG_BYTES = 2**20
_starting = threading.Lock()


def ensure_workers() -> WorkerPool:
    """Start the workers of this data folder, once per process; later calls give the same ones back."""
    with _starting:
        return _started()


def stop_workers() -> None:
    """Ask the workers that this process started, if any, to keep what they have and leave; waits for them."""
    with _starting:
        if _started.cache_info().currsize:
            _started().stop()


@lru_cache(maxsize=1)
def _started() -> WorkerPool:
    workers = WorkerPool(worker_count(), worker_threads())
    workers.start()
    atexit.register(workers.stop)
    return workers


def worker_count() -> int:
    """Workers that this machine bears: EXPLORER_WORKERS, or one per GPU, or one per core up to four.

    What the variable gets wrong is logged, and counts as unset: the app stays up.
    """
    asked = os.environ.get(COUNT_VARIABLE, "").strip()
    if asked.isdecimal() and int(asked) <= _MOST_ASKED:
        return int(asked)
    if asked:
        log.warning("%s must be a number from 0 to %d, not '%s'.", COUNT_VARIABLE, _MOST_ASKED, asked[:20])
    return gpu_count() or min(cores(), _MOST)


def worker_threads() -> int:
    """Threads of each worker: the cores shared out, so that as many runs as workers fill the machine."""
    return max(cores() // min(cores(), _MOST), 1)


@lru_cache(maxsize=1)
def gpu_count() -> int:
    """GPUs of NVIDIA that this process may use; asked without torch."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return len([name for name in visible.split(",") if name.strip() not in ("", "-1")])
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return 0
    try:
        done = subprocess.run([tool, "-L"], capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return 0
    return sum(line.startswith("GPU ") for line in done.stdout.splitlines())


class WorkerPool:
    """The worker processes of one data folder; only one set of them exists, whoever starts it.

    Args:
        count: how many there should be.
        threads: of each.
    """

    def __init__(self, count: int, threads: int) -> None:
        self.count, self.threads = count, threads
        self.children: dict[int, subprocess.Popen[bytes]] = {}
        self.problem = ""
        self._born: dict[int, float] = {}
        self._lock = FileLock(home() / "workers.lock", timeout=0, thread_local=False)
        self._end = threading.Event()
        self._wait_s, self._not_before, self._upkept = 1.0, 0.0, 0.0
        self._store: Store | None = None
        self._thread = threading.Thread(target=self._run, name="workers", daemon=True)

    def start(self) -> None:
        """Begin to tend the workers, from a thread of this process."""
        if self.count:
            self._thread.start()

    def stop(self) -> None:
        """Ask all workers to keep what they have and leave; those that do not within seconds are ended."""
        self._end.set()
        if self._thread.is_alive():
            self._thread.join(_END_S)
        end_all(self.children.values(), _END_S)
        if self._store is not None:
            progress.mark_interrupted(self._store)  # of those that did not leave by themselves
        self._lock.release()

    def _run(self) -> None:
        while not self._end.is_set():
            try:
                self._supervise()
                self.problem = ""
            except (StoreError, OSError) as error:
                if str(error) != self.problem:
                    self.problem = str(error)
                    log.warning("%s", self.problem)
            self._end.wait(_PERIOD_S)

    def _supervise(self) -> None:
        if not self._holds_lock():
            return
        if self._store is None:
            self._store = Store()
        if not self._upkept or time.monotonic() - self._upkept > _UPKEEP_S:
            self._upkept = time.monotonic()
            maintenance.run_maintenance(self._store)
        progress.mark_interrupted(self._store)
        self._reap()
        orphans = self._orphans(self._store)
        while len(self.children) + orphans < self.count and time.monotonic() >= self._not_before:
            self._spawn()

    def _holds_lock(self) -> bool:
        if self._lock.is_locked:
            return True
        try:
            Path(self._lock.lock_file).parent.mkdir(parents=True, exist_ok=True)
            self._lock.acquire()
        except Timeout:  # another app has the workers of this folder
            return False
        return True

    def _reap(self) -> None:
        """Forget workers that ended; one that ended at once is followed more and more slowly."""
        for slot, child in list(self.children.items()):
            if child.poll() is None:
                continue
            del self.children[slot]
            if time.monotonic() - self._born[slot] > _SHORT_LIFE_S:
                self._wait_s = 1.0
                continue
            self._not_before = time.monotonic() + self._wait_s
            self._wait_s = min(2 * self._wait_s, _MAX_WAIT_S)

    def _orphans(self, store: Store) -> int:
        """Runs that processes of this machine train which are not ours: of an app that was killed, say."""
        ours = {child.pid for child in self.children.values()}
        return len([pid for pid in progress.training_pids(store) if pid not in ours])

    def _spawn(self) -> None:
        slot = next(number for number in range(self.count) if number not in self.children)
        me: Process = this_process()
        words = ["worker", "--threads", str(self.threads), "--parent", f"{me.pid}:{me.started!r}"]
        with _log_file() as output:
            environment = _environment(slot, self.threads)
            self.children[slot] = spawn("explorer", *words, output=output, environment=environment)
        self._born[slot] = time.monotonic()


def _environment(slot: int, threads: int) -> dict[str, str]:
    added = {"OMP_NUM_THREADS": str(threads), HOME_VARIABLE: str(home())}
    if gpu_count():
        visible = os.environ.get("CUDA_VISIBLE_DEVICES", "")
        names = visible.split(",") if visible else [str(number) for number in range(gpu_count())]
        added["CUDA_VISIBLE_DEVICES"] = names[slot % len(names)]
    return added


def _log_file() -> IO[bytes]:
    path = home() / "workers.log"
    long = path.exists() and path.stat().st_size > _LOG_BYTES
    return path.open("wb" if long else "ab")
