"""Kept shortcuts: whole, joined with the zoo's ends, measured as they say, gone on with where stopped."""

import pandas as pd
import pytest

from explorer.data.sources import digits
from explorer.evidence import gradients, shortcuts
from explorer.evidence.shortcuts import GATES, STRENGTHS, ends, keep, kept
from explorer.nets.strength import weaken
from explorer.training.recipe import Recipe
from explorer.training.trainer import Trainer


def test_what_comes_along_is_whole():
    strengths, gates = kept(STRENGTHS), kept(GATES)
    assert (strengths.groupby(["depth", "strength", "epoch"])["seed"].nunique() == 3).all()
    assert set(strengths["strength"]) == set(shortcuts.BETWEEN)
    assert set(strengths.loc[strengths["agreement"].notna(), "epoch"]) == set(shortcuts.EPOCHS)
    deep = gates[gates["depth"] == 56]
    assert (deep[deep["block"] > 0].groupby(["bias", "seed", "epoch"])["block"].nunique() == 52).all()
    assert set(deep["bias"]) == set(shortcuts.BIASES)
    final = deep[(deep["block"] == 0) & (deep["epoch"] == 10)].groupby("bias")["train_error_pct"]
    assert final.min()[-2.0] > 50
    assert final.max()[-6.0] < 10


def test_the_ends_are_the_zoos_nets_with_the_agreement_measured_elsewhere():
    table = ends()
    assert set(table["strength"]) == {0.0, 1.0}
    plain = table[(table["depth"] == 56) & (table["strength"] == 0) & (table["epoch"] == 0)]
    known = gradients.kept(gradients.AGREEMENT)
    known = known[(known["net"] == "plain-56") & (known["start"] == "usual") & (known["epoch"] == 0)]
    assert plain["agreement"].mean() == pytest.approx(known["cosine"].mean(), abs=1e-6)
    assert table[table["epoch"] == 10].groupby("strength")["train_error_pct"].max()[1.0] < 1


def test_a_weakened_net_is_trained_and_begins_as_the_table_says():
    trainer = Trainer(
        gradients.trainer_of("residual-20", 0).spec, Recipe(iterations=1, device="cpu"), digits()
    )
    weaken(trainer.net, 0.5)
    first, _ = shortcuts._epochs(trainer, ())
    known = kept(STRENGTHS)
    known = known[(known["depth"] == 20) & (known["strength"] == 0.5) & (known["seed"] == 0)]
    assert first["ratio"] == pytest.approx(known["ratio"].iloc[0], rel=1e-3)
    assert first["test_error_pct"] == pytest.approx(known["test_error_pct"].iloc[0], abs=0.6)


def test_keeping_adds_what_is_lacking(tmp_path, monkeypatch):
    def made(depth, strength, seed):
        return pd.DataFrame(
            {"depth": [depth], "strength": [strength], "seed": [seed], "train_error_pct": [3.0]}
        )

    monkeypatch.setattr(shortcuts, "with_strength", made)
    said = []
    assert keep(tmp_path, said.append, ["strengths"], [20], [0]) == 3
    assert keep(tmp_path, said.append, ["strengths"], [20, 56], [0]) == 3
    assert len(kept(STRENGTHS, tmp_path)) == 6
    assert said[0] == "strength 0.25: training error 3.0 %, 20 layers, seed 0"
    assert kept(STRENGTHS, tmp_path).attrs["command"] == shortcuts.COMMAND
