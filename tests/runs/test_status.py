"""The one table of actions and statuses, and what is offered where nothing would change."""

import pytest

from explorer.runs.status import ACTIVE, ANSWERS, Action, Command, Status, allowed, changes

OFFERED = {  # by status: what a button is there for, where nothing was asked before
    Status.QUEUED: {"pause", "step", "stop", "delete"},
    Status.RUNNING: {"pause", "step", "stop", "delete"},
    Status.PAUSED: {"resume", "step", "stop", "delete"},
    Status.INTERRUPTED: {"resume", "step", "stop", "retry", "delete"},
    Status.STOPPED: {"resume", "step", "retry"},
    Status.FAILED: {"resume", "step", "retry"},
    Status.DONE: set(),
}


@pytest.mark.parametrize("status", Status)
def test_what_is_offered_in_each_status(status):
    assert {action for action in Action if changes(action, status)} == OFFERED[status]


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("status", Status)
def test_an_action_asked_twice_is_an_action_asked_once(action, status):
    """Whatever it brings about, the same action has nothing left to change there, and is not refused."""
    if not changes(action, status):
        return
    answer = ANSWERS[action][status]
    if isinstance(answer, Command):
        assert not changes(action, status, answer)
    else:
        command = Command.STEP if action is Action.STEP else None
        assert not changes(action, answer, command)
        assert answer in allowed(action)


@pytest.mark.parametrize("asked", [Command.PAUSE, Command.STEP, Command.STOP])
def test_what_was_asked_of_a_running_run_can_be_taken_back(asked):
    assert changes(Action.RESUME, Status.RUNNING, asked)
    assert not changes(Action.RESUME, Status.RUNNING, Command.RESUME)


def test_a_status_is_active_or_finished_or_waits_for_a_person():
    assert ACTIVE == ("queued", "running")
    assert [status for status in Status if status.is_finished] == ["done", "stopped", "failed"]


def test_a_running_run_is_asked_for_what_was_pressed():
    commands = {action: answers.get(Status.RUNNING) for action, answers in ANSWERS.items()}

    assert commands == {
        Action.PAUSE: "pause", Action.RESUME: "resume", Action.STEP: "step", Action.STOP: "stop",
        Action.RETRY: None, Action.DELETE: "stop",
    }  # fmt: skip


def test_what_is_not_in_the_table_is_refused():
    assert allowed(Action.PAUSE) == ("queued", "running", "paused")
    assert Status.DONE not in allowed(Action.RESUME)
    assert set(allowed(Action.DELETE)) == set(Status)


def test_every_command_and_status_of_the_table_can_come_out_of_it():
    for action, answers in ANSWERS.items():
        for status, answer in answers.items():
            assert isinstance(answer, Command) <= (status is Status.RUNNING), (action, status)
