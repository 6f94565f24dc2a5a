"""A figure shared by sessions: what Plotly is told of it, and that it is told without copying."""

import plotly.graph_objects as go
import pytest

from explorer.charts.theme import blank
from explorer.ui.components.figure import SharedFigure, theme_layout, themed_copy


def figure():
    made = go.Figure(go.Scatter(x=[1, 2], y=[3, 4]), layout={"height": 300})
    made.frames = [go.Frame(name="0", data=[go.Scatter(y=[5, 6])])]
    return made


def test_a_finished_figure_says_what_the_figure_said():
    assert SharedFigure(figure()).to_dict() == figure().to_dict()


def test_a_finished_figure_is_copied_once():
    finished = SharedFigure(figure())

    assert finished.to_dict() is finished.to_dict()


def test_colours_for_a_dark_ground_leave_the_figure_as_it_was():
    before = figure()
    dark = themed_copy(before, dark=True)

    assert before == figure()
    assert dark.layout.xaxis.color != themed_copy(before, dark=False).layout.xaxis.color


@pytest.mark.parametrize("dark", [True, False])
def test_a_layout_of_plain_values_gets_the_same_colours_as_a_figure(dark):
    sheet = blank("epoch", "error (%)")
    plain = sheet.to_plotly_json()["layout"]

    assert go.Figure(layout=theme_layout(plain, dark)) == themed_copy(sheet, dark)
    assert sheet.to_plotly_json()["layout"] == plain
