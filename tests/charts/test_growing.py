"""A drawn figure and the same figure later: what differs is told, and nothing else may differ."""

import json
import math

import pytest

from explorer.charts.growing import Drawing, changes, same_sheet, with_button


def drawing(count, **layout):
    line = {"type": "scatter", "x": list(range(count)), "y": [float(i) for i in range(count)], "name": "line"}
    still = {"type": "scatter", "x": [0, 1], "y": [math.nan, 5.0], "name": "still"}
    labels = {"type": "scatter", "x": [9], "y": [float(count)], "text": [f"end {count}"], "mode": "text"}
    return Drawing((line, still, labels), layout)


def test_what_a_line_gained_is_told_and_what_stayed_is_not():
    told = changes(drawing(2), drawing(4))

    assert told == {
        "traces": [0, 2],
        "values": {
            "x": [[0, 1, 2, 3], [9]],
            "y": [[0.0, 1.0, 2.0, 3.0], [4.0]],
            "text": [None, ["end 4"]],
        },
    }
    assert changes(drawing(3), drawing(3)) == {}


def test_values_that_json_does_not_have_are_none():
    before = drawing(2)
    later = Drawing((before.traces[0] | {"y": [math.nan, 1.0]}, *before.traces[1:]), {})

    told = changes(before, later)

    assert told["values"]["y"] == [[None, 1.0]]
    json.dumps(told, allow_nan=False)


@pytest.mark.parametrize(
    "another",
    [
        lambda one: Drawing(one.traces, {"yaxis": {"range": [0, 1]}}),
        lambda one: Drawing(one.traces, {"font": {"color": "#fff"}}),
        lambda one: Drawing((*one.traces, one.traces[0]), one.layout),
        lambda one: Drawing((one.traces[0] | {"name": "another"}, *one.traces[1:]), one.layout),
    ],
)
def test_another_sheet_is_seen(another):
    drawn, now = drawing(2), drawing(5)

    assert same_sheet(drawn, now)
    assert not same_sheet(drawn, another(now))


def test_the_button_is_of_plotlys_own_kind_and_unseen():
    menu = with_button(drawing(1).figure()).layout.updatemenus[0]

    assert menu.buttons[0].method == "restyle"
    assert menu.bgcolor == "rgba(0,0,0,0)"
