"""Conductance per block: what passes through its residual branch, of what passes in all."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from explorer.charts import words
from explorer.charts.theme import CONTEXT, LABEL_SIZE, blank, colour

HEIGHT = 320
_NOTHING = 1e-5


def conductance_figure(tables: Mapping[str, pd.DataFrame], families: Mapping[str, str]) -> go.Figure:
    """Bars of the branches' conductance, and a line of the whole for each net.

    Args:
        tables: by the net's title, as `explorer.probes.conductance.conductance_table` gives them.
        families: by the net's title.
    """
    figure = blank("block", "conductance (logits)", HEIGHT)
    figure.update_layout(barmode="group", bargap=0.25)
    last = max(int(table["block"].max()) for table in tables.values())
    figure.update_xaxes(range=[0.4, last + 0.6], tickvals=_ticks(last))
    figure.update_yaxes(zeroline=True, zerolinecolor=CONTEXT, zerolinewidth=1)
    figure.update_layout(margin={"l": 56, "r": 12, "t": 14, "b": 48})
    for number, (title, table) in enumerate(tables.items()):
        tint = colour(families[title])
        figure.add_trace(_bars(title, table, tint))
        figure.add_trace(_whole(title, table, tint, last, left=number == 1))
    figure.update_yaxes(range=_range(tables))
    for edge in _edges(next(iter(tables.values()))):
        figure.add_vline(edge, line={"color": CONTEXT, "width": 1, "dash": "dot"})
    return figure


def describe_conductance(tables: Mapping[str, pd.DataFrame]) -> str:
    """The chart in words."""
    said = [
        f"{title}: {len(table)} blocks; through every block pass about {table['conductance'].mean():.2g} "
        f"logits, most of them through the branch of block {_most(table)}"
        for title, table in tables.items()
    ]
    return "Conductance of each block's branch in logits. " + "; ".join(said) + "."


def conductance_finding(table: pd.DataFrame, family: str) -> str:
    """What the numbers say, in one sentence."""
    whole = float(table["conductance"].mean())
    if float(table[["conductance", "branch"]].abs().to_numpy().max()) < _NOTHING:
        return "From the baseline to the picture the score does not change: no block has anything to carry."
    turn = f"{'rises' if whole >= 0 else 'falls'} by about {abs(whole):.2f} logits"
    if family == "plain":
        return (
            f"From the baseline to the picture the score {turn}; in a plain net all of it passes through "
            "every block: there is no way around."
        )
    most = _most(table)
    top = float(table.loc[table["block"] == most, "branch"].sum())
    share = 100 * float((table["branch"] / table["conductance"].replace(0, np.nan)).median())
    rest = (
        "its shortcut the rest."
        if 0 <= round(share) <= 100
        else "so branches and shortcuts partly cancel: shares below 0 and above 100 % are possible."
    )
    return (
        f"From the baseline to the picture the score {turn}. The branch of block {most} carries "
        f"the most of it ({words.signed(top)}); the median branch carries {share:.0f} %, {rest}"
    )


def _most(table: pd.DataFrame) -> int:
    """The block whose branch carries the most in the direction in which the score goes."""
    along = table["branch"].to_numpy() * (1 if table["conductance"].mean() >= 0 else -1)
    return int(table["block"].iloc[int(along.argmax())])


def _bars(title: str, table: pd.DataFrame, tint: str) -> go.Bar:
    said = [
        f"{title}, block {row.block} (stage {row.stage}):<br>{row.branch:+.3g} logits through its branch, "
        f"{row.shortcut:+.3g} around it"
        for row in table.itertuples()
    ]
    return go.Bar(
        x=table["block"].tolist(), y=table["branch"].tolist(), marker={"color": tint},
        name=f"{title}, through the branch", hoverinfo="text", hovertext=said, textposition="none",
    )  # fmt: skip


def _whole(title: str, table: pd.DataFrame, tint: str, last: int, *, left: bool) -> go.Scatter:
    height, name = float(table["conductance"].mean()), f"{title.split(',')[0]}: all of it"
    return go.Scatter(
        x=[0.4, last + 0.6], y=[height, height], mode="lines+text",
        text=[f"  {name}", ""] if left else ["", f"{name}  "],
        textposition="top right" if left else "top left", textfont={"size": LABEL_SIZE},
        line={"color": tint, "width": 2, "dash": "dash"}, name=f"{title}, all of it", hoverinfo="text",
        hovertext=f"{title}: {height:+.3g} logits pass through every block, branch and shortcut together",
    )  # fmt: skip


def _edges(table: pd.DataFrame) -> list[float]:
    changed = table["stage"].diff().fillna(0) != 0
    return [float(block) - 0.5 for block in table.loc[changed, "block"]]


def _range(tables: Mapping[str, pd.DataFrame]) -> list[float]:
    """From below zero to above the lines' labels."""
    values = np.concatenate(
        [table[["branch", "conductance"]].to_numpy().ravel() for table in tables.values()]
    )
    low, high = min(float(values.min()), 0.0), max(float(values.max()), 0.0)
    room = (high - low) or 1.0
    return [low - (0.05 * room if low < 0 else 0), high + 0.16 * room]


def _ticks(last: int) -> list[int]:
    step = max(1, -(-last // 14))
    return list(range(1, last + 1, step))
