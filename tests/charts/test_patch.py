"""A drawn figure and the same figure later: what differs is told, and nothing else may differ."""

import json
import math
from dataclasses import replace

import pytest

from explorer.charts.patch import FigureSpec, restyle_patch, with_button

STILL = {"type": "scatter", "x": [0, 1], "y": [1.0, 5.0], "name": "still"}


def drawing(count, **layout):
    line = {"type": "scatter", "x": list(range(count)), "y": [float(i) for i in range(count)], "name": "line"}
    labels = {"type": "scatter", "x": [9], "y": [float(count)], "text": [f"end {count}"], "mode": "text"}
    return FigureSpec((STILL, line, labels), layout, static_traces=1)


def test_what_grows_is_told_and_what_stays_is_not():
    assert restyle_patch(drawing(4)) == {
        "traces": [1, 2],
        "values": {
            "x": [[0, 1, 2, 3], [9]],
            "y": [[0.0, 1.0, 2.0, 3.0], [4.0]],
            "text": [None, ["end 4"]],
        },
    }


def test_values_that_json_does_not_have_are_none():
    told = restyle_patch(FigureSpec(({"type": "scatter", "x": [0, 1], "y": [math.nan, 1.0]},), {}))

    assert told["values"]["y"] == [[None, 1.0]]
    json.dumps(told, allow_nan=False)


@pytest.mark.parametrize(
    "another",
    [
        lambda one: replace(one, layout={"yaxis": {"range": [0, 1]}}),
        lambda one: replace(one, layout={"font": {"color": "#fff"}}),
        lambda one: replace(one, traces=(*one.traces, one.traces[0])),
        lambda one: replace(one, traces=(*one.traces[:2], one.traces[2] | {"name": "another"})),
        lambda one: replace(one, traces=(one.traces[0] | {"y": [1.0, 6.0]}, *one.traces[1:])),
        lambda one: replace(one, static_traces=2),
    ],
)
def test_another_sheet_is_seen(another):
    drawn, now = drawing(2), drawing(5)

    assert now.layout_key == drawn.layout_key
    assert another(now).layout_key != drawn.layout_key


def test_the_button_is_of_plotlys_own_kind_and_unseen():
    menu = with_button(drawing(1).figure()).layout.updatemenus[0]

    assert menu.buttons[0].method == "restyle"
    assert menu.bgcolor == "rgba(0,0,0,0)"
