"""What training records of blocks and layers: names that never change, and the numbers of the probes."""

import pytest
import torch
from torch.nn import functional

from explorer.charts.responses import QUANTITIES
from explorer.nets.build import build
from explorer.nets.spec import NetSpec
from explorer.probes.recorded import RECORDED, Moment, columns, measure
from explorer.probes.responses import ResponseProbe, gradient_norms


def test_names_in_stored_records_never_change():
    assert columns("block") == ("residual_norm", "input_norm", "residual_ratio", "gradient_norm")
    assert columns("layer") == ("response_std",)


@pytest.mark.parametrize("trained", [False, True])
def test_everything_is_measured_once_per_block_and_layer(trained):
    net, images = build(NetSpec("residual", 8), seed=1), torch.randn(4, 3, 8, 8)
    if trained:
        functional.cross_entropy(net(images), torch.arange(4)).backward()
    responses = ResponseProbe(net).measure([images])

    blocks, layers = measure(Moment(net, responses))

    assert tuple(blocks.columns) == ("block", "stage", "layer", *columns("block"))
    assert tuple(layers.columns) == ("layer", *columns("layer"))
    assert blocks["residual_ratio"].tolist() == responses.blocks["residual_ratio"].tolist()
    assert layers["response_std"].tolist() == responses.layers["response_std"].tolist()
    assert blocks["gradient_norm"].isna().all() != trained
    if trained:
        assert blocks["gradient_norm"].tolist() == gradient_norms(net.block_list()).tolist()


def test_what_the_residuals_page_draws_is_recorded_under_the_same_name():
    known = {one.column: one for one in RECORDED}
    for quantity in QUANTITIES.values():
        assert (known[quantity.column].title, known[quantity.column].of) == (quantity.title, quantity.of)


def test_each_entry_says_what_it_is():
    assert len({one.column for one in RECORDED}) == len(RECORDED)
    for one in RECORDED:
        assert one.title
        assert one.unit
        assert one.axis is None or one.axis.top > max(one.axis.floors)
