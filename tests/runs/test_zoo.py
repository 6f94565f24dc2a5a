"""The zoo: made from real runs, resumed, baked, read back, and the one that ships is sound."""

import json
import shutil
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest

from explorer.jobs.sweep import RunConfig, sweep, train_group
from explorer.jobs.zoo_runs import (
    DIGITS_DEPTHS,
    HIGHWAY_DEPTHS,
    digits_runs,
    save_half_precision,
    small_digits_runs,
)
from explorer.nets.checkpoints import load_checkpoint
from explorer.nets.spec import NetSpec
from explorer.runs.run import RESULTS, TABLE_COLUMNS
from explorer.runs.run_folder import archives, read_archive
from explorer.runs.zoo import PRETRAINED, Zoo
from explorer.runs.zoo_build import write_zoo
from explorer.training.recipe import Recipe

PLANS = [RunConfig(f"{family}-8", Recipe(epochs=1, seed=seed, device="cpu"), "digits")
         for family in ("plain", "residual") for seed in (0, 1)]  # fmt: skip


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    folder = tmp_path_factory.mktemp("work")
    train_group(PLANS, folder)
    return folder


@pytest.fixture(scope="module")
def zoo(work, tmp_path_factory):
    folder = tmp_path_factory.mktemp("pretrained")
    write_zoo(work, folder, ["plain-8"], partial(save_half_precision, "digits"))
    return Zoo(folder)


def test_a_sweep_trains_only_what_is_missing(work, tmp_path):
    assert list(sweep(PLANS, work)) == []
    more = [*PLANS, RunConfig("plain-8", Recipe(epochs=1, seed=2, device="cpu"), "digits")]
    before = {path: path.stat().st_mtime_ns for path in archives(work)}
    copy = tmp_path / "copy"
    copy.mkdir()
    for path in archives(work):
        (copy / path.name).symlink_to(path)
    lines = list(sweep(more, copy, workers=1))
    assert all(line.startswith("plain-8-s2: ") for line in lines)
    assert "(1 of 1 nets done)" in lines[-1]
    assert before == {path: path.stat().st_mtime_ns for path in archives(work)}


def test_a_folder_half_written_is_no_finished_run(work, tmp_path):
    (tmp_path / "plain-8-s0.part").mkdir()
    (tmp_path / "plain-8-s0.part" / "run.json").write_text("{}")
    (tmp_path / "plain-8-s1").mkdir()
    assert archives(tmp_path) == []


def test_the_zoo_reads_back_what_was_trained(work, zoo):
    run, tables = read_archive(work / "plain-8-s1")
    for name in TABLE_COLUMNS:
        table = getattr(zoo, name)([run.run_id])
        assert list(table.columns) == list(TABLE_COLUMNS[name])
        for column in table.columns:
            np.testing.assert_array_equal(table[column].to_numpy(), tables[name][column].to_numpy())


def test_weights_of_the_first_seed_are_kept_and_tested(zoo):
    kept = [run for run in zoo.manifest if run.checkpoint]
    assert [(run.spec.id, run.recipe.seed) for run in kept] == [("plain-8", 0)]
    checkpoint = load_checkpoint(kept[0].checkpoint)
    assert checkpoint.spec == kept[0].spec
    assert checkpoint.dataset == "digits"


def test_baking_again_replaces_only_that_dataset(work, zoo, tmp_path):
    manifest = tmp_path / "manifest.json"
    other = zoo.manifest[0].row() | {"dataset": "other", "run_id": "other-run"}
    manifest.write_text(json.dumps([other]))
    write_zoo(work, tmp_path, [], partial(save_half_precision, "digits"))
    datasets = [row["dataset"] for row in json.loads(manifest.read_text())]
    assert datasets == ["other"] + ["digits"] * len(PLANS)


