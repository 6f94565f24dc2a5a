"""The exported script: one file that repeats the trainer's numbers, to the last bit."""

import csv
import runpy
import subprocess
import sys
from dataclasses import replace

import pytest
import torch
from PIL import Image

from explorer.data.sources import digits, open_dataset
from explorer.jobs.sweep import finished_run
from explorer.nets.spec import NetSpec
from explorer.runs.library import Library
from explorer.runs.zoo import Zoo
from explorer.training.history import EPOCH_COLUMNS
from explorer.training.recipe import Recipe
from explorer.training.trainer import Trainer
from explorer.transfer.script import join_script, run_script

SHORT = Recipe(iterations=5, batch_size=400, device="cpu")
CASES = {
    "plain": (NetSpec("plain", 8, 4), SHORT),
    "residual, steps, warm-up": (NetSpec("residual", 14, 4), replace(SHORT, schedule="step", seed=3)),
    "projections": (NetSpec("residual", 8, 4, shortcut="C"), replace(SHORT, lr=0.1)),
    "bottlenecks": (NetSpec("residual", 11, 4, block="bottleneck", shortcut="B"), SHORT),
    "pre-activation": (NetSpec("preact", 8, 4, shortcut="B"), SHORT),
    "highway": (NetSpec("highway", 8, 4, gate_bias=-3.0), SHORT),
    "augmented": (NetSpec("residual", 8, 4), replace(SHORT, augment=True)),
    "bf16": (NetSpec("residual", 8, 4), replace(SHORT, precision="bf16")),
    "stochastic depth": (NetSpec("residual", 14, 4), replace(SHORT, survival=0.5)),
    "dropout, by epochs": (NetSpec("preact", 8, 4), replace(SHORT, iterations=None, epochs=1, dropout=0.3)),
    "checkpointing": (NetSpec("residual", 8, 4), replace(SHORT, checkpointing=True)),
}


def trained(spec, recipe, dataset):
    spec = replace(spec, in_channels=dataset.split("train").in_channels, classes=len(dataset.classes))
    trainer = Trainer(spec, recipe, dataset)
    records = list(trainer.records())
    return finished_run("a-run", trainer, records), records, trainer


def run_again(text, folder, monkeypatch, *words):
    file = folder / "a-run.py"
    file.write_text(text)
    monkeypatch.setattr(sys, "argv", [str(file), "--curve", str(folder / "curve.csv"), *words])
    threads = torch.get_num_threads()
    try:
        runpy.run_path(str(file), run_name="__main__")
    finally:
        torch.set_num_threads(threads)
    with (folder / "curve.csv").open() as lines:
        return list(csv.DictReader(lines))


def assert_same(rows, records):
    shared = [name for name in EPOCH_COLUMNS if name in rows[0]]
    assert len(shared) == 7
    for row, record in zip(rows, records, strict=True):
        for name in shared:
            assert repr(float(row[name])) == repr(float(getattr(record, name))), name


@pytest.mark.parametrize("case", CASES)
def test_the_script_repeats_the_run_bit_by_bit(case, tmp_path, monkeypatch):
    run, records, trainer = trained(*CASES[case], digits())
    weights = str(tmp_path / "weights.pt")
    rows = run_again(join_script(run, 1), tmp_path, monkeypatch, "--weights", weights)
    assert_same(rows, records)
    with trainer.as_tested() as net:
        expected, found = net.state_dict(), torch.load(weights, weights_only=True)
        assert list(found) == list(expected)
        assert all(torch.equal(found[name], expected[name]) for name in expected)


@pytest.mark.parametrize("name", ["digits-validation", "digits-small"])
def test_the_parts_of_digits_are_the_same(name, tmp_path, monkeypatch):
    run, records, _ = trained(NetSpec("plain", 8, 4), replace(SHORT, iterations=1), open_dataset(name))
    assert_same(run_again(join_script(run, 1), tmp_path, monkeypatch), records)


@pytest.fixture
def pictures(tmp_path):
    generator = torch.Generator().manual_seed(0)
    for split, count in (("train", 20), ("test", 6)):
        for label in ("cat", "dog"):
            folder = tmp_path / "pictures" / split / label
            folder.mkdir(parents=True)
            for number in range(count):
                pixels = torch.randint(256, (8, 8, 3), generator=generator, dtype=torch.uint8)
                Image.fromarray(pixels.numpy()).save(folder / f"{number:02d}.png")
    return tmp_path / "pictures"


def test_a_folder_of_colour_images_is_mirrored_and_checked(pictures, tmp_path, monkeypatch):
    recipe = Recipe(epochs=2, batch_size=8, augment=True, device="cpu")
    run, records, _ = trained(NetSpec("residual", 8, 4), recipe, open_dataset(str(pictures)))
    text = join_script(run, 1)
    assert_same(run_again(text, tmp_path, monkeypatch, "--data", str(pictures)), records)
    (pictures / "train" / "cat" / "00.png").unlink()
    with pytest.raises(SystemExit, match="not the run's training images"):
        run_again(text, tmp_path, monkeypatch, "--data", str(pictures))
    run_again(text, tmp_path, monkeypatch, "--data", str(pictures), "--other-data")
    with pytest.raises(SystemExit, match="--data FOLDER"):
        run_again(text, tmp_path, monkeypatch)


def test_it_needs_nothing_of_the_explorer(tmp_path):
    run = next(run for run in Zoo().manifest if run.spec.id == "plain-8")
    run, recipe = replace(run, run_id="alone"), replace(run.recipe, iterations=1, epochs=1)
    file = tmp_path / "alone.py"
    file.write_text(join_script(replace(run, recipe=recipe), 1))
    assert "explorer" not in file.read_text().replace("ResNet Explorer", "")
    done = subprocess.run(
        [sys.executable, "-I", "-W", "error", str(file)], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "test_error_pct:" in done.stdout.splitlines()[-1]


def test_what_a_stranger_wrote_stays_a_text(make_run):
    evil = '"""\nimport os; os.abort()\n"""'
    run = make_run(
        dataset=evil, provenance={"versions": {"torch": evil}, "hardware": evil, "data_hash": evil}
    )
    text = join_script(run)
    settings = {}
    exec(compile(text.partition("\nclass ")[0], "script", "exec"), settings)
    assert settings["SETTINGS"]["data"]["name"] == evil
    assert "os.abort()" not in settings["__doc__"]


def test_threads_are_those_of_the_run(store, make_run):
    store.add_run(make_run("mine"), threads=2)
    assert "'threads': 2" in run_script(store, "mine")
    assert "'threads': 1" in run_script(Library([Zoo()]), "digits-plain-8-s0")


def test_a_fused_run_is_said_to_repeat_up_to_rounding():
    spec, recipe = CASES["plain"]
    eager = finished_run("a-run", Trainer(replace(spec, in_channels=1), recipe, digits()), [])
    fused = replace(eager, recipe=replace(recipe, kernels="fused"))

    assert "is repeated bit by bit" in join_script(eager)
    assert "is repeated bit by bit" not in join_script(fused)
    assert "trained with fused kernels" in join_script(fused)
