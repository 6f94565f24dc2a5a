"""Processes that train a run and are killed at a chosen instant; importable, since they are started anew.

An instant is a place in the work and how often that is reached before the process ends as `kill -9`
ends it: nothing is flushed, no handler runs.
"""

import json
import os
import random
import signal
import subprocess
import sys
import threading
from dataclasses import astuple, dataclass

from sqlalchemy import event

from explorer.jobs import actions, resume, run_queue, training_loop
from explorer.nets.spec import NetSpec
from explorer.runs import provenance, rows
from explorer.runs.store import Store
from explorer.system import files
from explorer.system.processes import this_process
from explorer.training.recipe import Recipe
from explorer.training.trainer import Trainer

PLACES = (
    "after a step", "inside a transaction", "before its commit", "after its commit", "half a file written",
    "before its sync", "before its rename", "after its rename", "any time",
)  # fmt: skip
_MILLISECONDS = 400
DATA = "digits-small"
SPEC = NetSpec(depth=8, width=4, in_channels=1)
RECIPE = Recipe(epochs=40, batch_size=50, device="cpu", augment=True, dropout=0.1)


@dataclass(frozen=True)
class Instant:
    """Where a process dies: at the `count`-th time that it comes to `place`."""

    place: str
    count: int


def instants(number, seed):
    """So many instants, each place equally often, in random order."""
    chance = random.Random(seed)
    places = [PLACES[index % len(PLACES)] for index in range(number)]
    chance.shuffle(places)
    most = {"after a step": 12, "any time": _MILLISECONDS}
    return [Instant(place, chance.randint(1, most.get(place, 3))) for place in places]


class Nursery:
    """A process with everything imported, that makes a copy of itself for each run to be killed."""

    def __enter__(self):
        self._process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        return self

    def __exit__(self, *_error):
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(60)

    def train(self, *arguments):
        """Train in a new process; how it ended."""
        self._process.stdin.write(json.dumps(arguments) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def kill_and_resume(self, store, run_id, instant):
        """Train the queued run in a process that dies at the instant; whether it did, and waits again."""
        code = self.train(str(store.database.url), run_id, instant and astuple(instant))
        assert code in (0, -signal.SIGKILL), code
        if code == 0:
            return False
        row = actions.states(store, [run_id]).iloc[0]
        assert row["status"] == "interrupted", row["status"]
        actions.resume(store, run_id)
        return True


def nurse():
    """Make a copy of this process for each line that is read, and write how it ended.

    Nothing is trained before: torch starts threads then, which a copy would not have.
    """
    Trainer(SPEC, RECIPE, training_loop.opened(DATA))  # an optimiser's first use imports for seconds
    provenance.commit()
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            url, run_id, instant = json.loads(line)
            train_and_die(url, run_id, instant and Instant(*instant))
            os._exit(0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])}\n")
        sys.stdout.flush()


def train_and_die(url, run_id, instant):
    """Take the run, train it, and die at the instant, unless the run ends before."""
    store = Store(url)
    job = run_queue.take(store, this_process(), run_id)
    if instant is not None:
        _arm(store, instant)
    training_loop.train(training_loop.TrainingSession(store), job)
    store.close()


def _arm(store, instant):
    left = [instant.count]

    def passed():
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    place = instant.place
    if place == "any time":
        timer = threading.Timer(instant.count / 1000, os.kill, (os.getpid(), signal.SIGKILL))
        timer.daemon = True
        timer.start()
    elif place == "after a step":
        _wrap(Trainer, "step", after=passed)
    elif place == "inside a transaction":
        _wrap(rows, "series_values", before=passed)
    elif place == "before its commit":
        event.listen(store.database._engine, "commit", lambda _connection: passed())
    elif place == "after its commit":
        _wrap(Store, "add_epoch", after=passed)
    elif place == "half a file written":
        _halve(passed)
    else:
        when, name = place.split(" its ")
        _wrap(files.os, {"sync": "fsync", "rename": "replace"}[name], **{when: passed})


def _wrap(holder, name, before=None, after=None):
    original = getattr(holder, name)

    def wrapped(*arguments):
        if before is not None:
            before()
        result = original(*arguments)
        if after is not None:
            after()
        return result

    setattr(holder, name, wrapped)


def _halve(passed):
    original = resume.replace_file

    def half(path, data):
        torn = path.with_name(f".checkpoint-{os.getpid()}-1-{'0' * 16}.partial")
        torn.write_bytes(bytes(data[: len(data) // 2]))
        passed()
        torn.unlink()
        original(path, data)

    resume.replace_file = half


if __name__ == "__main__":
    nurse()
