"""cluster start|status: runs that are trained on several machines."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from explorer.cluster.settings import ClusterError, asked_cluster, checked_address
from explorer.cluster.state import last_address, read_state
from explorer.runs.store import Store
from explorer.training.estimates import duration


def add_commands(commands: Any) -> None:
    """Add cluster."""
    parser = commands.add_parser("cluster", help="train queued runs on a Ray cluster")
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    starter = actions.add_parser("start", help="let a cluster train the queued runs; returns once it does")
    starter.set_defaults(command=_start)
    status = actions.add_parser("status", help="nodes, what runs where, and the queue")
    status.set_defaults(command=_status)
    for action in (starter, status):
        action.add_argument("--cluster", metavar="HOST:PORT", help="default: EXPLORER_CLUSTER")


def _start(options: Namespace) -> dict[str, Any]:
    address = _address(options)
    try:
        from explorer.cluster.dispatcher import start_dispatcher
    except ModuleNotFoundError as error:
        from explorer.cluster.start import NOT_INSTALLED

        raise ClusterError(NOT_INSTALLED) from error
    start_dispatcher(address)
    return {"cluster": address, "trains": Store().place}


def _status(options: Namespace) -> dict[str, Any]:
    store = Store()
    address = options.cluster or asked_cluster() or last_address(store)
    state = read_state(store, checked_address(address)) if address else None
    if state is None:
        raise ClusterError(
            "No cluster has trained these runs yet. `python -m explorer cluster start --cluster HOST:PORT` "
            "lets one do so."
        )
    return {
        "cluster": state.address,
        "at_work": state.is_fresh,
        "nodes": state.nodes.to_dict("records"),
        "running": sum(map(len, state.nodes["runs"])),
        "queued": state.waiting,
        "left": None if state.seconds_left is None else duration(state.seconds_left),
        "problem": state.problem or None,
    }


def _address(options: Namespace) -> str:
    address = options.cluster or asked_cluster()
    if address is None:
        raise ClusterError("Say which cluster: --cluster HOST:PORT, or EXPLORER_CLUSTER.")
    return checked_address(address)
