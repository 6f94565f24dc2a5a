"""Charts and sentences of watched runs, for a page's run or for all who ask."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property, lru_cache

import pandas as pd

from explorer.analysis.outcomes import outcome, so_far
from explorer.charts import live as charts
from explorer.charts import words
from explorer.charts.blocks import BlockMeasure, block_lines, by_block
from explorer.charts.live import LiveAxes, LiveStyle
from explorer.charts.patch import FigureSpec
from explorer.charts.run_traces import ZOO, TraceSet, alt_text
from explorer.probes.recorded import RECORDED
from explorer.runs.status import Status
from explorer.runs.store import StoreError
from explorer.ui.components.figure import theme_layout
from explorer.ui.components.live_text import LiveText
from explorer.ui.train.available_actions import available_actions
from explorer.ui.train.live_charts import LiveFigure
from explorer.ui.train.status_texts import status_texts
from explorer.ui.train.watched_runs import MOST, RunRecords, WatchedRuns, load_watched_runs
from explorer.ui.url_parameters import Whole

CONCLUSION = "conclusion"
"""Name of the sentence that says what the runs show."""
LOSSES, ERRORS = "loss-over-steps", "error-while-training"
BLOCK_CHARTS = {f"blocks-{one.column}": one.axis.heading for one in RECORDED if one.axis}
"""Headings of the charts over the blocks, by their keys."""
_MEASURES = {
    f"blocks-{one.column}": BlockMeasure(one.column, one.title, one.axis.top, one.axis.floors)
    for one in RECORDED
    if one.axis
}
_USUAL_BLOCKS = 9
_LIST = ","
_FIRST_MS, _OFTEN_MS, _REST_MS = 150, 400, 3000


class LiveQueryError(ValueError):
    """There is nothing to see of these runs; the text says why."""


@dataclass(frozen=True)
class LiveQuery:
    """What is watched, and how it is drawn.

    Attributes:
        ids: own runs; empty where nothing was started.
        context: runs of the zoo beside them.
        style: smoothing and log axes.
        dark: whether the page is dark.
    """

    ids: tuple[str, ...]
    context: tuple[str, ...]
    style: LiveStyle
    dark: bool

    @property
    def params(self) -> dict[str, str]:
        """The view as parameters of an address."""
        style, flags = self.style, {"logx": self.style.log_x, "logy": self.style.log_y, "dark": self.dark}
        return {
            "runs": _LIST.join(self.ids), "context": _LIST.join(self.context),
            "smoothing": str(style.smoothing), **{name: str(int(flag)) for name, flag in flags.items()},
        }  # fmt: skip

    @classmethod
    def from_params(cls, query: Mapping[str, str]) -> LiveQuery:
        """The view that `query` stands for.

        Raises:
            LiveQueryError: no page asks like this.
        """
        ids, context = (tuple(query.get(name, "").split(_LIST)) for name in ("runs", "context"))
        smoothing = Whole("smoothing", 1, 1000).read([query.get("smoothing", "")])
        flags = [query.get(name) for name in ("logx", "logy", "dark")]
        if smoothing is None or set(flags) - {"0", "1"}:
            raise LiveQueryError("Ask with runs, context, smoothing, logx, logy and dark, as the page does.")
        log_x, log_y, dark = (flag == "1" for flag in flags)
        style = LiveStyle(log_x=log_x, log_y=log_y, smoothing=smoothing)
        return cls(tuple(filter(None, ids))[:MOST], tuple(filter(None, context))[:MOST], style, dark)


@dataclass(frozen=True, eq=False)
class LiveSnapshot:
    """What a view shows at one moment.

    Attributes:
        pictures: by the key of the chart.
        texts: by their names.
        choices: what can be asked of each run.
        wait_ms: until there may be more to see.
    """

    pictures: dict[str, LiveFigure]
    texts: dict[str, LiveText]
    choices: list[list[str]]
    wait_ms: int

    @cached_property
    def layout_keys(self) -> dict[str, str]:
        """Signatures of what a page must be redrawn for: its charts' sheets, and all the rest."""
        sheets = "".join(picture.drawing.layout_key for picture in self.pictures.values())
        return {"sheets": sheets, "rest": json.dumps([sorted(self.texts), self.choices])}

    @property
    def payload(self) -> str:
        """What a page needs to show this instead of what it was drawn with."""
        charts = ",".join(f"{json.dumps(key)}:{picture.payload}" for key, picture in self.pictures.items())
        texts = {name: told.payload for name, told in self.texts.items()}
        rest = json.dumps({"drawn": self.layout_keys, "texts": texts, "wait": self.wait_ms})
        return f'{{"charts":{{{charts}}},{rest[1:]}'


def build_snapshot(query: LiveQuery, found: WatchedRuns) -> LiveSnapshot:
    """What this view shows of these runs."""
    kept = found.kept
    pictures = {
        LOSSES: _losses(query, found),
        ERRORS: _errors(query, kept, found.axes),
        **{key: _blocks(query, kept, measure) for key, measure in _MEASURES.items()},
    }
    done = bool(found.states["status"].eq(Status.DONE).all())
    said = _said(kept, found.active, done, found.axes.epochs) if query.ids else _said_before(kept)
    return LiveSnapshot(
        pictures,
        status_texts(found) | {CONCLUSION: LiveText(said)},
        available_actions(found),
        _wait_ms(found),
    )


