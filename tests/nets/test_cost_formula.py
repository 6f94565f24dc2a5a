"""Closed form against the net that is really run."""

from itertools import product

import pytest

from explorer.nets.cost_formula import checkpointed_memory_mib, totals, training_memory_mib
from explorer.nets.cost_measured import layer_costs
from explorer.nets.spec import NetSpec

NETS = [
    "plain-8", "plain-20", "residual-14", "residual-14-B", "residual-14-C", "preact-14", "preact-14-B",
    "preact-14-C", "highway-14", "residual-11-bottleneck", "residual-20-bottleneck-B",
    "residual-11-bottleneck-C", "preact-11-bottleneck", "preact-20-bottleneck-C", "plain-11-bottleneck",
    "residual-8-w5", "residual-110", "residual-18-B-w4-s2.2.2.2-7x7s2pool", "preact-8-B-w32-stem16-act",
    "preact-8-B-w8-c8.20-s2.1-act-avg-first-norm-stemnorm-nolast-convbias",
    "residual-11-bottleneck-w4-stem6-avg", "residual-8-bottleneck-B-w8-s1.1-stem4-x2", "plain-6-w4-s2",
]  # fmt: skip


@pytest.mark.parametrize(("text", "size"), list(product(NETS, [8, 32, 13])))
def test_the_closed_form_counts_what_the_net_has(text, size):
    spec = NetSpec.parse(text, in_channels=1, classes=7)
    table, found = layer_costs(spec, size), totals(spec, size)

    assert found.parameters == table["parameters"].sum()
    assert found.macs == table["macs"].sum()
    assert found.layers == len(table)
    assert found.values * 4 / 2**20 == pytest.approx(table["activation_mib"].sum())


def test_half_precision_keeps_half_the_activations():
    spec = NetSpec("residual", 56)
    full, half = (training_memory_mib(spec, 32, 128, precision) for precision in ("fp32", "bf16"))

    assert half == pytest.approx(full / 2, rel=0.02)


def test_gates_keep_more_than_their_own_output():
    """580 MiB were measured for this net, fp32 on a CPU."""
    assert training_memory_mib(NetSpec("highway", 20), 32, 128) == pytest.approx(580, rel=0.2)


@pytest.mark.parametrize(
    ("depth", "batch", "measured", "checkpointed"),
    [(20, 32, 75, 28), (56, 32, 183, 50), (110, 32, 327, 91), (302, 32, 854, 236)],
)
def test_memory_is_within_20_per_cent_of_what_training_took(depth, batch, measured, checkpointed):
    spec = NetSpec("residual", depth)

    assert training_memory_mib(spec, 32, batch) == pytest.approx(measured, rel=0.2)
    assert checkpointed_memory_mib(spec, 32, batch) == pytest.approx(checkpointed, rel=0.2)


@pytest.mark.parametrize("text", ["plain-56", "preact-56-C", "highway-56", "residual-56-bottleneck"])
def test_checkpointing_is_estimated_to_take_less_in_every_family(text):
    spec = NetSpec.parse(text)

    assert checkpointed_memory_mib(spec, 32, 128) < 0.6 * training_memory_mib(spec, 32, 128)
