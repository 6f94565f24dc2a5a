"""A family is one row and one block class: costs, training, charts and the exported script follow."""

from __future__ import annotations

import csv
import inspect
import runpy
import sys
from dataclasses import replace

import pytest
import torch
from torch import nn

from explorer.charts import theme
from explorer.data.sources import digits
from explorer.jobs.experiment import DatasetInfo, Experiment
from explorer.jobs.sweep import finished_run
from explorer.nets import blocks
from explorer.nets.blocks import Block, BlockPlace, PostActBlock
from explorer.nets.build import build
from explorer.nets.cost_formula import totals
from explorer.nets.cost_measured import layer_costs
from explorer.nets.families import FAMILIES, NetFamily, family_title, in_order
from explorer.nets.spec import NetSpec
from explorer.training.recipe import Recipe
from explorer.training.trainer import Trainer
from explorer.transfer import script

IMAGES = DatasetInfo("digits", 8, 1, 10, 1437)


class WeighedBlock(PostActBlock):
    """ReLU(a F(x) + shortcut(x)) with a weight a per channel, a 1x1 convolution in groups."""

    @classmethod
    def at(cls, place: BlockPlace) -> WeighedBlock:
        made = cls(place.kind, place.channels, place.stride, place.stage, place.shortcut, place.layout)
        made.weigh = nn.Conv2d(place.channels[2], place.channels[2], 1, groups=place.channels[2], bias=False)
        return made

    def beside(self) -> list[nn.Module]:
        return [*super().beside(), self.weigh]

    def start(self) -> None:
        nn.init.constant_(self.weigh.weight, 0.5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.relu(self.weigh(self.branch(x)) + self.shortcut(x))


def weighing(inside, outside, before, after):
    return outside, outside * after**2, 1, outside * after**2, 0


@pytest.fixture
def weighed(monkeypatch, tmp_path):
    row = NetFamily("Weighed", "#111111", "black", "x", "WeighedBlock", shortcut=True, own_cost=weighing)
    monkeypatch.setitem(FAMILIES, "weighed", row)
    monkeypatch.setattr(blocks, "WeighedBlock", WeighedBlock, raising=False)
    text = (
        inspect.getsource(blocks) + "\n\n" + inspect.getsource(WeighedBlock).replace("torch.Tensor", "Tensor")
    )
    monkeypatch.setattr(script, "_BLOCKS", tmp_path / "blocks.py")
    (tmp_path / "blocks.py").write_text(text)
    return NetSpec("weighed", 8, 4, shortcut="B", in_channels=1)


def test_the_cost_of_a_new_family_is_known(weighed):
    found, table = totals(weighed, 8), layer_costs(weighed, 8)
    assert (found.parameters, found.macs, found.layers) == (
        table["parameters"].sum(), table["macs"].sum(), len(table)
    )  # fmt: skip


def test_a_new_family_can_be_ordered_named_and_read_back(weighed):
    assert NetSpec.parse("weighed-8-B-w4", in_channels=1) == weighed
    assert weighed.title == "Weighed-8-B-w4"
    spec = Experiment(families=("weighed",), depth=8, shortcut="C").specs(IMAGES)[0]
    assert (spec.family, spec.shortcut) == ("weighed", "C")
    assert theme.in_order(["weighed", "plain"]) == ["plain", "weighed"]


def test_the_exported_script_trains_a_new_family_bit_by_bit(weighed, tmp_path, monkeypatch):
    trainer = Trainer(weighed, Recipe(iterations=3, batch_size=400, device="cpu"), digits())
    records = list(trainer.records())
    (tmp_path / "run.py").write_text(script.join_script(finished_run("run", trainer, records), 1))
    monkeypatch.setattr(sys, "argv", ["run.py", "--curve", str(tmp_path / "curve.csv")])
    threads = torch.get_num_threads()
    try:
        runpy.run_path(str(tmp_path / "run.py"), run_name="__main__")
    finally:
        torch.set_num_threads(threads)
    rows = list(csv.DictReader((tmp_path / "curve.csv").read_text().splitlines()))
    assert [float(row["train_loss"]) for row in rows[1:]] == [one.train_loss for one in records[1:]]
    assert float(rows[-1]["test_loss"]) == records[-1].test_loss


@pytest.mark.parametrize("family", FAMILIES)
def test_every_row_names_a_block_class_and_builds(family):
    assert issubclass(getattr(blocks, FAMILIES[family].block_class), Block)
    spec = NetSpec(family, 8, 4)
    net = build(spec)
    assert sum(part.numel() for part in net.parameters()) == totals(spec).parameters
    assert (net.block_list()[0].shortcut is not None) == spec.traits.shortcut
    assert sum(block.layers for block in net.block_list()) + 2 == spec.depth


def test_a_family_refuses_what_its_row_leaves_out():
    for family, row in FAMILIES.items():
        if not row.shortcut:
            with pytest.raises(ValueError, match="no shortcut options"):
                NetSpec(family, 8, shortcut="B")
        if "gate_bias" not in row.options:
            with pytest.raises(ValueError, match="Only highway nets have a gate bias"):
                NetSpec(family, 8, gate_bias=-3.0)
        if not row.laid_out:
            layout = replace(NetSpec(depth=8).design, pool=True)
            with pytest.raises(ValueError, match="CIFAR design only"):
                NetSpec(family, layout=layout)


def test_one_order_and_one_title_everywhere():
    assert in_order(["highway", "own", "preact", "plain"]) == ["plain", "preact", "highway", "own"]
    assert (family_title("preact"), family_title("own")) == ("preact-ResNet", "own")
    assert theme.in_order is in_order
