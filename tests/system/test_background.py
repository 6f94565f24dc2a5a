"""A background task runs once at a time, says how it ended, and can be cancelled from anywhere."""

import json
import os
import sys

import psutil
import pytest

from explorer.system.background import BackgroundTask
from explorer.system.processes import lives


@pytest.fixture
def task(tmp_path, monkeypatch):
    """A task, and its programs as modules that `python -m` finds."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *sys.path]))
    return BackgroundTask(tmp_path / "task.json")


def program(task, body):
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    task.path.with_name("program.py").write_text(
        "import sys, time\nfrom pathlib import Path\nfrom explorer.system.background import BackgroundTask\n"
        f"def work(state, progress):\n{lines}\nBackgroundTask(Path(sys.argv[1])).run(work)\n"
    )
    return "program", [str(task.path)]


def wait(task):
    """Until the process has ended."""
    pid = task.state["pid"]
    gone, _ = psutil.wait_procs([psutil.Process(pid)] if psutil.pid_exists(pid) else [], 60)
    assert not task.running, gone
    return task.state


def test_it_tells_how_far_it_came_and_that_it_is_done(task):
    assert task.state is None
    assert task.start(*program(task, "progress('counting', 3, 4)"), what="numbers")

    state = wait(task)

    assert (state["phase"], state["done"], state["total"], state["what"]) == ("done", 3, 4, "numbers")


def test_it_runs_once_at_a_time_and_can_be_started_again(task):
    sleeping = program(task, "time.sleep(600)")
    assert task.start(*sleeping)
    assert not task.start(*sleeping)
    pid, started = task.state["pid"], task.state["started"]

    assert task.cancel()["pid"] == pid
    assert not lives(pid, started)
    assert (task.state["phase"], task.cancel()) == ("cancelled", None)
    assert task.start(*program(task, "pass"))
    assert wait(task)["phase"] == "done"


def test_what_went_wrong_is_its_message(task):
    task.start(*program(task, "raise ValueError('there is no room')"))
    state = wait(task)

    assert (state["phase"], state["message"]) == ("failed", "there is no room")


def test_one_that_was_killed_is_interrupted(task):
    task.start(*program(task, "time.sleep(600)"))
    psutil.Process(task.state["pid"]).kill()

    assert wait(task)["phase"] == "interrupted"


def test_one_that_was_cancelled_before_it_began_does_nothing(task):
    task.path.write_text(json.dumps({"phase": "cancelled"}))
    ran = []
    task.run(lambda state, progress: ran.append(state))

    assert (ran, task.state["phase"]) == ([], "cancelled")


@pytest.mark.parametrize("text", ["", "{", "[]", "7"])
def test_a_damaged_state_is_that_of_a_task_that_never_began(task, text):
    task.path.write_text(text)

    assert task.state is None
    assert not task.running


def test_the_state_of_an_earlier_version_is_understood(task):
    task.path.write_text(json.dumps({"phase": "downloading", "done": 5, "since": 1.0}))

    assert (task.state["phase"], task.state["done"]) == ("interrupted", 5)