@pytest.fixture
def parts(work, tmp_path):
    """The runs of seed 0 in one folder, those of seed 1 in another."""
    for seed in (0, 1):
        (tmp_path / f"seed{seed}").mkdir()
        for path in archives(work):
            if path.name.endswith(f"-s{seed}"):
                (tmp_path / f"seed{seed}" / path.name).symlink_to(path)
    return [tmp_path / "seed0", tmp_path / "seed1"]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_runs_added_part_by_part_make_the_zoo_of_all_at_once(zoo, parts, tmp_path, order):
    folder = tmp_path / "zoo"
    for part in order:
        write_zoo(parts[part], folder, ["plain-8"], partial(save_half_precision, "digits"), add=True)
    added = Zoo(folder)
    for run, whole in zip(added.manifest, zoo.manifest, strict=True):
        assert run.results == pytest.approx(whole.results, rel=1e-6)
        assert bool(run.checkpoint) == bool(whole.checkpoint)
        assert replace(run, checkpoint=whole.checkpoint, results=whole.results) == whole
    ids = [run.run_id for run in zoo.manifest]
    for name in TABLE_COLUMNS:
        ours, theirs = (
            getattr(part, name)(ids).sort_values(list(TABLE_COLUMNS[name])).reset_index(drop=True)
            for part in (added, zoo)
        )
        pd.testing.assert_frame_equal(ours, theirs)
    assert load_checkpoint(folder / "digits" / "plain-8.safetensors").recipe["seed"] == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda row: row["recipe"].update(lr=0.5), "plain-8 was trained with two recipes"),
        (lambda row: row["provenance"].update(data_hash="0" * 64), "different images"),
    ],
)
def test_what_cannot_stand_beside_the_zoo_is_refused_and_the_zoo_stays(parts, tmp_path, change, message):
    folder = tmp_path / "zoo"
    write_zoo(parts[0], folder, [], partial(save_half_precision, "digits"))
    before = (folder / "manifest.json").read_text()
    foreign = tmp_path / "foreign"
    shutil.copytree(parts[1] / "plain-8-s1", foreign / "plain-8-s1")
    row = json.loads((foreign / "plain-8-s1" / "run.json").read_text())
    change(row)
    (foreign / "plain-8-s1" / "run.json").write_text(json.dumps(row))
    with pytest.raises(ValueError, match=message):
        write_zoo(foreign, folder, [], partial(save_half_precision, "digits"), add=True)
    assert (folder / "manifest.json").read_text() == before


def test_runs_of_another_length_stand_beside_those_of_one_name(zoo, tmp_path):
    folder, longer = tmp_path / "zoo", tmp_path / "longer"
    shutil.copytree(zoo.folder, folder)
    train_group([RunConfig("plain-8", Recipe(epochs=2, seed=0, device="cpu"), "digits")], longer)

    runs = write_zoo(longer, folder, ["plain-8"], partial(save_half_precision, "digits"), add=True)

    lengths = {run.run_id: run.iterations for run in runs}
    assert lengths["digits-plain-8-s0"] == 11
    assert lengths["digits-plain-8-22-s0"] == 22
    both = Zoo(folder)
    kept = {run.run_id: run.checkpoint for run in both.manifest if run.checkpoint}
    assert set(kept) == {"digits-plain-8-s0", "digits-plain-8-22-s0"}
    assert len({load_checkpoint(path).recipe["epochs"] for path in kept.values()}) == 2
    assert both.epochs(["digits-plain-8-22-s0"])["epoch"].tolist() == [0, 1, 2]
    assert both.epochs(["digits-plain-8-s0"])["epoch"].tolist() == [0, 1]


def test_weights_go_once_both_twins_were_trained_for_longer(zoo, tmp_path):
    folder, longer, twins = tmp_path / "zoo", tmp_path / "longer", ["plain-8", "residual-8"]
    shutil.copytree(zoo.folder, folder)
    train_group([RunConfig(net, Recipe(epochs=2, seed=0, device="cpu"), "digits") for net in twins], longer)

    runs = write_zoo(longer, folder, twins, partial(save_half_precision, "digits"), add=True)

    kept = {run.run_id for run in runs if run.checkpoint and run.spec.id in twins}
    assert kept == {"digits-plain-8-22-s0", "digits-residual-8-22-s0"}
    short = next(run for run in Zoo(folder).manifest if run.run_id == "digits-plain-8-s0")
    assert short.checkpoint is None
    assert short.results["test_error_pct"] > 0
    assert not (folder / "digits" / "plain-8.safetensors").exists()


