"""The paper as data: complete, consistent within itself, and true to what can be counted."""

import pytest

from explorer import paper
from explorer.nets.cost_formula import totals
from explorer.nets.spec import NetSpec

EXACT = {20: 269_722, 32: 464_154, 44: 658_586, 56: 853_018, 110: 1_727_962, 1202: 19_421_274}


def rows(key):
    return {entry.net: entry for entry in paper.TABLES[key].entries}


def test_every_number_has_a_unit_a_source_and_a_protocol():
    assert list(paper.TABLES) == [*(f"table-{number}" for number in range(1, 7)), "follow-ups"]
    for key, table in paper.TABLES.items():
        assert table.key == key
        assert table.source
        assert table.protocol
        names = {column.name for column in table.columns}
        assert len({entry.net for entry in table.entries}) == len(table.entries)
        for entry in table.entries:
            assert entry.printed
            assert set(entry.printed) <= names
            assert all(entry.value(name) > 0 for name in entry.printed)
        assert all(column.unit in ("%", "million", "billion") for column in table.columns)


def test_the_residual_nets_of_table_6_have_the_printed_parameters():
    for depth, count in EXACT.items():
        printed = rows("table-6")[f"ResNet-{depth}"].printed["parameters_m"]
        assert totals(NetSpec("residual", depth)).parameters == count
        assert f"{count / 1e6:.{len(printed.partition('.')[2])}f}" == printed


def test_tables_that_name_one_result_twice_agree():
    second, third = rows("table-2"), rows("table-3")
    for ours, theirs in (("plain-34", "plain-34"), ("ResNet-34", "ResNet-34 A")):
        assert second[ours].printed["top1_error_pct"] == third[theirs].printed["top1_error_pct"]


def test_the_papers_own_conclusions_follow_from_its_numbers():
    errors = [rows("table-6")[f"ResNet-{depth}"].value("test_error_pct") for depth in (20, 32, 44, 56, 110)]
    assert errors == sorted(errors, reverse=True)
    assert rows("table-6")["ResNet-1202"].value("test_error_pct") > errors[-1]
    top1 = {net: entry.value("top1_error_pct") for net, entry in rows("table-2").items()}
    assert top1["plain-34"] > top1["plain-18"] > top1["ResNet-18"] > top1["ResNet-34"]


def test_ids_can_be_built_or_are_imagenets():
    for table in paper.TABLES.values():
        for entry in table.entries:
            if entry.id and table.dataset == "CIFAR-10":
                assert NetSpec.parse(entry.id.partition("-survival")[0])
    for claim in paper.CLAIMS.values():
        assert [NetSpec.parse(net).id for net in claim.nets] == list(claim.nets)


def test_reproductions_are_of_nets_that_can_be_built():
    assert len(paper.REPRODUCTIONS) == 14
    assert all(NetSpec.parse(found.id).id == found.id for found in paper.REPRODUCTIONS)


@pytest.mark.parametrize(("name", "value"), [("ITERATIONS", 64_000), ("DROPS", (0.5, 0.75))])
def test_the_protocol_of_section_4_2(name, value):
    assert getattr(paper, name) == value
