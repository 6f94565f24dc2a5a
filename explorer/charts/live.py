"""Live curves, step by step, on axes that stay while the curves grow.

Runs made here are drawn in full colour, the zoo's in the same colour but pale. Dashed and thin is
training, solid and bold is test. One trace per run and role, in the order of `members`, and one
`uirevision`: a redraw moves line ends, never a reader's zoom.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from explorer.charts import words
from explorer.charts.marks import beyond_frame, chance_line, end_labels, set_error_axis
from explorer.charts.patch import FigureSpec
from explorer.charts.run_traces import (
    RunSeries,
    TraceSet,
    as_power,
    empty_axes,
    hovering,
    line_trace,
    one_each,
    with_sentences,
)
from explorer.charts.scales import drawn_errors, error_range
from explorer.charts.theme import CONTEXT, Split, blank

Real = NDArray[np.floating[Any]]
Whole = NDArray[np.integer[Any]]
MOST_POINTS = 600
_LOSS_TOPS = (3.0, 6.0, 12.0, 25.0, 60.0)
_LOSS_FLOOR = 1e-4
_ERRORS: dict[Split, str] = {"train": "train_error_pct", "test": "test_error_pct"}


@dataclass(frozen=True)
class LiveStyle:
    """What the reader has chosen to see.

    Attributes:
        log_x: steps and epochs on a log axis; step 0 has no place there.
        log_y: losses and errors on a log axis.
        smoothing: steps averaged into the bold line; 1 is none, more keeps the raw losses under it.
    """

    log_x: bool = False
    log_y: bool = False
    smoothing: int = 5


@dataclass(frozen=True)
class LiveAxes:
    """How far the axes reach, whatever has been trained so far.

    Attributes:
        iterations: steps of the longest run.
        epochs: epochs of the longest run.
        classes: of the dataset.
    """

    iterations: int
    epochs: int
    classes: int

    @property
    def chance_pct(self) -> float:
        """Error of guessing."""
        return 100 * (1 - 1 / self.classes)


def loss_lines(
    steps: Mapping[str, pd.DataFrame],
    epochs: Mapping[str, pd.DataFrame],
    members: Sequence[RunSeries],
    style: LiveStyle,
) -> TraceSet:
    """Training loss of every step, and test loss after every epoch.

    Args:
        steps: by run id; columns iteration, loss.
        epochs: by run id; columns iteration, epoch, test_loss.
        members: the runs, in the order of drawing.
        style: smoothing and log axes.
    """
    traces, ends, said, most = [], [], [], -math.inf
    for member in members:
        every, tests = steps[member.run_id], epochs[member.run_id]
        iterations, losses = (every[name].to_numpy() for name in ("iteration", "loss"))
        x, raw = thinned(iterations, losses)
        smooth = means(raw, style.smoothing).tolist() if style.smoothing > 1 else []
        begun = tests["iteration"].to_numpy() > 0
        at, test = (tests[name].to_numpy()[begun].tolist() for name in ("iteration", "test_loss"))
        line = line_trace(x.tolist(), raw.tolist(), member, "train", style.smoothing > 1)
        traces += [
            line,
            hovering(line_trace(line["x"][: len(smooth)], smooth, member, "train"), "iteration", "loss"),
            hovering(line_trace(at, test, member, "test"), "iteration", "loss"),
        ]
        last = smooth or line["y"]
        ends.append((member.group, last[-1] if last else math.nan))
        if len(losses):
            said.append(f"{member.name}: {losses[-1]:.3g} at iteration {iterations[-1]}")
            most = max(most, float(np.quantile(losses, 0.99)))
    return TraceSet(tuple(traces), tuple(ends), tuple(said), most=most)


def loss_over_steps(lines: TraceSet, style: LiveStyle, axes: LiveAxes) -> FigureSpec:
    """The lines of `loss_lines` on their axes, which stay as long as no loss leaves its axis."""
    top = next((step for step in _LOSS_TOPS if lines.most <= step), _LOSS_TOPS[-1])
    chance, layout = _loss_axes(style, axes, top)
    axis = _loss_range(top, style.log_y)
    labels = end_labels(one_each(lines.ends), axes.iterations, style.log_y, axis).to_plotly_json()
    low, high = (10**end for end in axis) if style.log_y else (-math.inf, axis[1])
    beyond = beyond_frame(lines.traces, low, high)
    return FigureSpec((chance, *lines.traces, beyond, labels), layout, 1 + lines.static_traces)


def error_lines(
    epochs: Mapping[str, pd.DataFrame], members: Sequence[RunSeries], style: LiveStyle, axes: LiveAxes
) -> TraceSet:
    """Training and test error after every epoch.

    Args:
        epochs: by run id; columns epoch, train_error_pct, test_error_pct.
        members: the runs, in the order of drawing.
        style: log axes; epochs are never smoothed.
        axes: how far the axes reach.
    """
    traces: list[dict[str, Any]] = []
    ends, said = [], []
    for member in members:
        mine = epochs[member.run_id]
        at = mine["epoch"].to_numpy()
        for split, column in _ERRORS.items():
            errors = mine[column].to_numpy()
            there = np.isfinite(errors) & ((at > 0) | (not style.log_x))
            values = errors[there].tolist()
            drawn = drawn_errors(values, style.log_y)
            line = line_trace(at[there].tolist(), drawn, member, split, points=axes.epochs <= 40)
            traces.append(with_sentences(line, "epoch", "error", values))
        ends.append((member.group, drawn[-1] if drawn else math.nan))
        if len(mine):
            train, test = (words.percent(mine[column].to_numpy()[-1]) for column in _ERRORS.values())
            said.append(f"{member.name}: training error {train}, test error {test} after epoch {at[-1]}")
    return TraceSet(tuple(traces), tuple(ends), tuple(said))


def error_over_epochs(lines: TraceSet, style: LiveStyle, axes: LiveAxes) -> FigureSpec:
    """The lines of `error_lines` on their axes, which never change while runs are trained."""
    chance, layout = _error_axes(style, axes)
    labels = end_labels(one_each(lines.ends), axes.epochs, style.log_y, error_range(style.log_y))
    return FigureSpec((chance, *lines.traces, labels.to_plotly_json()), layout, 1 + lines.static_traces)


def schedule(rates: Sequence[float], iterations: int) -> go.Figure:
    """The learning rate of every step; `rates` are spread evenly over the run."""
    figure = blank("iteration (batches trained)", "learning rate", 170)
    x = np.linspace(1, max(iterations, 1), len(rates)).tolist()
    line = {"color": CONTEXT, "width": 2}
    figure.add_trace(go.Scatter(x=x, y=list(rates), mode="lines", line=line, name="learning rate"))
    figure.update_traces(hovertemplate="iteration %{x:.0f}: learning rate %{y:.3g}<extra></extra>")
    figure.update_layout(margin={"r": 24})
    figure.update_yaxes(range=[0, 1.08 * max(rates)], nticks=4)
    return figure.update_xaxes(range=[0, max(iterations, 1)], nticks=6)


def thinned(iterations: Whole, losses: Real) -> tuple[Whole, Real]:
    """At most `MOST_POINTS` points: means of as many neighbouring steps as it takes, at the last of them."""
    width = -(-len(losses) // MOST_POINTS)
    if width <= 1:
        return iterations, losses
    begins = np.arange(0, len(losses), width)
    lasts = np.minimum(begins + width, len(losses)) - 1
    return iterations[lasts], np.add.reduceat(losses.astype(float), begins) / (lasts - begins + 1)


def means(values: Real, window: int) -> Real:
    """The mean of each value and of those before it, `window` at most; what is not finite stays alone."""
    finite = np.where(np.isfinite(values), values, 0.0)
    sums, counts = (np.concatenate([[0.0], np.cumsum(one)]) for one in (finite, np.isfinite(values)))
    ends = np.arange(1, len(values) + 1)
    begins = np.maximum(ends - window, 0)
    with np.errstate(invalid="ignore"):
        mean = (sums[ends] - sums[begins]) / (counts[ends] - counts[begins])
    return np.where(np.isfinite(values), mean, np.nan)


@lru_cache(maxsize=64)
def _loss_axes(style: LiveStyle, axes: LiveAxes, top: float) -> tuple[dict[str, Any], dict[str, Any]]:
    """The line of guessing, and the layout; shared, so nobody may change them."""
    titles = ("iteration (batches trained)", "loss (cross-entropy, nats)")
    figure = empty_axes(*titles, axes.iterations, (style.log_x, style.log_y))
    log = style.log_y
    figure.update_yaxes(type="log" if log else "linear", range=_loss_range(top, log))
    if log:
        powers = range(-4, 2)
        figure.update_yaxes(
            tickvals=[10.0**power for power in powers], ticktext=[as_power(p) for p in powers]
        )
    chance = chance_line(100, [1, axes.iterations])
    chance.update(y=[math.log(axes.classes)] * 2, hovertext="Guessing: the logarithm of the classes.")
    return chance.to_plotly_json(), figure.to_plotly_json()["layout"]


@lru_cache(maxsize=64)
def _error_axes(style: LiveStyle, axes: LiveAxes) -> tuple[dict[str, Any], dict[str, Any]]:
    """As `_loss_axes`."""
    figure = empty_axes("epoch", "error (%)", axes.epochs, (style.log_x, style.log_y))
    set_error_axis(figure, style.log_y)
    chance = chance_line(axes.chance_pct, [1 if style.log_x else 0, axes.epochs])
    return chance.to_plotly_json(), figure.to_plotly_json()["layout"]


def _loss_range(top: float, log: bool) -> list[float]:
    return [math.log10(_LOSS_FLOOR), math.log10(top * 1.5)] if log else [-0.02 * top, top * 1.02]
