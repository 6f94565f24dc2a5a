"""Starting a cluster's training of the runs kept here, in a process of its own: nobody else loads Ray."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec

from explorer.cluster.settings import ClusterError, check_answers, checked_address
from explorer.cluster.state import read_state
from explorer.runs.store import Store
from explorer.system.processes import spawn

_PATIENCE_S = 180.0
NOT_INSTALLED = "Ray is not installed here: pip install 'resnet-explorer[cluster]'."


def start(address: str, *, store: Store | None = None) -> None:
    """See to it that the cluster trains the runs of this machine's store; waits until it does.

    Raises:
        ClusterError: it does not answer, cannot be used, or could not reach the runs.
    """
    checked_address(address)
    if store is not None and is_at_work(store, address):
        return
    check_answers(address)
    if find_spec("ray") is None:
        raise ClusterError(NOT_INSTALLED)
    process = spawn("explorer", "cluster", "start", "--cluster", address, output=subprocess.PIPE)
    try:
        output, _ = process.communicate(timeout=_PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        output, _ = process.communicate()
        raise ClusterError(
            f"The cluster at {address} took longer than {_PATIENCE_S:.0f} s to begin."
        ) from None
    if process.returncode:
        raise ClusterError(_last_line(output.decode(errors="replace")))


def is_at_work(store: Store, address: str) -> bool:
    """Whether its dispatcher has written within seconds."""
    state = read_state(store, address)
    return state is not None and state.is_fresh


def _last_line(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    ours = [line for line in lines if line.startswith("explorer: ")]
    return (ours or lines or [f"{sys.executable} ended without a word."])[-1].removeprefix("explorer: ")
