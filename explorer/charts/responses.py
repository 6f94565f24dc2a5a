"""Figure 7: the responses of layers, in layer order and sorted by size."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from explorer.analysis.aggregates import median_over_seeds
from explorer.charts.theme import CONTEXT, FAMILY_SYMBOL, LABEL_SIZE, blank, colour, depth_colour

RESPONSE_COLUMNS = ["net", "epoch", "layer", "value", "low", "high", "seeds"]
_LOG_FLOOR, _LOG_TOP = 1e-2, 1e2
_LEGEND_TOP = 74
_MARKS = 14


@dataclass(frozen=True)
class Quantity:
    """What is read of each layer or block.

    Attributes:
        column: its name in the records.
        title: the name shown to people.
        axis: title of its axis, with the unit.
        of: whether there is one value per layer or one per block.
    """

    column: str
    title: str
    axis: str
    of: str


QUANTITIES = {
    "ratio": Quantity("residual_ratio", "‖F(x)‖ / ‖x‖", "‖F(x)‖ / ‖x‖", "block"),
    "std": Quantity("response_std", "Response std", "std of the response", "layer"),
    "norm": Quantity("residual_norm", "‖F(x)‖", "‖F(x)‖", "block"),
}


@dataclass(frozen=True)
class NetSeries:
    """One net in a chart: a net of the zoo with all its seeds, or one run.

    Attributes:
        key: names it in the table and in a URL.
        title: the name shown to people.
        family: plain, residual, preact or highway.
        depth: weighted layers.
    """

    key: str
    title: str
    family: str
    depth: int


@dataclass(frozen=True)
class ResponseAxes:
    """What a chart of responses is drawn on; the same for every epoch.

    Attributes:
        quantity: what is drawn.
        nets: in drawing order.
        low: lower end of the axis.
        high: upper end of the axis.
        log: whether the axis is logarithmic.
        layers: the last layer of the deepest net.
        said: how the values were read, printed on the chart.
    """

    quantity: Quantity
    nets: tuple[NetSeries, ...]
    low: float
    high: float
    log: bool
    layers: int
    said: str


def response_table(records: pd.DataFrame, nets: pd.DataFrame, quantity: Quantity) -> pd.DataFrame:
    """Median, lowest and highest value over the seeds: columns `RESPONSE_COLUMNS`.

    The median, since a single run whose values explode would be the mean of all.

    Args:
        records: columns run_id, epoch, layer and the quantity's.
        nets: columns run_id, net.
        quantity: which column.
    """
    return median_over_seeds(records, nets, quantity.column)[RESPONSE_COLUMNS]


def axes_for(
    table: pd.DataFrame, nets: Sequence[NetSeries], quantity: Quantity, *, log: bool, said: str
) -> ResponseAxes:
    """Axes wide enough for the last epoch of every net; what lies beyond them is drawn on their edge."""
    last = table[table["epoch"] == table.groupby("net")["epoch"].transform("max")]["value"]
    usable = last[np.isfinite(last) & (last > 0)]
    least, most = (float(usable.min()), float(usable.max())) if len(usable) else (0.1, 1.0)
    layers = int(table["layer"].max()) if len(table) else 1
    if log:
        scale = 100 if quantity.column == "residual_norm" else 1  # a norm grows with the map's elements
        low = 10 ** math.floor(math.log10(max(least, _LOG_FLOOR)))
        high = 10 ** math.ceil(math.log10(min(max(most, 1.01 * low), _LOG_TOP * scale)) + 1e-9)
        return ResponseAxes(quantity, tuple(nets), low, max(high, 10 * low), True, layers, said)
    median = float(usable.median()) if len(usable) else 1.0
    return ResponseAxes(quantity, tuple(nets), 0.0, 1.05 * min(most, 4 * median), False, layers, said)


def in_layer_order(table: pd.DataFrame, axes: ResponseAxes, epoch: int) -> go.Figure:
    """One line per net over its layers, at one epoch; every epoch has the same traces."""
    figure = _axes_figure(axes, "weighted layer, from the image to the read-out")
    for net in axes.nets:
        here = _of(table, net, epoch)
        figure.add_trace(_line(here["layer"].tolist(), here, net, axes))
    return figure


def sorted_by_size(table: pd.DataFrame, axes: ResponseAxes, epoch: int) -> go.Figure:
    """The same values, each net's from its greatest to its least."""
    figure = _axes_figure(axes, f"{axes.quantity.of}s, sorted by size")
    for net in axes.nets:
        here = _of(table, net, epoch).sort_values("value", ascending=False, kind="stable")
        figure.add_trace(_line(list(range(1, len(here) + 1)), here, net, axes))
    return figure


