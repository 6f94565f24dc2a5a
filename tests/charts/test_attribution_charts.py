"""Maps and conductances drawn: scale centred at zero, one colour per sign, sentences from the numbers."""

import math

import numpy as np
import pandas as pd
import pytest

from explorer.charts import words
from explorer.charts.attributions import MapLook, agreement, describe_map, half_share, map_figure
from explorer.charts.conductance import conductance_figure, conductance_finding, describe_conductance
from explorer.charts.maps import colours, enlarged, limit_of, signed
from explorer.charts.theme import colour
from explorer.charts.trust import describe_randomisation, masking_figure, randomisation_figure

VALUES = np.array([[3.0, -1.0], [0.0, 1.0]])
PIXELS = np.full((3, 2, 2), 0.25, dtype=np.float32)


def table(branch, whole):
    count = len(branch)
    return pd.DataFrame(
        {
            "block": range(1, count + 1), "stage": [1] * (count - 1) + [2], "conductance": [whole] * count,
            "branch": branch, "shortcut": [whole - part for part in branch],
        }
    )  # fmt: skip


def test_a_map_is_drawn_on_a_scale_centred_at_zero_over_the_picture():
    figure = map_figure(VALUES, PIXELS, MapLook(opacity=0.5, percentile=100))
    picture, heat = figure.data
    assert (heat.zmin, heat.zmax) == (-3, 3)
    assert heat.opacity == 0.5
    assert heat.zsmooth is False
    assert list(heat.colorbar.ticktext) == ["−3", "0", "+3"]
    assert heat.colorscale[5] == (0.5, "rgb(253, 245, 243)")
    assert picture.z.shape == (2, 2, 3)
    assert figure.layout.yaxis.scaleanchor == "x"
    assert figure.layout.yaxis.range == (1.5, -0.5)
    assert figure.layout.xaxis.title.text == "column (pixels)"


def test_a_sign_hides_the_other_and_keeps_the_scale():
    positive, negative = (
        map_figure(VALUES, PIXELS, MapLook(sign=sign, percentile=100)).data[1]
        for sign in ("positive", "negative")
    )
    assert positive.zmax == negative.zmax == 3
    assert np.asarray(positive.z).tolist() == [[3, 0], [0, 1]]
    assert np.asarray(negative.z).tolist() == [[0, -1], [0, 0]]
    assert signed(VALUES, "both") is VALUES


def test_colours_are_pale_at_zero_and_clip_at_the_limit():
    rgb = colours(np.array([[-9.0, 0.0, 9.0]]), 3.0)
    assert rgb.tolist() == [[[28, 72, 93], [253, 245, 243], [121, 23, 89]]]
    assert enlarged(rgb, 6).shape == (2, 6, 3)


@pytest.mark.parametrize(
    ("values", "limit"), [(np.zeros((2, 2)), 1.0), (np.array([[0.0] * 199 + [5.0]]), 5.0)]
)
def test_a_limit_is_never_zero(values, limit):
    assert limit_of(values, 90) == limit


def test_sentences_come_from_the_numbers():
    assert half_share(np.array([[4.0, 1.0], [1.0, -9.0]])) == 0.25
    assert math.isnan(half_share(-np.ones((2, 2))))
    assert "row 0, column 0" in describe_map("A map", VALUES)
    assert agreement(VALUES, 2 * VALUES + 1) == pytest.approx(1)
    assert math.isnan(agreement(VALUES, np.zeros((2, 2))))


def test_signs_are_written_with_a_minus_and_zero_without():
    assert [words.signed(value) for value in (1.234, -1.966, -0.001)] == ["+1.23", "−1.97", "0.00"]


def test_conductance_has_bars_for_branches_and_a_line_for_the_whole():
    tables = {"ResNet-8": table([3.0, -1.0, 1.0], 4.0), "plain-8": table([2.0, 2.0, 2.0], 2.0)}
    figure = conductance_figure(tables, {"ResNet-8": "residual", "plain-8": "plain"})
    assert [trace.type for trace in figure.data] == ["bar", "scatter", "bar", "scatter"]
    assert list(figure.data[0].y) == [3, -1, 1]
    assert figure.data[0].marker.color == colour("residual")
    assert list(figure.data[1].y) == [4, 4]
    assert figure.layout.yaxis.title.text == "conductance (logits)"
    assert figure.layout.yaxis.range[0] < -1
    assert figure.layout.yaxis.range[1] > 4
    assert "branch of block 1" in describe_conductance(tables)


def test_the_finding_names_the_block_that_goes_with_the_score():
    assert "rises by about 4.00 logits. The branch of block 1 carries the most of it (+3.00); the median "\
        "branch carries 25 %" in conductance_finding(table([3.0, -1.0, 1.0], 4.0), "residual")  # fmt: skip
    nothing = conductance_finding(table([0.0, 0.0, 0.0], 0.0), "residual")
    assert "the score does not change" in nothing
    falling = conductance_finding(table([-1.0, -2.0, 0.5], -4.0), "residual")
    assert "falls by about 4.00 logits. The branch of block 2 carries the most of it (−2.00)" in falling
    assert "no way around" in conductance_finding(table([2.0, 2.0], 2.0), "plain")


@pytest.mark.parametrize(
    ("share", "said"),
    [(0.5, "its shortcut the rest."), (1.2, "branches and shortcuts partly"), (-0.2, "partly cancel")],
)
def test_shares_beyond_the_whole_are_explained(share, said):
    table = pd.DataFrame({"block": [1, 2], "stage": 1, "branch": [share, share], "conductance": 1.0})
    table["shortcut"] = 1 - share
    finding = conductance_finding(table, "residual")
    assert said in finding
    assert f"carries {100 * share:.0f} %" in finding


def test_masking_curves_and_randomisation_have_fixed_ranges_and_names():
    curves = pd.DataFrame(
        {
            "curve": "deletion", "map": ["attribution", "attribution", "random", "random"],
            "share": [0.0, 1.0, 0.0, 1.0], "probability": [0.9, 0.1, 0.9, 0.3],
        }
    )  # fmt: skip
    figure = masking_figure(curves, "deletion")
    assert [trace.name for trace in figure.data] == ["random order (mean of 5)", "the map's order"]
    assert list(figure.data[1].y) == pytest.approx([90, 10])
    assert figure.layout.xaxis.title.text == "pixels removed (%)"
    assert figure.layout.yaxis.range == (-4, 104)
    forgot = pd.DataFrame({"redrawn": ["head", "+ stage 3"], "correlation": [0.4, math.nan]})
    bars, empty = randomisation_figure(forgot).data
    assert bars.orientation == "h"
    assert list(empty.y) == ["+ stage 3"]
    assert "head 0.40" in describe_randomisation(forgot)
