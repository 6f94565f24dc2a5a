"""Who trains queued runs: this machine's workers, or the cluster that EXPLORER_CLUSTER names."""

from __future__ import annotations

import logging
import threading
import time
from functools import lru_cache

from explorer.cluster.settings import ClusterError, asked_cluster
from explorer.cluster.start import is_at_work, start
from explorer.jobs.worker_pool import ensure_workers
from explorer.runs import maintenance
from explorer.runs.store import Store, StoreError

log = logging.getLogger(__name__)

_PERIOD_S = 5.0
_AGAIN_S = 30.0
_UPKEEP_S = 3600.0
_beginning = threading.Lock()


def ready() -> str:
    """See to it that queued runs are trained, from now on; returns at once.

    Returns:
        Why none is trained now, for a person; empty where there is nothing to tell.
    """
    try:
        address = asked_cluster()
        if address is None:
            return str(ensure_workers().problem)
        with _beginning:
            return _tender(address).problem
    except (ValueError, OSError) as error:
        return str(error)


@lru_cache(maxsize=1)
def _tender(address: str) -> Tender:
    tender = Tender(address)
    tender.begin()
    return tender


class Tender:
    """Starts the cluster's dispatcher wherever it is gone; the runs themselves need nobody here.

    Args:
        address: of the cluster.
    """

    def __init__(self, address: str) -> None:
        """Nothing is started yet."""
        self.address, self.problem = address, ""
        self._store: Store | None = None
        self._upkept = 0.0
        self._thread = threading.Thread(target=self._run, name="cluster", daemon=True)

    def begin(self) -> None:
        """Begin, in a thread of this process."""
        self._thread.start()

    def tend(self) -> None:
        """One look, after which `problem` says what is wrong.

        Raises:
            ValueError: the cluster or the store cannot be used.
        """
        self._store = self._store or Store()
        if not self._upkept or time.monotonic() - self._upkept > _UPKEEP_S:
            self._upkept = time.monotonic()
            maintenance.run_maintenance(self._store)
        if not is_at_work(self._store, self.address):
            start(self.address)
        self.problem = ""

    def _run(self) -> None:
        while True:
            wait = _PERIOD_S
            try:
                self.tend()
            except (ClusterError, StoreError, OSError) as error:
                wait = _AGAIN_S if isinstance(error, ClusterError) else _PERIOD_S
                if str(error) != self.problem:
                    self.problem = str(error)
                    log.warning("%s", self.problem)
            time.sleep(wait)
