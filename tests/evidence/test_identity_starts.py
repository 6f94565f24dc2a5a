"""Curves from an identity start: built anew they begin with the answers of the net that they come from."""

import pandas as pd
import pytest

from explorer.data.sources import digits
from explorer.evidence import construct
from explorer.evidence.construct import curve, deletions, keep, kept, started, training_from, usual
from explorer.training.recipe import Recipe
from explorer.training.trainer import Trainer

ONE = Recipe(iterations=2, device="cpu")


def test_a_net_built_from_a_trained_one_begins_with_its_error():
    shallow = Trainer(started("trained", 26, ONE).shallow.spec, ONE, digits())
    while not shallow.finished:
        shallow.step()
    expected = shallow.record().test_error_pct
    built = started("trained", 26, ONE)
    trainer = training_from(built, ONE, digits())
    first, last = curve(trainer)
    assert (first["epoch"], last["epoch"]) == (0, 1)
    assert first["test_error_pct"] == pytest.approx(expected)
    missed, needed = deletions(trainer, built.inserted)
    assert 0 <= missed <= 100
    assert 0 <= needed <= 100


def test_keeping_adds_what_is_lacking_and_says_how_it_was_made(tmp_path, monkeypatch):
    def made(start, depth, seed, recipe=None):
        rows = [{"epoch": epoch, "train_error_pct": 90.0 - epoch, "test_error_pct": 9.0} for epoch in (0, 1)]
        return pd.DataFrame(rows).assign(start=start, depth=depth, seed=seed)

    monkeypatch.setattr(construct, "measure", made)
    said = []
    assert keep(tmp_path, said.append, [20], [0, 1]) == 8
    assert keep(tmp_path, said.append, [26], [0]) == 12
    assert keep(tmp_path, said.append, [20], [1]) == 12
    table = kept(tmp_path)
    assert not table.duplicated(["start", "depth", "seed", "epoch"]).any()
    assert table.attrs["command"] == construct.COMMAND
    assert set(table.attrs) == {"command", "commit", "versions", "hardware"}
    assert said[0] == (
        "plain-20 from an identity start, trained, seed 0: training error 89.0 %, test error 9.0 %"
    )


def test_what_comes_along_shows_what_the_page_says():
    table = kept()
    last = table[table["epoch"] == 10].set_index(["start", "depth"])
    assert set(last.index) >= {("trained", 56), ("untrained", 56)}
    assert (last.loc[("untrained", 56), "train_error_pct"] < 5).all()
    assert table.loc[(table["start"] == "trained") & (table["epoch"] == 0), "train_error_pct"].max() < 0.5
    ends = usual()[lambda found: found["epoch"] == 10].groupby(["start", "depth"])["train_error_pct"].min()
    assert ends[("usual", 56)] > 50
    assert ends[("residual", 56)] < 1


def test_nothing_is_kept_where_nothing_was_written(tmp_path):
    assert kept(tmp_path).empty
    assert usual(tmp_path).empty
