"""Many images as one picture with a name at each row, and bars of how many there are per class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
import plotly.graph_objects as go

from explorer.charts.theme import CONTEXT, LABEL_SIZE, SPLIT_TITLE, blank

GRID_HEIGHT = 420
STRIP_HEIGHT = 350
_LONGEST_NAME = 12


@dataclass(frozen=True)
class ImageGrid:
    """A picture of many images.

    Attributes:
        uri: the picture as the address of a PNG.
        rows: of images.
        columns: of images.
        cell: pixels from one image to the next.
    """

    uri: str
    rows: int
    columns: int
    cell: int


def image_grid(
    grid: ImageGrid, row_names: Sequence[str], hover: Sequence[str], x_title: str, height: int = GRID_HEIGHT
) -> go.Figure:
    """The picture with crisp pixels, its rows named; `hover` tells of each image, row by row."""
    figure = blank(x_title, "", height)
    centre = grid.cell / 2
    figure.add_trace(go.Image(source=grid.uri, x0=0.5, y0=0.5, dx=1, dy=1, hoverinfo="skip", name="images"))
    figure.add_trace(
        go.Scatter(
            x=[centre + grid.cell * (number % grid.columns) for number in range(len(hover))],
            y=[centre + grid.cell * (number // grid.columns) for number in range(len(hover))],
            mode="markers",
            marker={"size": 18, "opacity": 0},
            text=list(hover),
            hoverinfo="text",
            name="about each image",
        )
    )
    figure.update_xaxes(
        range=[0, grid.columns * grid.cell],
        showticklabels=False, ticks="", showgrid=False, constrain="domain", constraintoward="left",
        fixedrange=True,
    )  # fmt: skip
    figure.update_yaxes(
        range=[grid.rows * grid.cell, 0],
        tickvals=[centre + grid.cell * row for row in range(len(row_names))],
        ticktext=[short(name) for name in row_names],
        ticks="", ticklabelstandoff=6, showgrid=False, scaleanchor="x", constrain="domain",
        constraintoward="top", fixedrange=True,
    )  # fmt: skip
    widest = max((len(short(name)) for name in row_names), default=0)
    return figure.update_layout(margin={"l": 16 + 8 * widest, "r": 8, "t": 6, "b": 34}, dragmode=False)


def class_counts(counts: pd.DataFrame, most: int, height: int = GRID_HEIGHT) -> go.Figure:
    """Images per class: training hatched, test solid.

    Args:
        counts: columns class, split (train or test), images; classes in the order of their labels.
        most: images of the largest class, which sets the axis.
        height: of the figure in pixels.
    """
    figure = blank("images", "", height)
    for split, name in SPLIT_TITLE.items():
        rows = counts[counts["split"] == split]
        pattern = {"shape": "/", "size": 5, "solidity": 0.35} if split == "train" else None
        figure.add_trace(
            go.Bar(
                y=list(range(len(rows))),
                customdata=rows["class"],
                x=rows["images"],
                orientation="h",
                name=name,
                marker={"color": CONTEXT, "pattern": pattern, "line": {"color": CONTEXT, "width": 1}},
                text=[f"{count:,} {name}" for count in rows["images"]],
                textposition="outside",
                textfont={"size": LABEL_SIZE - 2},
                cliponaxis=False,
                hovertemplate="%{customdata}: %{x:,} " + name + " images<extra></extra>",
            )
        )
    names = [short(name) for name in counts.loc[counts["split"] == "train", "class"]]
    widest = max(len(name) for name in names)
    figure.update_xaxes(range=[0, most * 1.02], nticks=5, tickformat=",", fixedrange=True)
    figure.update_yaxes(
        range=[len(names) - 0.5, -0.5], tickvals=list(range(len(names))), ticktext=names, ticks="",
        ticklabelstandoff=6, showgrid=False, fixedrange=True,
    )  # fmt: skip
    return figure.update_layout(
        barmode="group", bargap=0.18, bargroupgap=0, margin={"l": 16 + 8 * widest, "r": 96, "t": 6, "b": 42},
        dragmode=False,
    )  # fmt: skip


def short(name: str) -> str:
    """A class's name, cut where it would take the picture's room."""
    return name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…"
