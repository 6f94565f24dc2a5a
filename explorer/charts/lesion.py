"""Errors of a net without some blocks: by block, by number removed, by disorder; confusion of classes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import pandas as pd
import plotly.graph_objects as go

from explorer.analysis.lesions import HARMLESS_POINTS, count_missed, parts
from explorer.charts import words
from explorer.charts.marks import chance_line, set_error_axis
from explorer.charts.theme import FAMILY_SYMBOL, LABEL_SIZE, blank, colour, translucent

Tables = Mapping[str, tuple[str, pd.DataFrame]]
"""By name of a net: its family, and columns kind, count, tau, error_pct as `evidence.lesion` keeps them."""
_VEIT = """**Unlike Veit et al. (2016):** there 10 of a ResNet-110's 54 blocks can go for about 20 points of
error; here, on digits after 10 epochs, that costs {cost:.0f} points (mean of the draws), and block 1 alone
leaves {first:.0f} % error. Stage 1, above all its first block, carries these briefly trained nets."""


def by_block(tables: Tables, chosen: Collection[int]) -> go.Figure:
    """Error with each block removed in turn, several nets on one axis; dotted: the intact net.

    Args:
        tables: of the nets.
        chosen: numbers of blocks, from 1, that are marked.
    """
    figure = blank("block removed, counted from 1", "test error (%)", 360)
    last = max((len(parts(table)[0]) for _, table in tables.values()), default=1)
    figure.add_trace(chance_line(90.0, [0.5, last + 0.5]))
    for name, (family, table) in tables.items():
        singles, intact = parts(table)
        numbers = singles["count"].astype(int).tolist()
        figure.add_trace(
            go.Scatter(
                x=numbers, y=singles["error_pct"].tolist(), mode="lines+markers", name=name,
                line={"color": colour(family), "width": 2}, hoverinfo="text",
                marker={
                    "symbol": FAMILY_SYMBOL.get(family, "circle"),
                    "size": [13 if number in chosen else 7 for number in numbers],
                },
                hovertext=[
                    f"{name} without block {number}:<br>test error {words.percent(error)}, "
                    f"intact {words.percent(intact)}"
                    for number, error in zip(numbers, singles["error_pct"], strict=True)
                ],
            )
        )  # fmt: skip
        figure.add_trace(
            go.Scatter(
                x=[0.5, last + 0.5], y=[intact, intact], mode="lines", name=f"{name}, intact",
                line={"color": colour(family), "width": 1, "dash": "dot"}, hoverinfo="skip",
                showlegend=False,
            )
        )  # fmt: skip
    set_error_axis(figure, False)
    figure.update_xaxes(range=[0.5, last + 0.5], tickformat="d")
    return _with_legend(figure)


def describe_by_block(tables: Tables) -> str:
    """The chart in words."""
    said = []
    for name, (_, table) in tables.items():
        singles, intact = parts(table)
        errors = singles["error_pct"]
        said.append(
            f"{name}: intact {words.percent(intact)}, without one block {words.percent(errors.min())} to "
            f"{words.percent(errors.max())}, median {words.percent(errors.median())}"
        )
    return "Test error with each block removed in turn. " + "; ".join(said or ["no net"]) + "."


def missed(name: str, table: pd.DataFrame) -> str:
    """How many blocks are not missed, in one sentence."""
    found = count_missed(table)
    return (
        f"**Take any one block out of {name}:** {found.harmless} of {found.blocks} cost at most "
        f"{HARMLESS_POINTS:g} point of test error ({words.percent(found.intact)} intact); the median is "
        f"{words.percent(found.median)}, the worst block {found.worst_block} with "
        f"{words.percent(found.worst)}."
    )


def renewed(name: str, table: pd.DataFrame) -> str:
    """What the deletions cost where BN statistics were measured again; empty where nobody did."""
    singles, _ = parts(table)
    again = singles["renewed_pct"].dropna()
    if again.empty:
        return ""
    return (
        f"With BN statistics measured again after each deletion the median for {name} is "
        f"{words.percent(again.median())}."
    )


def beside_veit(table: pd.DataFrame) -> str:
    """Where ResNet-110 on digits differs from the paper that began this; empty without the numbers."""
    singles, intact = parts(table)
    ten = table[(table["kind"] == "removed") & (table["count"] == 10)]["error_pct"]
    if ten.empty or singles.empty:
        return ""
    return _VEIT.format(cost=ten.mean() - intact, first=singles["error_pct"].iloc[0])


def by_count(tables: Tables) -> go.Figure:
    """Mean error over random draws against the number of blocks removed, lowest to highest as a band."""
    figure = blank("blocks removed at random, of those that keep the shape", "test error (%)", 340)
    last = 1
    for name, (family, table) in tables.items():
        part = table[table["kind"] == "removed"]
        if part.empty:
            continue
        errors = part.groupby("count")["error_pct"]
        found = errors.agg(["mean", "min", "max", "count"]).reset_index(names="k")
        counts = found["k"].astype(int).tolist()
        last = max(last, *counts)
        figure.add_trace(
            go.Scatter(
                x=[*counts, *reversed(counts)], y=[*found["min"], *reversed(found["max"].tolist())],
                mode="lines", line={"width": 0}, fill="toself", fillcolor=translucent(colour(family)),
                hoverinfo="skip", name=f"{name}, lowest to highest draw", showlegend=False,
            )
        )  # fmt: skip
        figure.add_trace(
            go.Scatter(
                x=counts, y=found["mean"].tolist(), mode="lines+markers", name=name, hoverinfo="text",
                line={"color": colour(family), "width": 2},
                marker={"symbol": FAMILY_SYMBOL.get(family, "circle"), "size": 7},
                hovertext=[
                    f"{name} without {k} blocks:<br>test error {words.percent(mean)}, mean of {n} draws"
                    for k, mean, n in zip(counts, found["mean"], found["count"], strict=True)
                ],
            )
        )  # fmt: skip
    set_error_axis(figure, False)
    figure.update_xaxes(range=[0, last + 0.5], tickformat="d")
    return _with_legend(figure)


def by_disorder(tables: Tables) -> go.Figure:
    """Error against Kendall's tau of the order of blocks, one point per draw."""
    figure = blank("Kendall's tau of the order (1: untouched)", "test error (%)", 340)
    low = 0.9
    for name, (family, table) in tables.items():
        part = table[table["kind"] == "swapped"]
        low = min(low, float(part["tau"].min())) if len(part) else low
        figure.add_trace(
            go.Scatter(
                x=part["tau"].tolist(), y=part["error_pct"].tolist(), mode="markers", name=name,
                marker={"color": colour(family), "symbol": FAMILY_SYMBOL.get(family, "circle"), "size": 7,
                        "opacity": 0.7},
                hoverinfo="text",
                hovertext=[
                    f"{name}, {int(pairs)} pairs swapped, tau {tau:.2f}:<br>test error {words.percent(error)}"
                    for pairs, tau, error in zip(part["count"], part["tau"], part["error_pct"], strict=True)
                ],
            )
        )  # fmt: skip
    set_error_axis(figure, False)
    figure.update_xaxes(range=[1.02, low - 0.02])
    return _with_legend(figure)


