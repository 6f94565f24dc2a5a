"""Which cluster trains here, how it is reached, and what its nodes must be told; nothing here loads Ray."""

from __future__ import annotations

import hashlib
import os
import re
import socket
from collections.abc import Iterable

from explorer.runs.run_paths import HOME_VARIABLE, home
from explorer.runs.store import Store
from explorer.system.limits import LIMITS, PROFILE_VARIABLE
from explorer.system.processes import this_process

CLUSTER_VARIABLE = "EXPLORER_CLUSTER"
LOCAL = "local"
NAMESPACE = "explorer"
_ADDRESS = re.compile(r"[A-Za-z0-9._-]+:\d{1,5}")
_OF_THIS_MACHINE = {
    "EXPLORER_WORKERS", CLUSTER_VARIABLE, PROFILE_VARIABLE, *(limit.variable for limit in LIMITS.values())
}  # fmt: skip
_REACH_S = 5.0


class ClusterError(ValueError):
    """The cluster cannot be used; the text says why and what to do."""


def asked_cluster() -> str | None:
    """The address in EXPLORER_CLUSTER; None where this machine's own workers train.

    Raises:
        ClusterError: the variable is neither `local` nor an address.
    """
    asked = os.environ.get(CLUSTER_VARIABLE, "").strip()
    return None if asked in ("", LOCAL) else checked_address(asked)


def checked_address(text: str) -> str:
    """The text, if it is HOST:PORT.

    Raises:
        ClusterError: it is not.
    """
    if not _ADDRESS.fullmatch(text):
        raise ClusterError(
            f"'{text[:60]}' is not the address of a Ray cluster. Give HOST:PORT, as `ray start "
            f"--head` prints it, "
            f"or {LOCAL} in {CLUSTER_VARIABLE} to train with this machine's workers."
        )
    return text


def check_answers(address: str) -> None:
    """Raise a ClusterError where nothing listens at the address: Ray itself would try for a minute."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), _REACH_S).close()
    except (OSError, OverflowError) as error:
        raise ClusterError(
            f"The cluster at {address} does not answer ({error}). Start it with `ray start --head`, and give "
            "the address that it prints."
        ) from error


def check_shared(store: Store, hosts: Iterable[str], storage: str | None) -> None:
    """Raise a ClusterError where machines of the cluster could not reach this machine's runs."""
    others = sorted(set(hosts) - {this_process().host})
    lacking = [] if store.database.url.get_backend_name() == "postgresql" else ["EXPLORER_DATABASE_URL"]
    lacking += [] if storage else ["EXPLORER_STORAGE"]
    if others and lacking:
        raise ClusterError(
            f"The cluster has machines besides this one ({', '.join(others[:3])}), which cannot reach the "
            f"runs kept here. Set {' and '.join(lacking)} to a PostgreSQL database and a storage that all "
            "of them reach: docs/cluster.md."
        )


def settings() -> dict[str, str]:
    """The environment that a node needs to find the same runs: all of ours but what is of one machine."""
    ours = {
        name: value
        for name, value in os.environ.items()
        if name.startswith("EXPLORER_") and name not in _OF_THIS_MACHINE
    }
    return ours | {HOME_VARIABLE: str(home())}


def actor_name(store: Store) -> str:
    """Name of the dispatcher of a store; one cluster may serve several."""
    return f"dispatcher-{hashlib.sha256(store.place.encode()).hexdigest()[:16]}"
