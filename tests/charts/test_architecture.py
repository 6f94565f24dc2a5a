"""The architecture drawn: a box per part in its row, an arc per shortcut, the chosen one outlined."""

import pandas as pd
import pytest

from explorer.charts.architecture import Design, architecture, describe_design, legend


def parts(blocks_per_stage):
    blocks = [(stage, n) for stage in (1, 2, 3) for n in range(blocks_per_stage)]
    shortcuts = ["identity" if n or stage == 1 else "padding" for stage, n in blocks]
    count = len(blocks)
    return pd.DataFrame(
        {
            "part": ["stem", *(f"block {n}" for n in range(1, count + 1)), "head"],
            "stage": [0, *(stage for stage, _ in blocks), 0],
            "layer": range(1, count + 3),
            "convolutions": ["3x3", *["3x3, 3x3"] * count, ""],
            "stride": 1,
            "shortcut": ["none", *shortcuts, "none"],
            "out_channels": [16, *(8 * 2**stage for stage, _ in blocks), 10],
            "out_height": 32, "out_width": 32, "parameters": 100, "macs": 2_000_000, "receptive_field": 7,
        }
    )  # fmt: skip


def drawn_arcs(figure):
    return [trace for trace in figure.data if trace.name.startswith("shortcut")]


def boxes(figure):
    return next(trace for trace in figure.data if trace.type == "bar")


@pytest.mark.parametrize("blocks", [1, 9, 200])
def test_every_part_is_a_box_that_can_be_pressed(blocks):
    table = parts(blocks)
    figure = architecture(Design("a net", "residual", table, "block 2"))
    assert [row[0] for row in boxes(figure).customdata] == table["part"].tolist()
    assert len(set(zip(boxes(figure).x, boxes(figure).base, strict=True))) == len(table)
    assert set(boxes(figure).base) == {0, -1, -2, -3, -4}
    widths = boxes(figure).marker.line.width
    assert widths[2] == max(widths)
    assert figure.layout.height == architecture(Design("a net", "residual", parts(3))).layout.height


def test_an_arc_stands_for_each_shortcut_by_its_kind():
    figure = architecture(Design("a net", "residual", parts(3)))
    arcs = {trace.name: sum(value is None for value in trace.x) for trace in drawn_arcs(figure)}
    assert arcs["shortcut: identity"] == 7
    assert arcs["shortcut: padding"] == 2
    assert arcs["shortcut: projection"] == 0


def test_a_plain_net_has_no_arc_and_says_so():
    table = parts(3).assign(shortcut="none")
    figure = architecture(Design("a net", "plain", table))
    assert all(not trace.x for trace in drawn_arcs(figure))
    assert legend(table) == "No arcs: this net has no shortcuts."
    assert "Shortcuts: none." in describe_design(Design("a net", "plain", table))


def test_rows_and_hover_say_what_a_part_is():
    figure = architecture(Design("a net", "residual", parts(3)))
    rows = [annotation.text for annotation in figure.layout.annotations]
    assert rows[1] == "Stage 1: 3 blocks of 3x3, 3x3, 16 channels, maps 32x32"
    assert rows[-1] == "Head: 10 classes"
    assert "2.0 M multiply-adds" in boxes(figure).hovertext[1]
    assert "sees 7x7 of the image" in boxes(figure).hovertext[1]


def test_in_words_it_names_stages_and_shortcuts():
    words = describe_design(Design("a net", "residual", parts(3)))
    assert "stage 2: 3 blocks, 32 channels" in words
    assert "7 identity" in words
    assert "2 padding" in words
