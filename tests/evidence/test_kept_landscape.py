"""The kept landscapes are what the code measures, their middles are the nets, and keeping goes on."""

import pytest
import torch
from torch.nn import functional

from explorer.evidence import landscape
from explorer.evidence.landscape import (
    BUILT,
    NETS,
    TRAJECTORY,
    Wanted,
    choice_of,
    grid_of,
    images_of,
    kept,
    kept_trajectories,
)
from explorer.runs.net_opening import open_net


@pytest.mark.parametrize("net", NETS)
def test_the_middle_of_a_kept_grid_is_the_loss_of_the_net(net):
    loaded = open_net(choice_of(net))
    seen = images_of(loaded, "digits")
    grid = grid_of(kept(), net, "0")
    middle = grid[(grid["x"] == 0) & (grid["y"] == 0)].iloc[0]
    asked = loaded.net.train()
    with torch.no_grad():
        logits = asked(seen.images)
    asked.eval()
    assert middle["loss"] == pytest.approx(float(functional.cross_entropy(logits, seen.labels)), rel=0.02)
    wrong = 100 * float((logits.argmax(1) != seen.labels).double().mean())
    assert abs(middle["error_pct"] - wrong) <= 100 / len(seen.labels) + 1e-3


def test_every_wanted_grid_is_kept_whole():
    table = kept()
    for asked in landscape.wanted():
        grid = grid_of(table, asked.net, asked.plane, asked.statistics)
        assert len(grid) == asked.points**2
        assert grid[["loss", "error_pct"]].notna().all().all()
    assert table.attrs["command"] == landscape.COMMAND


def test_every_way_ends_at_the_origin_and_lies_on_its_plane():
    trajectories, table = kept_trajectories(), kept()
    for net in NETS:
        trajectory, grid = trajectories[trajectories["net"] == net], grid_of(table, net, TRAJECTORY)
        assert trajectory["epoch"].tolist() == list(range(11))
        assert trajectory.iloc[-1][["x", "y"]].tolist() == [0, 0]
        assert grid["x"].min() < trajectory["x"].min() < trajectory["x"].max() < grid["x"].max()
        assert 0.9 < trajectory["share_1"].iloc[0] + trajectory["share_2"].iloc[0] <= 1


def test_the_built_twin_learned_and_is_plain():
    built = open_net(choice_of(BUILT))
    assert built.net.spec.id == "plain-56"
    assert grid_of(kept(), BUILT, "0")["error_pct"].min() < 2


def test_keeping_adds_what_is_lacking(tmp_path, monkeypatch):
    monkeypatch.setattr(landscape, "wanted", lambda: iter([Wanted("residual-8", "0", "batch", 3)]))
    monkeypatch.setattr(landscape, "NETS", ("plain-8",))
    monkeypatch.setattr(landscape, "TRAJECTORY_POINTS", 3)
    (tmp_path / landscape.BUILT_FILE).touch()
    said = []
    rows = landscape.keep(tmp_path, said.append)
    assert rows == len(kept(tmp_path)) == 18
    assert [line.partition(":")[0] for line in said] == ["residual-8, plane 0, batch statistics", "plain-8"]
    assert landscape.keep(tmp_path, said.append) == rows
    assert len(said) == 2
