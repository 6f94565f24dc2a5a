"""What do 200 kills cost a run, as a ratio to one that is never killed, and do they change a bit of it?

Workers are killed as `kill -9` does it, at instants drawn at random: after a step, within a transaction,
before or after its commit, with a file half written, before its sync, around its rename, or at any
millisecond. After each kill the run must be found interrupted and is resumed. In the end its records
and weights must equal, bit by bit, those of a run that was never killed; the ratio is the time of all
sessions together over that run's time.
"""

import argparse
import os
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import torch
from _alternating import hardware

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "work"))

import kill_processes as processes

from explorer.jobs import actions
from explorer.nets.checkpoints import load_checkpoint
from explorer.runs.run import TABLES
from explorer.runs.run_paths import HOME_VARIABLE
from explorer.runs.store import Store

CLOCKS = ["run_id", "seconds", "images_per_s"]


def same(store: Store, one: str, other: str) -> bool:
    """Whether two finished runs have the same records and weights."""
    weights = [
        load_checkpoint(store.get_run(run_id).checkpoint or "").net.state_dict() for run_id in (one, other)
    ]
    tables = (
        [getattr(store, name)([run_id]).drop(columns=CLOCKS, errors="ignore") for run_id in (one, other)]
        for name in TABLES
    )
    return all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0]) and all(
        ours.equals(theirs) for ours, theirs in tables
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1, help="of the instants")
    parser.add_argument("--epochs", type=int, default=400)
    arguments = parser.parse_args()

    print(hardware())
    torch.set_num_threads(1)
    recipe = replace(processes.RECIPE, epochs=arguments.epochs)
    with tempfile.TemporaryDirectory() as folder, processes.Nursery() as nursery:
        os.environ[HOME_VARIABLE] = folder
        store = Store()

        def submit() -> str:
            return actions.submit(store, processes.SPEC, recipe, processes.DATA)

        def finished(run_id: str) -> str:
            assert not nursery.kill_and_resume(store, run_id, None)
            return run_id

        warm = finished(submit())
        began = time.perf_counter()
        whole = finished(submit())
        whole_s = time.perf_counter() - began
        assert same(store, warm, whole)
        killed, began, survivors, run_id = 0, time.perf_counter(), [], submit()
        for instant in processes.instants(arguments.kills, arguments.seed):
            if nursery.kill_and_resume(store, run_id, instant):
                killed += 1
            else:  # it came to its end before
                survivors.append(run_id)
                run_id = submit()
        survivors.append(finished(run_id))
        seconds = (time.perf_counter() - began) / len(survivors)
        equal = sum(same(store, whole, survivor) for survivor in survivors)
        print(
            f"{killed} kills in {len(survivors)} runs of {arguments.epochs} epochs: {equal} equal bit by bit"
        )
        print(f"a killed run {seconds:.1f} s, never killed {whole_s:.1f} s, ratio {seconds / whole_s:.2f}")
        sys.exit(equal != len(survivors))


if __name__ == "__main__":
    main()