def confusion(table: Sequence[Sequence[int]], classes: Sequence[str]) -> go.Figure:
    """Images by true class and answer, counts written into the cells; the diagonal is right."""
    figure = blank("answer", "true class", 380)
    names = [name[:12] for name in classes]
    shown = [[str(count) if count else "" for count in row] for row in table]
    filled = [[count or None for count in row] for row in table]
    figure.add_trace(
        go.Heatmap(
            z=filled, zmin=0, x=list(range(len(names))), y=list(range(len(names))), text=shown,
            texttemplate="%{text}" if len(names) <= 20 else "", showscale=False, xgap=1, ygap=1,
            # white text has 4.5 to 1 on both ends, and both stand out from a light and from a dark ground
            colorscale=[[0, "#66758A"], [1, "#1B4F7F"]], textfont={"color": "#FFFFFF"}, hoverinfo="text",
            hovertext=[
                [f"true {names[true]}, answer {names[at]}: {count} images" for at, count in enumerate(row)]
                for true, row in enumerate(table)
            ],
        )
    )  # fmt: skip
    ticks = {"tickvals": list(range(len(names))), "ticktext": names}
    figure.update_yaxes(autorange="reversed", **ticks)
    figure.update_xaxes(**ticks)
    return figure.update_layout(margin={"l": 72, "r": 16})


def describe_confusion(table: Sequence[Sequence[int]], classes: Sequence[str]) -> str:
    """The matrix in words: how many are right, and the answer given most."""
    total = sum(map(sum, table))
    right = sum(row[number] for number, row in enumerate(table))
    answers = [sum(column) for column in zip(*table, strict=True)]
    most = answers.index(max(answers))
    return (
        f"{right} of {total} images are classed rightly; the answer given most is {classes[most]}, to "
        f"{answers[most]} images."
    )


def _with_legend(figure: go.Figure) -> go.Figure:
    legend = {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "font": {"size": LABEL_SIZE}}
    return figure.update_layout(showlegend=True, legend=legend, margin={"r": 16, "t": 44})
