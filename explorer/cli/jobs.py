"""worker, and runs pause|resume|stop: the queue from a shell."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from typing import Any

from explorer.jobs import actions, progress
from explorer.runs.library import Library
from explorer.runs.run import Run
from explorer.runs.status import Action
from explorer.runs.store import Store

_ACTIONS = {
    Action.PAUSE: "let a run go on later",
    Action.RESUME: "queue a run again, to go on from its last checkpoint",
    Action.STOP: "end a run where it is",
}

_NICENESS = 10
"""Of a worker that the app started: whoever watches is served first, and idle cores train as fast as ever."""


def add_commands(commands: Any) -> None:
    """Add worker."""
    worker = commands.add_parser("worker", help="train queued runs in this process")
    worker.add_argument("--until-idle", action="store_true", help="end once nothing is queued")
    worker.add_argument("--threads", type=int, metavar="N", help="of each run; default: as the app's workers")
    worker.add_argument("--parent", type=_process, metavar="PID:START", help="leave with that process")
    worker.set_defaults(command=_work)


def add_actions(actions: Any) -> None:
    """Add pause, resume and stop to the actions of `runs`."""
    for action, text in _ACTIONS.items():
        parser = actions.add_parser(action.value, help=text)
        parser.add_argument("run_id")
        parser.set_defaults(command=_ask, asked=action)


def mark_interrupted() -> None:
    """Say of runs whose process is gone that they are interrupted."""
    progress.mark_interrupted(Store())


def progress_of(library: Library, run: Run) -> dict[str, Any]:
    """How far a run is: status, its reason, and the last epoch."""
    if run.source == "zoo":
        return {"epoch": run.epochs, "reason": None}
    row = actions.states(library.own(), [run.run_id]).iloc[0]
    return {"status": row["status"], "reason": row["reason"], "epoch": max(int(row["epoch"]), 0)}


def _ask(options: Namespace) -> dict[str, Any]:
    store = Store()
    actions.ASK[options.asked](store, options.run_id)
    state = store.get_state(options.run_id)
    return {"run_id": options.run_id, "status": state.status, "asked": state.command}


def _work(options: Namespace) -> dict[str, Any]:
    from explorer.jobs.worker import WorkerOptions, warm_up, work
    from explorer.jobs.worker_pool import worker_threads

    threads = options.threads or worker_threads()
    if options.parent is not None and hasattr(os, "nice"):
        os.nice(_NICENESS)
    warm_up(threads)
    trained = work(Store(), WorkerOptions(options.until_idle, options.parent, threads, _say))
    return {"runs": trained}


def _process(text: str) -> tuple[int, float]:
    pid, _, started = text.partition(":")
    return int(pid), float(started)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201
