"""Families are named, ordered and marked once: charts know the same ones as nets, in the same order."""

from explorer.charts import theme
from explorer.nets.families import FAMILIES
from explorer.nets.spec import NetSpec


def test_charts_have_the_families_of_nets_in_their_order():
    assert theme.in_order(reversed(FAMILIES)) == list(FAMILIES)
    for marks in (theme.FAMILY_COLOUR, theme.FAMILY_SYMBOL, theme.FAMILY_TITLE):
        assert set(marks) == set(FAMILIES)


def test_charts_call_a_net_as_its_spec_does():
    for family in FAMILIES:
        assert theme.net_title(family, 20) == NetSpec(family, 20).title


def test_each_family_can_be_told_from_the_others():
    assert len(set(theme.FAMILY_COLOUR.values())) == len(set(theme.FAMILY_SYMBOL.values())) == len(FAMILIES)


def test_families_that_are_not_known_come_last():
    assert theme.in_order(["own", "highway", "plain", "highway"]) == ["plain", "highway", "own"]
