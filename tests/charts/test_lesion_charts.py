"""Charts of lesions: each block a point, the intact net beside it, what is said is counted from the table."""

import pandas as pd
import pytest

from explorer.charts.lesion import (
    beside_veit,
    by_block,
    by_count,
    by_disorder,
    confusion,
    describe_by_block,
    describe_confusion,
    missed,
    renewed,
)


def table(errors, intact=2.0, again=None):
    rows = [{"kind": "intact", "count": 0, "error_pct": intact}]
    rows += [
        {"kind": "single", "count": n, "error_pct": error, "renewed_pct": again and again[n - 1]}
        for n, error in enumerate(errors, start=1)
    ]
    rows += [{"kind": "removed", "count": k, "error_pct": 10.0 * k} for k in (1, 10) for _ in range(2)]
    rows += [{"kind": "swapped", "count": 2, "tau": 0.8, "error_pct": 30.0}]
    return pd.DataFrame(rows, columns=["kind", "count", "tau", "error_pct", "renewed_pct"])


TABLES = {"ResNet-8": ("residual", table([60.0, 2.5, 3.0])), "plain-8": ("plain", table([90.0, 88.0, 89.0]))}


def named(figure, name):
    return next(trace for trace in figure.data if trace.name == name)


def test_each_block_is_a_point_and_removed_ones_are_larger():
    figure = by_block(TABLES, [2])
    line = named(figure, "ResNet-8")
    assert list(line.x) == [1, 2, 3]
    assert list(line.y) == [60.0, 2.5, 3.0]
    assert list(line.marker.size) == [7, 13, 7]
    assert list(named(figure, "ResNet-8, intact").y) == [2.0, 2.0]
    assert figure.layout.xaxis.range == (0.5, 3.5)
    assert "plain-8: intact 2.0 %, without one block 88.0 % to 90.0 %" in describe_by_block(TABLES)


def test_what_is_not_missed_is_counted():
    said = missed("ResNet-8", TABLES["ResNet-8"][1])
    assert "2 of 3 cost at most 1 point of test error (2.0 % intact)" in said
    assert "the worst block 1 with 60.0 %" in said


def test_new_statistics_are_told_where_they_were_measured():
    assert renewed("a net", table([60.0])) == ""
    assert "the median for a net is 4.0 %" in renewed("a net", table([60.0, 5.0], again=[3.0, 5.0]))


def test_the_difference_from_veit_is_computed():
    said = beside_veit(table([60.0]))
    assert "costs 98 points" in said
    assert "leaves 60 % error" in said
    assert beside_veit(table([60.0]).query("kind != 'removed'")) == ""


def test_several_and_disorder_are_drawn():
    line = named(by_count(TABLES), "plain-8")
    assert list(line.x) == [1, 10]
    assert list(line.y) == [10.0, 100.0]
    figure = by_disorder(TABLES)
    assert list(named(figure, "plain-8").x) == [0.8]
    assert figure.layout.xaxis.range == pytest.approx((1.02, 0.78))


def test_confusion_counts_stand_in_their_cells():
    counts = [[3, 1], [0, 2]]
    figure = confusion(counts, ["cat", "dog"])
    assert figure.data[0].text[0][1] == "1"
    assert "true cat, answer dog: 1 images" in figure.data[0].hovertext[0][1]
    assert describe_confusion(counts, ["cat", "dog"]) == (
        "5 of 6 images are classed rightly; the answer given most is cat, to 3 images."
    )