def test_an_empty_zoo_gives_empty_tables(tmp_path):
    zoo = Zoo(tmp_path)
    assert zoo.runs().empty
    assert list(zoo.epochs(["x"]).columns) == list(TABLE_COLUMNS["epochs"])


def test_nothing_to_bake_is_said(tmp_path):
    with pytest.raises(ValueError, match="holds none"):
        write_zoo(tmp_path, tmp_path / "out", [], partial(save_half_precision, "digits"))


# What ships.


def test_the_shipped_digits_zoo_is_complete():
    runs = Zoo().runs().query("dataset == 'digits'")
    found = set(zip(runs["id"], runs["seed"], strict=True))
    assert found == {(config.net, config.recipe.seed) for config in digits_runs()}
    assert len(found) == 3 * (2 * len(DIGITS_DEPTHS) + len(HIGHWAY_DEPTHS))


def test_the_shipped_curves_end_where_the_manifest_says():
    zoo = Zoo()
    kept = [run for run in zoo.manifest if not run.checkpoint]
    ends = zoo.epochs([run.run_id for run in kept]).groupby("run_id").last()
    for run in kept:
        for name in RESULTS:
            assert ends.loc[run.run_id, name] == pytest.approx(run.results[name], rel=1e-6)
        assert ends.loc[run.run_id, "iteration"] == run.iterations


def test_twins_share_settings_and_size():
    by_key = {(run.dataset, run.spec.id, run.recipe.seed, run.iterations): run for run in Zoo().manifest}
    plain = [run for run in by_key.values() if run.spec.family == "plain"]
    assert plain
    for run in plain:
        twin = by_key[run.dataset, run.spec.twin.id, run.recipe.seed, run.iterations]
        assert (twin.recipe, twin.parameters) == (run.recipe, run.parameters)
        assert twin.provenance["data_hash"] == run.provenance["data_hash"]


def test_the_manifest_has_the_fields_that_scripts_read():
    rows = json.loads((PRETRAINED / "manifest.json").read_text())
    for row in rows:
        assert {
            "id",
            "dataset",
            "seed",
            "checkpoint",
            "train_error_pct",
            "test_error_pct",
            "iterations",
        } <= set(row)
        assert NetSpec.from_dict(row["spec"]).id == row["id"]
        assert row["checkpoint"] is None or (PRETRAINED / row["checkpoint"]).is_file()


def test_every_shipped_checkpoint_makes_the_errors_that_the_manifest_says():
    from explorer.data.sources import open_dataset
    from explorer.training.evaluation import evaluate_split

    kept = [run for run in Zoo().manifest if run.checkpoint and run.dataset == "digits"]
    assert len(kept) >= 10
    for run in kept:
        checkpoint = load_checkpoint(run.checkpoint)
        assert checkpoint.spec == run.spec
        found = evaluate_split(checkpoint.net, open_dataset("digits"), "test", checkpoint.normalisation)
        # another processor may round a single image over the edge
        assert abs(found.wrong - run.results["test_error_pct"] * 3.6) <= 1


def test_the_shipped_zoo_is_small():
    size = sum(path.stat().st_size for path in PRETRAINED.rglob("*") if path.is_file())
    assert size < 48 * 2**20


def test_the_small_zoo_compares_regularisers_at_every_depth_and_names_no_two_runs_alike():
    configs = small_digits_runs()
    assert len({config.name for config in configs}) == len(configs) == (4 * 3 + 2) * 3
    assert {config.data for config in configs} == {"digits-small"}
    assert {config.recipe.regularisers for config in configs} == {"", "-survival0.5", "-dropout0.3"}
    assert configs[0].net == "residual-302"


def test_block_records_can_be_kept_of_fewer_epochs_than_curves(work, tmp_path):
    write_zoo(work, tmp_path, [], partial(save_half_precision, "digits"), blocks_every=2)
    zoo = Zoo(tmp_path)
    run = zoo.manifest[0].run_id
    assert set(zoo.blocks([run])["epoch"]) == set(zoo.layers([run])["epoch"]) == {0}
    assert set(zoo.epochs([run])["epoch"]) == {0, 1}
