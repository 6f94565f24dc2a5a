"""The paper's numbers and those measured here as dots on one line per net."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle

import pandas as pd
import plotly.graph_objects as go

from explorer.charts.theme import CONTEXT, blank, colour

_ROW = 34
_EDGES = 118
_ORIGINS = {"own": "trained here", "imported": "imported"}
"""Whose runs a mark is of; those of the zoo are what is measured here otherwise."""
_SPAN = 1.06
# datasets are told apart by form, since colour is the family's
_FORMS = ("circle", "triangle-up", "cross", "star-triangle-down", "hourglass")


def paper_against_measured(lines: pd.DataFrame, unit: str, titles: dict[str, str]) -> go.Figure:
    """One line per net: a grey diamond for the paper, a filled mark per dataset measured here.

    Args:
        lines: columns net, id, paper, measured, low, high, dataset, origin of one quantity.
        unit: axis title with its unit.
        titles: of datasets, by id; "" names counts.
    """
    nets = list(dict.fromkeys(lines["net"]))
    figure = blank(unit, "", _EDGES + _ROW * max(len(nets), 4))
    printed = lines.drop_duplicates("net")
    figure.add_trace(_dots(printed["paper"].astype(float).tolist(), printed["net"].tolist(), "paper", unit))
    groups = lines.dropna(subset=["measured"]).groupby(["dataset", "origin"], sort=False)
    for ((dataset, origin), part), form in zip(groups, cycle(_FORMS)):
        title = titles.get(str(dataset), str(dataset))
        name = f"{_ORIGINS.get(str(origin), 'measured here')}, {title}" if title else "counted here"
        figure.add_trace(_measured(part, name, unit, form if title else "square"))
    top = max([*printed["paper"].astype(float), *lines["high"].dropna(), *lines["measured"].dropna()])
    figure.update_xaxes(range=[0, _SPAN * top])
    figure.update_yaxes(
        type="category", categoryorder="array", categoryarray=nets[::-1], range=[-0.6, len(nets) - 0.4]
    )
    legend = {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"}
    return figure.update_layout(showlegend=True, legend=legend, margin={"l": 128, "r": 20, "t": 42, "b": 48})


def describe_board(lines: pd.DataFrame, unit: str, titles: dict[str, str]) -> str:
    """The chart in words, for people who do not see it."""
    said = []
    for row in lines.to_dict("records"):
        here = "" if pd.isna(row["measured"]) else f", {row['measured']:.3g} here"
        where = f" on {titles.get(row['dataset'], row['dataset'])}" if here and row["dataset"] else ""
        said.append(f"{row['net']} {row['paper']} in the paper{here}{where}")
    return f"{unit}, paper against measured. " + "; ".join(said) + "."


def _dots(values: Sequence[float], nets: Sequence[str], name: str, unit: str) -> go.Scatter:
    return go.Scatter(
        x=list(values), y=list(nets), mode="markers", name=name, hoverinfo="text",
        hovertext=[f"{net}, {name}:<br>{value:g} {unit}" for net, value in zip(nets, values, strict=True)],
        marker={"symbol": "diamond-open", "size": 13, "color": CONTEXT, "line": {"width": 2.5}},
    )  # fmt: skip


def _measured(part: pd.DataFrame, name: str, unit: str, form: str) -> go.Scatter:
    low, high = (part[name].fillna(part["measured"]) for name in ("low", "high"))
    families = [str(net).partition("-")[0].rstrip("0123456789") for net in part["id"]]
    shades = [colour("residual" if family == "resnet" else family) for family in families]
    return go.Scatter(
        x=part["measured"].tolist(), y=part["net"].tolist(), mode="markers", name=name, hoverinfo="text",
        hovertext=[
            f"{net}, {name}:<br>{value:.4g} {unit}"
            for net, value in zip(part["net"], part["measured"], strict=True)
        ],
        marker={"symbol": form, "size": 9, "color": shades},
        error_x={"type": "data", "symmetric": False, "array": (high - part["measured"]).tolist(),
                 "arrayminus": (part["measured"] - low).tolist(), "color": CONTEXT, "thickness": 1.2},
    )  # fmt: skip
