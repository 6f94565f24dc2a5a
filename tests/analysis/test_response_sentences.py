"""Figure 7's findings: answers follow from medians, name their cases, and say what they depend on."""

from types import SimpleNamespace

import pandas as pd
import pytest

from explorer.analysis import responses

NETS = tuple(
    SimpleNamespace(key=f"{family}-{depth}", family=family, depth=depth)
    for family, depth in (("plain", 8), ("residual", 8), ("plain", 14), ("residual", 14))
)


def typical(sizes):
    rows = [(key, 2, layer, size) for key, size in sizes.items() for layer in (1, 2, 3)]
    table = pd.DataFrame(rows, columns=["net", "epoch", "layer", "value"])
    return responses.typical(table, NETS, 2)


def test_both_findings_hold_where_the_numbers_say_so():
    values = typical({"plain-8": 2.0, "residual-8": 1.0, "residual-14": 0.5})
    first = responses.against_plain(values, "after epoch 2")
    assert first.holds
    assert str(first) == (
        "**Do residual nets respond less than plain nets?** Here: yes at 8 layers. Response std, median over "
        "layers and seeds, after epoch 2: 1 against 2 in plain-8."
    )
    second = responses.by_depth(values, responses.STD, "after epoch 2")
    assert second.holds
    assert "Here: yes from 8 to 14 layers." in str(second)


def test_what_depends_names_which_is_which():
    values = typical({"plain-8": 2.0, "residual-8": 1.0, "plain-14": 1.0, "residual-14": 1.01})
    first = responses.against_plain(values, "at the end")
    assert not first.holds
    assert first.text == "yes at 8 layers; hardly any difference (less than 3 %) at 14 layers"
    assert not responses.by_depth(values, responses.STD, "").holds


@pytest.mark.parametrize(("residual", "holds"), [(0.969, True), (0.971, False), (1.04, False)])
def test_three_per_cent_make_a_difference(residual, holds):
    found = responses.against_plain(typical({"plain-8": 1.0, "residual-8": residual}), "")
    assert found.holds == holds
    assert ("other way round" in found.text) == (residual > 1.03)


def test_another_quantity_is_another_question():
    values = typical({"residual-8": 1.0, "residual-14": 0.5})
    assert str(responses.by_depth(values, "‖F(x)‖", "")).startswith("**Is ‖F(x)‖ smaller in deeper")


def test_without_a_pair_or_two_depths_there_is_no_answer():
    assert responses.against_plain(typical({"plain-8": 1.0}), "") is None
    assert responses.by_depth(typical({"residual-8": 1.0}), responses.STD, "") is None


def test_values_near_one_are_explained_and_others_not():
    def near(value):
        table = pd.DataFrame({"net": "plain-8", "epoch": 2, "layer": [1, 2], "value": value})
        return responses.near_their_start(table, NETS, 2)

    assert "100 % of these layers" in near(1.02)
    assert near(2.0) == ""
