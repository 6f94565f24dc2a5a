"""The calibration: kept, read back, refused where it is another machine's, started once."""

import json

import pandas as pd
import pytest

from explorer.jobs import machine_speed
from explorer.nets.spec import NetSpec
from explorer.training.estimates import Timing, estimate
from explorer.training.recipe import Recipe

SPEC = NetSpec("residual", 20, in_channels=1)


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch):
    monkeypatch.setenv("EXPLORER_HOME", str(tmp_path))


@pytest.fixture
def calibrated(monkeypatch):
    steps = [Timing(SPEC, 8, 128, 0.05), Timing(SPEC, 32, 128, 0.9)]
    monkeypatch.setattr("explorer.training.calibration.time_steps", lambda *_: steps)
    return machine_speed.calibrate()


def own_run(step_s, device="cpu", **more):
    recipe = Recipe(device=device)
    row = {"status": "done", "source": "mine", "seconds": 110 * step_s, "iterations": 110, "image_size": 8}
    return row | {"spec": SPEC.to_dict(), "recipe": recipe.to_dict()} | more


def test_nothing_is_known_before_it_is_measured():
    assert machine_speed.load_calibration() is None
    assert machine_speed.speed("auto", "fp32") is None
    assert machine_speed.available_mib("cpu") > 0


def test_what_was_measured_is_read_back(calibrated):
    assert calibrated.auto in calibrated.devices
    assert calibrated.timings["cpu", "fp32", "eager"][1] == Timing(SPEC, 32, 128, 0.9)
    assert machine_speed.speed("cpu", "bf16") is not None
    assert not machine_speed.start_calibration()


@pytest.mark.parametrize("damage", ["other machine", "cut", "other version"])
def test_what_another_machine_measured_does_not_count(calibrated, damage):
    kept = json.loads(machine_speed.speed_path().read_text())
    if damage == "other machine":
        kept["machine"] = "another"
    if damage == "other version":
        kept["version"] = 0
    text = json.dumps(kept)
    machine_speed.speed_path().write_text(text[:50] if damage == "cut" else text)

    assert machine_speed.load_calibration() is None


def test_fused_kernels_are_timed_where_they_can_be_built(calibrated):
    timed = {kernels for _, _, kernels in calibrated.timings}

    assert timed == ({"eager"} if calibrated.build_s is None else {"eager", "fused"})


def test_without_a_compiler_only_eager_steps_are_timed(monkeypatch):
    monkeypatch.setattr("explorer.training.calibration.time_steps", lambda *_: [Timing(SPEC, 8, 128, 0.05)])
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.delenv("CXX", raising=False)
    found = machine_speed.calibrate()

    assert found.build_s is None
    assert machine_speed.speed("cpu", "fp32", kernels="fused") is None
    assert machine_speed.speed("cpu", "fp32") is not None


def test_runs_with_other_kernels_are_not_compared_with(calibrated):
    fused = Recipe(device="cpu", kernels="fused")
    rows = [own_run(0.2), own_run(0.1, recipe=fused.to_dict())]
    found = machine_speed.speed("cpu", "fp32", pd.DataFrame(rows))

    assert [run.step_s for run in found.runs] == pytest.approx([0.2])


def test_own_finished_runs_on_the_same_device_are_compared_with(calibrated):
    rows = [own_run(0.2), own_run(9.0, status="stopped"), own_run(9.0, source="zoo"), own_run(9.0, "cuda")]
    found = machine_speed.speed("cpu", "fp32", pd.DataFrame(rows))

    assert [run.step_s for run in found.runs] == pytest.approx([0.2])
    assert "this very net" in estimate(SPEC, Recipe(), 8, 1437, found).basis


def test_measuring_is_started_once():
    assert machine_speed.start_calibration()
    pid = machine_speed._task().state["pid"]
    assert machine_speed.start_calibration()

    assert machine_speed._task().cancel()["pid"] == pid
