"""A probed net in one sentence, also where its numbers overflow."""

import pandas as pd
import pytest

from explorer.probes.responses import Responses
from explorer.runs.net_catalogue import untrained
from explorer.ui.residuals.probe_now import sentence

NET = untrained("residual-20")
INF, NAN = float("inf"), float("nan")


def told(*ratios):
    blocks = pd.DataFrame({"block": range(1, len(ratios) + 1), "residual_ratio": ratios})
    return sentence(NET, Responses(blocks, pd.DataFrame(), 32, False))


def test_blocks_are_ranked_by_what_they_change():
    assert "block 2 changes its input most (‖F(x)‖ is 1.50 times ‖x‖), block 1 least (0.50 times)" in told(
        0.5, 1.5
    )


@pytest.mark.parametrize("beyond", [INF, NAN])
def test_a_block_that_overflows_is_named_and_not_ranked(beyond):
    said = told(0.5, 1.5, beyond)
    assert "block 2 changes its input most" in said
    assert "In block 3 its values grow beyond what float32 holds." in said
    assert "nan" not in said
    assert "inf" not in said


def test_a_net_of_which_nothing_can_be_read_says_so():
    assert "In block 1 its values grow beyond what float32 holds." in told(NAN, NAN)
