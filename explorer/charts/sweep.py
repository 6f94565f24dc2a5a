"""The results of a sweep: a grid of final test errors, and every run as a line through what was varied."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import plotly.graph_objects as go

from explorer.charts.theme import FAMILY_TITLE, LABEL_SIZE, blank, in_order

SCALE = "Cividis_r"
_LINES = [[0, "#E69F00"], [0.5, "#8C8C8C"], [1, "#0072B2"]]  # legible on a light and on a dark ground
_ROW, _FRAME = 34, 96
_ERROR = "test_error_pct"


def error_grid(table: pd.DataFrame, titles: Mapping[str, str]) -> pd.DataFrame:
    """Mean final test errors over the seeds in per cent, a row per family and depth.

    Args:
        table: runs that are done, as `jobs.swept.sweep_table` gives them; at least one.
        titles: of the settings that were varied, by column.

    Returns:
        Columns are the values of the settings, or the families where nothing else was varied.
    """
    named = table.assign(family_title=table["family"].map(FAMILY_TITLE).fillna(table["family"]))
    if not titles:
        grid = named.pivot_table(index="depth", columns="family_title", values=_ERROR)
        order = [FAMILY_TITLE.get(name, name) for name in in_order(named["family"].unique())]
        return grid[order].rename(index=lambda depth: f"{depth} layers")
    places = {name: place for place, name in enumerate(in_order(named["family"].unique()))}
    grid = named.assign(place=named["family"].map(places)).pivot_table(
        index=["depth", "place", "family_title"], columns=list(titles), values=_ERROR
    )
    rows = [f"{family}, {depth} layers" for depth, _, family in grid.index]
    return grid.set_axis(rows).set_axis([_column(key, titles) for key in grid.columns], axis=1)


def error_heat(grid: pd.DataFrame, what: str) -> go.Figure:
    """The grid as a heat map with its numbers: the darker, the more wrong.

    Args:
        grid: as `error_grid` gives it.
        what: the columns' title.
    """
    figure = blank(what, "", height=_FRAME + _ROW * len(grid))
    texts = [["" if value != value else f"{value:.1f}" for value in row] for row in grid.to_numpy(float)]
    figure.add_trace(
        go.Heatmap(
            z=grid.to_numpy(float).tolist(), x=list(grid.columns), y=list(grid.index), colorscale=SCALE,
            text=texts, texttemplate="%{text}", textfont={"size": LABEL_SIZE}, xgap=2, ygap=2,
            hovertemplate="%{y}, %{x}: %{z:.2f} % wrong<extra></extra>",
            colorbar={"title": {"text": "test error (%)", "side": "right", "font": {"size": LABEL_SIZE}},
                      "thickness": 14, "outlinewidth": 0, "tickfont": {"size": LABEL_SIZE}},
        )
    )  # fmt: skip
    figure.update_xaxes(type="category", showgrid=False)
    figure.update_yaxes(type="category", autorange="reversed", showgrid=False, automargin=True)
    return figure.update_layout(margin={"r": 84})


def describe_grid(grid: pd.DataFrame, titles: Mapping[str, str]) -> str:
    """The best and the worst place of the grid, in words; `titles` as for `error_grid`."""
    named = f"{next(iter(titles.values())).lower()} " if len(titles) == 1 else ""
    cells = grid.stack()
    assert isinstance(cells, pd.Series)
    best, worst = (_place(cells, at) for at in (int(cells.argmin()), int(cells.argmax())))
    said = f"Lowest mean test error: {cells.min():.1f} % ({best[0]}, {named}{best[1]})."
    return said if best == worst else f"{said} Highest: {cells.max():.1f} % ({worst[0]}, {named}{worst[1]})."


def _place(cells: pd.Series, at: int) -> tuple[str, str]:
    row, column = cells.index[at]
    return str(row), str(column)


def parallel_runs(table: pd.DataFrame, titles: Mapping[str, str]) -> go.Figure:
    """Every run as a line through family, depth, what was varied, seed and errors; colour is the test error.

    Args:
        table: runs that are done.
        titles: of the settings that were varied, by column.
    """
    families = list(in_order(table["family"].unique()))
    axes = [
        _named_axis("family", table["family"].map(families.index), [FAMILY_TITLE.get(f, f) for f in families])
    ]
    for name, title in {"depth": "layers", **titles, "seed": "seed"}.items():
        values = sorted(table[name].unique())
        axes.append(_named_axis(title, table[name].map(values.index), [f"{value:g}" for value in values]))
    for name, title in {"train_error_pct": "training error (%)", _ERROR: "test error (%)"}.items():
        axes.append({"label": title, "values": table[name].astype(float).tolist()})
    figure = blank("", "")
    figure.add_trace(
        go.Parcoords(
            dimensions=axes, labelangle=-25, labelfont={"size": LABEL_SIZE}, tickfont={"size": LABEL_SIZE},
            line={"color": table[_ERROR].astype(float).tolist(), "colorscale": _LINES},
        )
    )  # fmt: skip
    return figure.update_layout(margin={"l": 60, "r": 60, "t": 84, "b": 24})


def _named_axis(title: str, places: pd.Series, names: list[str]) -> dict[str, object]:
    """Values that stand apart evenly, whatever they are: 0.001 and 0.1 as 20 and 56."""
    span = [-0.1, 0.1] if len(names) == 1 else [0, len(names) - 1]
    return {
        "label": title, "values": places.astype(int).tolist(), "tickvals": list(range(len(names))),
        "ticktext": names, "range": span,
    }  # fmt: skip


def _column(key: object, titles: Mapping[str, str]) -> str:
    values = key if isinstance(key, tuple) else (key,)
    if len(values) == 1:
        return f"{values[0]:g}"
    return ", ".join(f"{title} {value:g}" for title, value in zip(titles.values(), values, strict=True))
