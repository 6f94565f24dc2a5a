"""A sweep: killed and gone on with, bit by bit as if never stopped; progress, time left, and the recipes."""

import logging
import os
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import pandas as pd
import psutil
import pytest
import torch
from safetensors.torch import load_file
from sweep_process import CONFIGS

from explorer.jobs.eta import EpochDone, EtaEstimator
from explorer.jobs.sweep import RunConfig, sweep, train_group
from explorer.jobs.zoo_runs import make_run_configs
from explorer.runs.run_folder import archives, read_archive
from explorer.system.paths import ROOT
from explorer.training.recipe import Recipe

TIMES = ["seconds", "images_per_s"]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The same sweep, never stopped."""
    folder = tmp_path_factory.mktemp("whole")
    train_group(CONFIGS, folder)
    return folder


def start(work):
    script = Path(__file__).with_name("sweep_process.py")
    paths = os.pathsep.join([str(ROOT), str(script.parent)])
    return subprocess.Popen(
        [sys.executable, str(script), str(work)], stdout=subprocess.PIPE, text=True,
        env=os.environ | {"PYTHONPATH": paths, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip


def kill(process):
    """The sweep, at once and without a word; those that train for it notice by themselves."""
    family = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.wait(20)
    process.stdout.close()
    _, alive = psutil.wait_procs(family, 120)
    assert alive == []


def assert_same(one, other):
    for config in CONFIGS:
        first, second = (load_file(work / config.name / "weights.safetensors") for work in (one, other))
        assert first.keys() == second.keys()
        assert all(torch.equal(first[name], second[name]) for name in first)
        (_, tables), (_, others) = read_archive(one / config.name), read_archive(other / config.name)
        for name in tables:
            left, right = (table[name].drop(columns=TIMES, errors="ignore") for table in (tables, others))
            pd.testing.assert_frame_equal(left, right, check_exact=True)


def test_a_killed_sweep_goes_on_after_its_last_epoch_bit_by_bit(whole, tmp_path):
    process = start(tmp_path)
    for line in process.stdout:
        if "plain-8-s0: epoch 1 of 4" in line:
            break
    kill(process)
    assert archives(tmp_path) == []
    assert len(list(tmp_path.glob(".partial/*"))) == 2

    lines = list(sweep(CONFIGS, tmp_path, workers=1, together=2))

    assert "goes on after epoch" in lines[0]
    assert not any(": epoch 1 of 4" in line or "starts" in line for line in lines)
    assert_same(whole, tmp_path)
    assert list(tmp_path.glob(".partial/*")) == []
    assert list(sweep(CONFIGS, tmp_path)) == []


def test_a_damaged_partial_run_begins_again(whole, tmp_path, caplog):
    (tmp_path / ".partial").mkdir()
    for config in CONFIGS:
        (tmp_path / ".partial" / f"{config.name}.resume").write_bytes(b"PK\x03\x04 half a file")

    with caplog.at_level(logging.WARNING):
        train_group(CONFIGS, tmp_path)

    assert "begins again" in caplog.text
    assert_same(whole, tmp_path)


def test_a_partial_run_of_another_recipe_begins_again(whole, tmp_path, caplog):
    from explorer.data.sources import open_dataset
    from explorer.jobs.sweep_checkpoint import SweepCheckpoint
    from explorer.nets.spec import NetSpec
    from explorer.training.trainer import Trainer

    spec, recipe = NetSpec.parse("plain-8", in_channels=1), Recipe(epochs=1, device="cpu")
    other = Trainer(spec, recipe, open_dataset("digits:800"))
    SweepCheckpoint(tmp_path / ".partial" / "plain-8-s0.resume", other).keep(other.record())

    with caplog.at_level(logging.WARNING):
        train_group(CONFIGS, tmp_path)

    assert "other settings" in caplog.text
    assert_same(whole, tmp_path)


def test_a_finished_run_of_another_recipe_is_not_taken_for_this_one(whole):
    config = RunConfig("plain-8", Recipe(epochs=3, device="cpu"), "digits:800")

    with pytest.raises(ValueError, match=r"another recipe\. Give another folder"):
        list(sweep([config], whole))


def epoch(run, number, fraction, **more):
    return EpochDone(run, number, 4, fraction, 50.0, 60.0, **more)


@pytest.fixture
def clock(monkeypatch):
    now = [100.0]
    monkeypatch.setattr("explorer.jobs.eta.time.monotonic", lambda: now[0])
    return now


def test_time_left_follows_depth_and_is_there_from_the_first_epoch_on(clock):
    eta = EtaEstimator({"a": 20, "b": 40}, parallelism=1)
    eta.update(epoch("a", 0, 0.0))
    assert eta.seconds_left() is None
    clock[0] += 10
    eta.update(epoch("a", 1, 0.5))

    assert eta.seconds_left() == pytest.approx(50)  # 10 layers took 10 s; 10 + 40 are left
    assert str(eta) == "0 of 2 nets done, about 50 s left"


def test_what_an_earlier_sweep_did_is_not_taken_for_speed(clock):
    eta = EtaEstimator({"a": 20}, parallelism=1)
    eta.update(epoch("a", 2, 0.5, resumed=True))
    assert eta.seconds_left() is None
    clock[0] += 10
    eta.update(epoch("a", 3, 0.75))

    assert eta.seconds_left() == pytest.approx(10)


def test_the_last_net_has_one_lane_only(clock):
    eta = EtaEstimator({"a": 10, "b": 10}, parallelism=2)
    clock[0] += 10
    eta.update(epoch("a", 4, 1.0))
    eta.update(epoch("b", 2, 0.5))

    assert eta.seconds_left() == pytest.approx(5 / (1.5 / 2))
    eta.update(epoch("b", 4, 1.0))
    assert str(eta) == "2 of 2 nets done"


def choice(**changes):
    values = {
        "families": ("plain",), "depths": (20, 110), "seeds": (3,), "data": "digits", "fraction": None,
        "epochs": None, "precision": "fp32", "device": "cpu",
        "lr": None, "schedule": None, "warmup_epochs": None, "kernels": "eager",
    }  # fmt: skip
    return Namespace(**(values | changes))


def test_epochs_on_digits_are_epochs_of_its_recipe():
    configs = make_run_configs(choice(epochs=7))

    assert {config.recipe for config in configs} == {Recipe(epochs=7, seed=3, device="cpu")}


def test_epochs_on_other_data_are_the_papers_recipe_in_short(tmp_path):
    from image_files import encoded, write_images

    for name in "ab":
        write_images(tmp_path, {f"train/{name}/{number}.png": encoded() for number in range(150)})
    deep, shallow = make_run_configs(choice(epochs=5, data=str(tmp_path)))

    short = shallow.recipe
    assert (short.iterations, short.schedule, short.drops) == (10, "step", (0.5, 0.75))
    assert (short.lr, short.augment, short.warmup) == (0.1, True, 0.0)
    assert (deep.net, deep.recipe.warmup) == ("plain-110", 0.1)


def test_epochs_and_fraction_exclude_each_other():
    with pytest.raises(ValueError, match="not both"):
        make_run_configs(choice(epochs=5, fraction=0.1))