def beyond(table: pd.DataFrame, axes: ResponseAxes, epoch: int) -> int:
    """How many values at this epoch lie beyond the axis and are drawn on its edge."""
    keys = [net.key for net in axes.nets]
    values = table[(table["epoch"] == epoch) & table["net"].isin(keys)]["value"]
    return int(((values > axes.high) | (values < axes.low)).sum())


def describe_responses(table: pd.DataFrame, axes: ResponseAxes, epoch: int) -> str:
    """The chart in words, for people who do not see it."""
    said = []
    for net in axes.nets:
        values = _of(table, net, epoch)["value"]
        if len(values):
            said.append(f"{net.title}: {_in_words(values)}")
    lines = "; ".join(said or ["no net"])
    return f"{axes.quantity.title} per {axes.quantity.of} after epoch {epoch}, {axes.said}. {lines}."


def _in_words(values: pd.Series) -> str:
    finite = values[np.isfinite(values)]
    if finite.empty:
        return "beyond what float32 holds"
    lost = len(values) - len(finite)
    more = f"; {lost} of {len(values)} grow beyond what float32 holds and are left out" if lost else ""
    return (
        f"{finite.iloc[0]:.2g} in the first, {finite.iloc[-1]:.2g} in the last, median {finite.median():.2g}"
        f"{more}"
    )


def net_colour(net: NetSeries, nets: Sequence[NetSeries]) -> str:
    """A depth is a lightness within its family's hue."""
    depths = [other.depth for other in nets if other.family == net.family]
    if len(set(depths)) == 1:
        return colour(net.family)
    return depth_colour(net.family, net.depth, sorted(set(depths)))


def drawn_values(values: Sequence[float], axes: ResponseAxes) -> list[float]:
    """Values as drawn: on the edge of the axis where they lie beyond it; a gap where there is none."""
    return [
        value if math.isnan(value) else min(max(value, axes.low), axes.high) for value in map(float, values)
    ]


def _of(table: pd.DataFrame, net: NetSeries, epoch: int) -> pd.DataFrame:
    return table[(table["net"] == net.key) & (table["epoch"] == epoch)]


def _line(x: list[int], here: pd.DataFrame, net: NetSeries, axes: ResponseAxes) -> go.Scatter:
    return go.Scatter(
        x=x, y=drawn_values(here["value"].tolist(), axes), mode="lines+markers", name=net.title,
        line={"color": net_colour(net, axes.nets), "width": 2},
        marker={"symbol": FAMILY_SYMBOL.get(net.family, "x"), "size": 7, "maxdisplayed": _MARKS},
        hoverinfo="text", hovertext=_sentences(here, net, axes),
    )  # fmt: skip


def _sentences(here: pd.DataFrame, net: NetSeries, axes: ResponseAxes) -> list[str]:
    rows = zip(
        here["epoch"], here["layer"], here["value"], here["low"], here["high"], here["seeds"], strict=True
    )
    return [
        f"{net.title}, {'layer' if axes.quantity.of == 'layer' else 'block ending at layer'} {layer}, epoch "
        f"{epoch}:<br>{axes.quantity.title} {value:.3g}"
        + (f" ({low:.3g} to {high:.3g} over {seeds} seeds)" if seeds > 1 else "")
        for epoch, layer, value, low, high, seeds in rows
    ]


def _axes_figure(axes: ResponseAxes, x_title: str) -> go.Figure:
    figure = blank(x_title, axes.quantity.axis)
    legend = {"orientation": "h", "x": 0, "xanchor": "left", "y": 1.02, "yanchor": "bottom",
              "font": {"size": LABEL_SIZE}, "itemsizing": "constant"}  # fmt: skip
    figure.update_layout(
        showlegend=True, legend=legend, margin={"t": _LEGEND_TOP, "r": 14, "autoexpand": False}
    )
    figure.update_xaxes(range=[0, axes.layers + 1], tickformat="d")
    figure.update_yaxes(**value_axis(axes))
    figure.add_annotation(
        text=axes.said, xref="paper", yref="paper", x=1, y=0.005, xanchor="right", yanchor="bottom",
        showarrow=False, font={"size": 12, "color": CONTEXT},
    )  # fmt: skip
    return figure


def value_axis(axes: ResponseAxes, steps: Sequence[int] = (1, 2, 5)) -> dict[str, object]:
    """Range and ticks of the axis of values, for Plotly; a log axis has ticks at `steps` of each decade."""
    if not axes.log:
        return {"type": "linear", "range": [axes.low, axes.high]}
    first, last = round(math.log10(axes.low)), round(math.log10(axes.high))
    pad = 0.02 * (last - first)
    ticks = [10.0**power * step for power in range(first, last + 1) for step in steps]
    ticks = [tick for tick in ticks if tick <= 1.001 * axes.high]
    return {"type": "log", "range": [first - pad, last + pad], "tickvals": ticks,
            "ticktext": [f"{tick:g}" for tick in ticks]}  # fmt: skip
