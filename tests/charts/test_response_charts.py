"""Responses drawn: the same traces at every epoch, axes that stay, both findings in words, maps and rows."""

import math

import numpy as np
import pandas as pd
import pytest

from explorer.charts.heat_map import describe_heat, heat_map
from explorer.charts.responses import (
    QUANTITIES,
    NetSeries,
    axes_for,
    beyond,
    describe_responses,
    in_layer_order,
    response_table,
    sorted_by_size,
)
from explorer.charts.start_against_end import describe_start, start_against_end

STD = QUANTITIES["std"]
NETS = (
    NetSeries("plain-8", "plain-8", "plain", 8),
    NetSeries("residual-8", "ResNet-8", "residual", 8),
    NetSeries("residual-14", "ResNet-14", "residual", 14),
)


def records(value_of, seeds=(0, 1, 2), epochs=(0, 1, 2)):
    rows = [
        (f"{net.key}-s{seed}", net.key, epoch, layer, value_of(net, epoch, layer, seed))
        for net in NETS for seed in seeds for epoch in epochs for layer in range(1, net.depth)
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=["run_id", "net", "epoch", "layer", "response_std"])
    return response_table(table.drop(columns="net"), table[["run_id", "net"]].drop_duplicates(), STD)


@pytest.fixture
def table():
    return records(lambda net, epoch, layer, seed: (1 + epoch) / layer + 0.01 * seed)


@pytest.fixture
def axes(table):
    return axes_for(table, NETS, STD, log=True, said="BN in eval mode")


def test_values_are_medians_with_their_range_over_the_seeds(table):
    row = table[(table["net"] == "plain-8") & (table["epoch"] == 1) & (table["layer"] == 2)].iloc[0]
    assert (row["value"], row["low"], row["high"]) == pytest.approx((1.01, 1.0, 1.02))
    assert row["seeds"] == 3


def test_one_exploding_seed_does_not_become_the_value():
    table = records(lambda net, epoch, layer, seed: 1e30 if seed == 2 else 1.0)
    assert table["value"].tolist() == [1.0] * len(table)
    assert table["high"].max() == 1e30


def test_every_epoch_has_the_same_traces_axes_and_mode(table, axes):
    figures = [draw(table, axes, epoch) for draw in (in_layer_order, sorted_by_size) for epoch in (0, 1, 2)]
    for figure in figures:
        assert [trace.name for trace in figure.data] == ["plain-8", "ResNet-8", "ResNet-14"]
        assert figure.layout.yaxis.range == figures[0].layout.yaxis.range
        assert figure.layout.yaxis.title.text == "std of the response"
        assert "eval mode" in figure.layout.annotations[0].text
    assert "layer" in figures[0].layout.xaxis.title.text
    assert "sorted by size" in figures[-1].layout.xaxis.title.text


def test_sorting_keeps_the_values_and_orders_them(table, axes):
    ordered, ranked = in_layer_order(table, axes, 2), sorted_by_size(table, axes, 2)
    for one, other in zip(ordered.data, ranked.data, strict=True):
        assert sorted(one.y, reverse=True) == list(other.y)
        assert list(other.x) == list(range(1, len(other.y) + 1))


@pytest.mark.parametrize("log", [True, False])
def test_what_lies_beyond_the_axis_is_drawn_on_its_edge_and_counted(log):
    table = records(lambda net, epoch, layer, seed: [1e33, math.inf, 1.0][epoch])
    axes = axes_for(table, NETS, STD, log=log, said="")
    count = len(table) // 3
    assert [beyond(table, axes, epoch) for epoch in (0, 1, 2)] == [count, count, 0]
    assert set(in_layer_order(table, axes, 1).data[0].y) == {axes.high}
    assert math.isfinite(axes.high)


def test_hover_and_description_say_net_layer_epoch_and_spread(table, axes):
    said = in_layer_order(table, axes, 1).data[1].hovertext[0]
    assert said == "ResNet-8, layer 1, epoch 1:<br>Response std 2.01 (2 to 2.02 over 3 seeds)"
    words = describe_responses(table, axes, 1)
    assert "after epoch 1" in words
    assert "eval mode" in words
    assert "ResNet-14" in words


def test_the_description_counts_what_overflows_and_leaves_it_out():
    table = records(lambda net, epoch, layer, seed: [2.0, 3.0, math.inf, math.nan][min(layer - 1, 3)])
    words = describe_responses(table, axes_for(table, NETS[:1], STD, log=False, said=""), 0)
    assert "plain-8: 2 in the first, 3 in the last, median 2.5; 5 of 7 grow beyond" in words
    assert "nan" not in words
    nothing = records(lambda *_: math.inf)
    words = describe_responses(nothing, axes_for(nothing, NETS[:1], STD, log=False, said=""), 0)
    assert "plain-8: beyond what float32 holds" in words


def test_the_heat_map_has_the_lines_values_and_ends(table, axes):
    figure = heat_map(table, NETS[1], axes)
    (trace,) = figure.data
    assert np.shape(trace.z) == (7, 3)
    assert 10 ** trace.z[1][2] == pytest.approx(1.51)
    assert (10**trace.zmin, 10**trace.zmax) == pytest.approx((axes.low, axes.high))
    assert figure.layout.xaxis.title.text == "epoch"
    assert "typical value" in describe_heat(table, NETS[1], axes)


def test_start_against_end_has_an_open_and_a_filled_mark_per_net(table, axes):
    figure = start_against_end(table, axes)
    names = [trace.name for trace in figure.data if trace.mode == "markers"]
    assert names == [f"{net.title}, {when}" for net in reversed(NETS) for when in ("untrained", "trained")]
    assert figure.data[1].marker.symbol.endswith("-open")
    assert "untrained" in describe_start(table, axes)
    powers_of_ten = {text.strip("0.") for text in figure.layout.xaxis.ticktext} == {"1"}
    assert powers_of_ten  # on a phone labels of more would collide
