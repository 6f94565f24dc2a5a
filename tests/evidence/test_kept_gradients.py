"""Kept gradients are what the code measures; a measurement goes on where it stopped; forced sizes hold."""

import numpy as np
import pandas as pd
import pytest
import torch

from explorer.evidence import gradients
from explorer.evidence.gradients import facts, in_training, keep, kept, packed, trainer_of, unpacked
from explorer.probes.strip import white_noise


def test_what_is_kept_can_be_measured_again():
    agreements, sizes = in_training("plain-20", 0, last_step=1)
    for new, file, moment in ((agreements, gradients.AGREEMENT, "epoch"), (sizes, gradients.SIZES, "step")):
        old = kept(file)
        old = old[(old["net"] == "plain-20") & (old["seed"] == 0) & (old[moment] == 0)]
        column = "cosine" if moment == "epoch" else "norm"
        ours = new[new[moment] == 0][column].to_numpy(float)
        assert ours == pytest.approx(old[column].to_numpy(float), rel=1e-3, abs=1e-4)
        assert kept(file).attrs["command"] == gradients.COMMAND


def test_what_comes_along_is_whole():
    agreement, sizes, forced = facts().agreement, facts().sizes, facts().forced
    assert set(agreement["net"]) == set(sizes["net"]) == set(gradients.NETS)
    for table, moment, moments in (
        (agreement[agreement["start"] == "usual"], "epoch", gradients.EPOCHS),
        (sizes, "step", gradients.STEPS),
    ):
        assert set(table[moment]) == set(moments)
        assert (table.groupby(["net", moment])["seed"].nunique() >= 2).all()
        assert not table.duplicated(["net", "seed", moment, "block"]).any()
    ends = forced[forced["epoch"] == 10].groupby(["net", "manner"])["train_error_pct"]
    assert ends.max()["residual-56", "share"] < 1
    assert ends.min()["plain-56", "share"] > 5
    identity = agreement[agreement["start"] == "identity"].groupby("net")["cosine"].mean()
    assert (identity > 0.05).all()
    strips = kept(gradients.STRIPS)
    assert (strips.groupby(["net", "seed"]).size() == 256).all()
    assert set(strips.loc[strips["unit"].notna(), "net"]) == set(gradients.NETS)


def test_a_strip_comes_back_to_within_a_byte():
    strip = white_noise(64, 80)
    back = unpacked(packed(strip, with_units=True))
    assert back.norms == pytest.approx(strip.norms)
    assert np.abs(back.units - strip.units).max() < 0.005
    rows = packed(strip, with_units=False)
    assert rows["unit"].isna().all()
    assert rows["lag_4"].dropna().mean() == pytest.approx(strip.cosines()[4], abs=1e-6)


def test_every_tensor_gets_its_share_of_its_own_size():
    trainer = trainer_of("plain-8", 0)
    trainer.step()
    gradients._to_share(trainer.optimizer)
    for weight in trainer.net.parameters():
        norm = float(weight.detach().norm())
        wanted = 0.3 * (norm if weight.ndim > 1 else max(norm, 1.0))
        assert float(weight.grad.norm()) == pytest.approx(wanted, rel=1e-4)
    gradients._clip(trainer.optimizer)
    total = torch.cat([weight.grad.flatten() for weight in trainer.net.parameters()]).norm()
    assert float(total) == pytest.approx(1, rel=1e-4)


def test_keeping_adds_what_is_lacking(tmp_path, monkeypatch):
    trained = []

    def measured(net, seed):
        trained.append((net, seed))
        both = {"net": [net], "seed": [seed], "block": [1]}
        first = pd.DataFrame(both | {"start": ["usual"], "epoch": [0], "cosine": [0.5]})
        return first, pd.DataFrame(both | {"step": [0], "norm": [1.0], "stem_weight": [5.0]})

    monkeypatch.setattr(gradients, "in_training", measured)
    said = []
    assert keep(tmp_path, said.append, ["training"], ["plain-20"], [0, 1]) == 2
    assert keep(tmp_path, said.append, ["training"], ["plain-20", "residual-20"], [0, 1]) == 2
    assert trained == [("plain-20", 0), ("plain-20", 1), ("residual-20", 0), ("residual-20", 1)]
    assert len(kept(gradients.SIZES, tmp_path)) == len(kept(gradients.AGREEMENT, tmp_path)) == 4
    assert said[0] == "plain-20, agreement and sizes in training, seed 0"
    with pytest.raises(ValueError, match="plain-9: give some of plain-20"):
        keep(tmp_path, said.append, nets=["plain-9"])
