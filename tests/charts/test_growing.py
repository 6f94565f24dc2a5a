"""A drawn figure and the same figure later: what differs is told, and nothing else may differ."""

import json
import math

import plotly.graph_objects as go
import pytest

from explorer.charts.growing import changes, same_sheet, with_button


def figure(count, **layout):
    line = go.Scatter(
        x=list(range(count)), y=[float(i) for i in range(count)], name="line", line={"width": 2}
    )
    still = go.Scatter(x=[0, 1], y=[math.nan, 5.0], name="still")
    labels = go.Scatter(x=[9], y=[float(count)], text=[f"end {count}"], mode="text", name="labels")
    return go.Figure([line, still, labels], layout)


def test_what_a_line_gained_is_told_and_what_stayed_is_not():
    told = changes(with_button(figure(2)), figure(4))

    assert told == [
        {"traces": [0], "values": {"x": [[0, 1, 2, 3]], "y": [[0.0, 1.0, 2.0, 3.0]]}},
        {"traces": [2], "values": {"x": [[9]], "y": [[4.0]], "text": [["end 4"]]}},
    ]
    assert changes(with_button(figure(3)), figure(3)) == []


def test_values_that_json_does_not_have_are_none():
    later = figure(2)
    later.data[0].y = [math.nan, 1.0]

    told = changes(with_button(figure(2)), later)

    assert told[0]["values"]["y"] == [[None, 1.0]]
    json.dumps(told, allow_nan=False)


@pytest.mark.parametrize(
    "change",
    [
        lambda one: one.update_layout(yaxis_range=[0, 1]),
        lambda one: one.update_layout(font_color="#fff"),
        lambda one: one.add_trace(go.Scatter(x=[1], y=[1])),
        lambda one: one.update_traces(name="another"),
    ],
)
def test_another_sheet_is_seen(change):
    drawn, now = with_button(figure(2)), figure(5)

    assert same_sheet(drawn, now)
    assert not same_sheet(drawn, change(now))


def test_the_button_is_of_plotlys_own_kind_and_unseen():
    menu = with_button(figure(1)).layout.updatemenus[0]

    assert menu.buttons[0].method == "restyle"
    assert menu.bgcolor == "rgba(0,0,0,0)"