def load_snapshot(query: LiveQuery) -> LiveSnapshot:
    """What this view shows at this moment.

    Raises:
        LiveQueryError: there are no such runs, or they cannot be read.
    """
    try:
        return build_snapshot(query, load_watched_runs(query.ids, query.context))
    except (StoreError, KeyError) as error:
        raise LiveQueryError(str(error)) from error


def _wait_ms(found: WatchedRuns) -> int:
    """Short before the first step, for which somebody waits; long where only another person can go on."""
    if not found.active:
        return _REST_MS
    begun = any(member.run_id in found.reached for member in found.kept.own)
    return _OFTEN_MS if begun else _FIRST_MS


def loss_figure(query: LiveQuery, found: WatchedRuns) -> FigureSpec:
    """The chart of losses, in no page's colours."""
    return charts.loss_over_steps(_loss_lines(query, found), query.style, found.axes)


def error_figure(query: LiveQuery, kept: RunRecords, axes: LiveAxes) -> FigureSpec:
    """The chart of errors, in no page's colours."""
    return charts.error_over_epochs(_error_lines(query, kept, axes), query.style, axes)


def _losses(query: LiveQuery, found: WatchedRuns) -> LiveFigure:
    lines = _loss_lines(query, found)
    drawing = charts.loss_over_steps(lines, query.style, found.axes)
    return _picture(query, drawing, "Training loss of every step", lines)


@lru_cache(maxsize=16)
def _errors(query: LiveQuery, kept: RunRecords, axes: LiveAxes) -> LiveFigure:
    lines = _error_lines(query, kept, axes)
    drawing = charts.error_over_epochs(lines, query.style, axes)
    return _picture(query, drawing, "Error in per cent after every epoch", lines)


@lru_cache(maxsize=32)
def _blocks(query: LiveQuery, kept: RunRecords, measure: BlockMeasure) -> LiveFigure:
    counts = [int(table["block"].to_numpy().max()) for table in kept.blocks.values() if len(table)]
    lines = _zoo_blocks(kept.zoo, measure) + block_lines(kept.blocks, kept.own, measure)
    drawing = by_block(lines, measure, max(counts, default=_USUAL_BLOCKS))
    return _picture(query, drawing, f"{measure.title} of every block", lines)


def _picture(query: LiveQuery, drawing: FigureSpec, title: str, lines: TraceSet) -> LiveFigure:
    coloured = replace(drawing, layout=theme_layout(drawing.layout, query.dark))
    return LiveFigure(coloured, title, alt_text(lines, f"{title}."))


def _loss_lines(query: LiveQuery, found: WatchedRuns) -> TraceSet:
    kept = found.kept
    own = charts.loss_lines(found.steps, kept.epochs, kept.own, query.style)
    return _zoo_losses(kept.zoo, query.style) + own


def _error_lines(query: LiveQuery, kept: RunRecords, axes: LiveAxes) -> TraceSet:
    own = charts.error_lines(kept.epochs, kept.own, query.style, axes)
    return _zoo_errors(kept.zoo, query.style, axes) + own


@lru_cache(maxsize=32)
def _zoo_losses(zoo: RunRecords | None, style: LiveStyle) -> TraceSet:
    return charts.loss_lines(zoo.steps, zoo.epochs, zoo.members, style) if zoo else TraceSet()


@lru_cache(maxsize=32)
def _zoo_errors(zoo: RunRecords | None, style: LiveStyle, axes: LiveAxes) -> TraceSet:
    return charts.error_lines(zoo.epochs, zoo.members, style, axes) if zoo else TraceSet()


@lru_cache(maxsize=32)
def _zoo_blocks(zoo: RunRecords | None, measure: BlockMeasure) -> TraceSet:
    return block_lines(zoo.blocks, zoo.members, measure) if zoo else TraceSet()


@lru_cache(maxsize=32)
def _said(kept: RunRecords, active: bool, done: bool, epochs: int) -> str:
    """The answer in one sentence, computed from the numbers."""
    curves = pd.concat([kept.epochs[member.run_id] for member in kept.own], ignore_index=True)
    table = pd.DataFrame(map(asdict, kept.own))
    return so_far(curves, table, epochs) if active or not done else outcome(curves, table)


def _said_before(kept: RunRecords) -> str:
    """What is there to see before anything was started."""
    zoo = kept.zoo.members if kept.zoo else ()
    if not zoo:
        return "**Start** trains these nets; their curves grow here, step by step. What do you expect?"
    names = list(dict.fromkeys(member.group.removesuffix(ZOO) for member in zoo))
    return (
        f"**From the zoo, finished before:** {words.listed(names)}, {len({one.seed for one in zoo})} "
        "seeds each. **Start** trains yours and draws it on top, in full colour."
    )
