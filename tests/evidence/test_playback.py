"""Kept epochs: within the promised points of the exact nets, opened by key, told where they are not there."""

from dataclasses import replace

import pandas as pd
import pytest

from explorer.data.sources import digits
from explorer.evidence import playback
from explorer.nets.weight_history import rebuild
from explorer.probes.probe_images import probe_images
from explorer.runs import weight_files
from explorer.runs.net_catalogue import NetError, find_net, trained_nets
from explorer.runs.net_opening import named_net, open_net
from explorer.runs.zoo import Zoo
from explorer.training.recipe import Recipe

NETS = [f"digits-{net}-s{playback.SEED}" for net in playback.NETS]


@pytest.fixture(scope="module")
def choices():
    return trained_nets(Zoo().runs())


def error_pct(loaded):
    asked = probe_images(digits(), "test", loaded)
    return 100 * float((loaded.net(asked.images).argmax(1) != asked.labels).float().mean())


@pytest.mark.parametrize("run_id", NETS)
def test_every_kept_epoch_has_the_error_that_was_measured_of_the_exact_weights(choices, run_id):
    assert weight_files.epochs_of(run_id) == tuple(range(11))
    about = weight_files.about(weight_files.history_of(run_id))
    assert about["largest_difference_points"] <= playback.MOST_POINTS
    for epoch in (0, 1, 5, 10):
        kept = open_net(find_net(choices, f"{run_id}@{epoch}"))
        one_image = 100 / 360  # another processor may round an image to the other side
        assert error_pct(kept) == pytest.approx(
            about["test_error_pct"][epoch], abs=playback.MOST_POINTS + one_image
        )


def test_a_key_opens_the_net_as_it_was_and_says_where_its_weights_come_from(choices):
    early, _ = named_net("digits-residual-20-s0@1", Zoo().runs())
    assert early.title.endswith("after epoch 1")
    assert "trained again with the same recipe and seed" in early.origin
    assert 5 < error_pct(early) < 80
    untrained = open_net(find_net(choices, "digits-residual-20-s0@0"))
    assert not untrained.trained
    assert untrained.title.endswith("seed 0, before its first step")
    assert error_pct(untrained) > 80


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("digits-residual-20-s0@11", "Kept are epochs 0 to 10"),
        ("digits-residual-20-s0@x", "no epoch 'x'"),
        ("digits-residual-8-s0@3", "Its epochs are not kept"),
    ],
)
def test_an_epoch_that_is_not_kept_is_told(choices, key, said):
    with pytest.raises(NetError, match=said):
        find_net(choices, key)


def test_a_file_that_is_damaged_is_told(tmp_path):
    path = tmp_path / "x.parquet"
    path.write_bytes(b"no table")
    with pytest.raises(ValueError, match="damaged"):
        weight_files.about(path)


def test_a_run_is_recorded_with_its_differences_and_found_by_its_id(tmp_path):
    run = next(run for run in Zoo().manifest if run.run_id == "digits-residual-8-s0")
    short = replace(run, recipe=Recipe(iterations=24, batch_size=128, device="cpu"))
    path = tmp_path / weight_files.FOLDER / f"{run.run_id}.parquet"
    said = playback.record(short, path)
    assert "residual-8: 4 epochs" in said
    assert weight_files.history_of(run.run_id, tmp_path) == path
    about = weight_files.about(path)
    assert about["epochs"] == [0, 1, 2, 3]
    assert about["largest_difference_points"] <= playback.MOST_POINTS
    assert len(rebuild(pd.read_parquet(path), 3)) > 20
