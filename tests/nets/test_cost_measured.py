"""Costs: the paper's totals, and torch's own counter on a real forward pass."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from explorer.nets.build import build
from explorer.nets.cost_formula import training_memory_mib
from explorer.nets.cost_measured import block_costs, describe, layer_costs
from explorer.nets.spec import NetSpec

# a gated layer, each shortcut option, both kinds of block
NETS = ["plain-14", "residual-14-B", "residual-14-C", "preact-14", "highway-14", "residual-11-bottleneck-C"]
NETS += [
    "residual-10-B-w4-s1.1.1.1-7x7s2pool",
    "preact-8-B-w32-stem16-act",
    "residual-8-B-w4-stem6-avg-convbias",
]


@pytest.mark.parametrize(
    ("depth", "mega_macs"),
    [(20, 40.6), (32, 68.9), (44, 97.2), (56, 125.5), (110, 252.9)],
)
@pytest.mark.parametrize("family", ["plain", "residual"])
def test_multiply_adds_are_those_of_the_paper(family, depth, mega_macs):
    assert round(describe(NetSpec(family, depth))["macs"] / 1e6, 1) == mega_macs


def test_the_deepest_net_has_the_multiply_adds_of_the_paper():
    assert round(describe(NetSpec("residual", 1202))["macs"] / 1e6, 1) == 2829.2


@pytest.mark.parametrize("text", NETS)
@pytest.mark.parametrize("size", [8, 32])
def test_multiply_adds_are_half_of_torchs_flops(text, size):
    spec = NetSpec.parse(text)
    net = build(spec).eval()

    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        net(torch.randn(1, 3, size, size))

    assert 2 * layer_costs(spec, size)["macs"].sum() == counter.get_total_flops()


@pytest.mark.parametrize("text", NETS)
def test_each_row_is_the_output_of_a_real_layer(text):
    spec = NetSpec.parse(text, in_channels=1)
    net = build(spec).eval()
    modules = dict(net.named_modules())
    outputs = {}
    table = layer_costs(spec, 12).set_index("name")
    for name in table.index:
        modules[name].register_forward_hook(lambda _m, _x, out, name=name: outputs.setdefault(name, out))

    with torch.no_grad():
        net(torch.randn(1, 1, 12, 12))

    assert list(outputs) == list(table.index)
    for name, out in outputs.items():
        row = table.loc[name]
        assert row["activation_mib"] * 2**20 == out.numel() * out.element_size()
        shape = tuple(int(row[column]) for column in ("out_channels", "out_height", "out_width"))
        assert shape == (*out.shape[1:], 1, 1)[:3]


@pytest.mark.parametrize("text", NETS)
def test_parameters_of_the_rows_add_up_to_the_nets(text):
    spec = NetSpec.parse(text)

    assert layer_costs(spec)["parameters"].sum() == sum(p.numel() for p in build(spec).parameters())


def test_rows_say_where_a_layer_stands():
    table = layer_costs(NetSpec("residual", 14))

    assert set(table.loc[table["block"] == -1, "stage"]) == {0}
    assert table.groupby("block")["stage"].first().to_dict() == {-1: 0, 0: 1, 1: 1, 2: 2, 3: 2, 4: 3, 5: 3}
    assert table["name"].is_unique
    assert (table["kind"].iloc[0], table["kind"].iloc[-1]) == ("Conv2d", "Linear")


def test_describe_adds_the_layers_up():
    spec = NetSpec("highway", 14, in_channels=1, classes=5)
    table, totals = layer_costs(spec, 8), describe(spec, 8)

    assert totals["id"] == "highway-14"
    assert (totals["depth"], totals["family"], totals["blocks"]) == (14, "highway", 12)
    assert totals["parameters"] == table["parameters"].sum()
    assert totals["macs"] == table["macs"].sum()
    assert totals["activation_mib"] == pytest.approx(table["activation_mib"].sum(), abs=1e-3)


def test_training_memory_grows_with_the_batch_by_what_the_backward_pass_needs():
    spec = NetSpec("residual", 110)
    one, many = (training_memory_mib(spec, 32, size) for size in (1, 129))
    layers = layer_costs(spec)
    needed = layers.loc[layers["kind"].isin(["Conv2d", "ReLU"]), "activation_mib"].sum()

    assert many - one == pytest.approx(128 * needed, rel=0.2)
    assert one > 3 * 1_727_962 * 4 / 2**20


@pytest.mark.parametrize("size", [0, 3, 1025])
def test_image_sizes_that_cannot_be_meant_are_refused(size):
    with pytest.raises(ValueError, match="between 4 and 1024"):
        layer_costs(NetSpec(), size)


@pytest.mark.parametrize(
    "text", ["plain-14", "residual-14-B", "preact-14", "highway-14", "residual-20-bottleneck"]
)
def test_a_receptive_field_is_the_support_of_the_gradient(text):
    spec = NetSpec.parse(text, in_channels=1)
    net = build(spec).eval()
    for name, parameter in net.named_parameters():
        torch.nn.init.constant_(parameter, 0.01 if "gate" not in name and parameter.ndim > 1 else 1)
    size = 129
    image = torch.ones(1, 1, size, size, requires_grad=True)
    table = block_costs(spec, size)
    maps = net.stem(image)
    for row, block in zip(table["receptive_field"][1:-1], net.block_list(), strict=True):
        maps = block(maps)
        middle = maps.shape[-1] // 2
        (gradient,) = torch.autograd.grad(maps[0, 0, middle, middle], image, retain_graph=True)
        seen = gradient[0, 0].ne(0).any(0).nonzero()
        assert int(seen.max() - seen.min()) + 1 == min(row, size)


@pytest.mark.parametrize("text", NETS)
def test_parts_add_up_to_the_layers(text):
    spec = NetSpec.parse(text)
    parts, layers = block_costs(spec), layer_costs(spec)

    assert parts["parameters"].sum() == layers["parameters"].sum()
    assert parts["macs"].sum() == layers["macs"].sum()
    assert parts["part"].tolist()[0] == "stem"
    assert parts["part"].tolist()[-1] == "head"
    assert parts["layer"].iloc[-1] == spec.depth


def test_parts_say_their_shortcuts():
    nets = ("plain-14", "residual-14", "residual-14-B", "residual-14-C")
    kinds = [block_costs(NetSpec.parse(text))["shortcut"].tolist()[1:-1] for text in nets]
    assert kinds[0] == ["none"] * 6
    assert kinds[1] == ["identity", "identity", "padding", "identity", "padding", "identity"]
    assert kinds[2] == ["identity", "identity", "projection", "identity", "projection", "identity"]
    assert kinds[3] == ["projection"] * 6
