"""How do nets learn, step by step? Curves that grow while the sheet under them stays.

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

from explorer.charts import words
from explorer.charts.growing import Drawing
from explorer.charts.marks import chance_line, end_labels, set_error_axis
from explorer.charts.scales import drawn_errors, error_range
from explorer.charts.strokes import Lines, as_power, empty_sheet, hovering, one_each, stroke, with_sentences
from explorer.charts.theme import CONTEXT, Split, blank

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
class Sheet:
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
    members: pd.DataFrame,
    style: LiveStyle,
) -> Lines:
    """Training loss of every step, and test loss after every epoch.

    Args:
        steps: by run id; columns iteration, loss.
        epochs: by run id; columns iteration, epoch, test_loss.
        members: the runs, columns `MEMBER_COLUMNS`, in the order of drawing.
        style: smoothing and log axes.
    """
    traces, ends, most = [], [], -math.inf
    for member in members.to_dict("records"):
        whole, tests = steps[member["run_id"]], epochs[member["run_id"]]
        mine, tests = thinned(whole), tests[tests["iteration"] > 0]
        x, raw = mine["iteration"].tolist(), mine["loss"]
        smooth = raw.rolling(style.smoothing, min_periods=1).mean().tolist() if style.smoothing > 1 else []
        test = stroke(tests["iteration"].tolist(), tests["test_loss"].tolist(), member, "test")
        traces += [
            stroke(x, raw.tolist(), member, "train", style.smoothing > 1),
            hovering(stroke(x[: len(smooth)], smooth, member, "train"), "iteration", "loss"),
            hovering(test, "iteration", "loss"),
        ]
        last = smooth or raw.tolist()
        ends.append((member["group"], last[-1] if last else math.nan))
        most = max(most, float(whole["loss"].quantile(0.99)) if len(whole) else most)
    return Lines(tuple(traces), tuple(ends), most=most)


def loss_over_steps(lines: Lines, style: LiveStyle, sheet: Sheet) -> Drawing:
    """The lines of `loss_lines` on their sheet; it stays as long as no loss leaves its axis."""
    top = next((step for step in _LOSS_TOPS if lines.most <= step), _LOSS_TOPS[-1])
    chance, layout = _loss_sheet(style, sheet, top)
    labels = end_labels(
        one_each(lines.ends), sheet.iterations, style.log_y, _loss_range(top, style.log_y)
    ).to_plotly_json()
    return Drawing((chance, *lines.traces, labels), layout, 1 + lines.still)


def error_lines(
    epochs: Mapping[str, pd.DataFrame], members: pd.DataFrame, style: LiveStyle, sheet: Sheet
) -> Lines:
    """Training and test error after every epoch.

    Args:
        epochs: by run id; columns epoch, train_error_pct, test_error_pct.
        members: the runs, columns `MEMBER_COLUMNS`, in the order of drawing.
        style: log axes; epochs are never smoothed.
        sheet: how far the axes reach.
    """
    traces: list[dict[str, Any]] = []
    ends = []
    for member in members.to_dict("records"):
        mine = epochs[member["run_id"]]
        mine = mine[mine["epoch"] > 0] if style.log_x else mine
        for split, column in _ERRORS.items():
            there = mine.dropna(subset=[column])
            drawn = drawn_errors(there[column].tolist(), style.log_y)
            line = stroke(there["epoch"].tolist(), drawn, member, split, points=sheet.epochs <= 40)
            traces.append(with_sentences(line, "epoch", "error", there[column].tolist()))
        ends.append((member["group"], drawn[-1] if drawn else math.nan))
    return Lines(tuple(traces), tuple(ends))


def error_over_epochs(lines: Lines, style: LiveStyle, sheet: Sheet) -> Drawing:
    """The lines of `error_lines` on their sheet, which never changes while runs are trained."""
    chance, layout = _error_sheet(style, sheet)
    labels = end_labels(one_each(lines.ends), sheet.epochs, style.log_y, error_range(style.log_y))
    return Drawing((chance, *lines.traces, labels.to_plotly_json()), layout, 1 + lines.still)


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


def thinned(steps: pd.DataFrame) -> pd.DataFrame:
    """At most `MOST_POINTS` points: means of as many neighbouring steps as it takes."""
    width = -(-len(steps) // MOST_POINTS)
    if width <= 1:
        return steps
    bins = np.arange(len(steps)) // width
    return steps.groupby(bins).agg({"iteration": "last", "loss": "mean"})


def describe_errors(epochs: Mapping[str, pd.DataFrame], members: pd.DataFrame) -> str:
    """The error chart in words, for people who do not see it."""
    said = []
    for member in members.to_dict("records"):
        mine = epochs[member["run_id"]]
        if len(mine):
            last = mine.iloc[-1]
            train, test = (words.percent(last[f"{split}_error_pct"]) for split in ("train", "test"))
            name = f"{member['group']}, seed {member['seed']}"
            said.append(f"{name}: training error {train}, test error {test} after epoch {int(last['epoch'])}")
    return f"Error in per cent over the epochs. {'; '.join(said) or 'Nothing was trained yet'}."


def describe_losses(steps: Mapping[str, pd.DataFrame], members: pd.DataFrame) -> str:
    """The loss chart in words, for people who do not see it."""
    said = []
    for member in members.to_dict("records"):
        mine = steps[member["run_id"]]
        if len(mine):
            last = mine.iloc[-1]
            name = f"{member['group']}, seed {member['seed']}"
            said.append(f"{name}: {last['loss']:.3g} at iteration {int(last['iteration'])}")
    return f"Training loss of every step. {'; '.join(said) or 'Nothing was trained yet'}."


@lru_cache(maxsize=64)
def _loss_sheet(style: LiveStyle, sheet: Sheet, top: float) -> tuple[dict[str, Any], dict[str, Any]]:
    """The line of guessing, and the layout; shared, so nobody may change them."""
    titles = ("iteration (batches trained)", "loss (cross-entropy, nats)")
    figure = empty_sheet(*titles, sheet.iterations, (style.log_x, style.log_y))
    log = style.log_y
    figure.update_yaxes(type="log" if log else "linear", range=_loss_range(top, log))
    if log:
        powers = range(-4, 2)
        figure.update_yaxes(
            tickvals=[10.0**power for power in powers], ticktext=[as_power(p) for p in powers]
        )
    chance = chance_line(100, [1, sheet.iterations])
    chance.update(y=[math.log(sheet.classes)] * 2, hovertext="Guessing: the logarithm of the classes.")
    return chance.to_plotly_json(), figure.to_plotly_json()["layout"]


@lru_cache(maxsize=64)
def _error_sheet(style: LiveStyle, sheet: Sheet) -> tuple[dict[str, Any], dict[str, Any]]:
    """As `_loss_sheet`."""
    figure = empty_sheet("epoch", "error (%)", sheet.epochs, (style.log_x, style.log_y))
    set_error_axis(figure, style.log_y)
    chance = chance_line(sheet.chance_pct, [1 if style.log_x else 0, sheet.epochs])
    return chance.to_plotly_json(), figure.to_plotly_json()["layout"]


def _loss_range(top: float, log: bool) -> list[float]:
    return [math.log10(_LOSS_FLOOR), math.log10(top * 1.5)] if log else [-0.02 * top, top * 1.02]
