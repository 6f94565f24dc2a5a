"""The runs that a page watches, those of its link, and their states; each record is read once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

import pandas as pd

from explorer.charts.live import LiveAxes
from explorer.charts.run_traces import RunSeries, coloured
from explorer.data.registry import available
from explorer.jobs import actions
from explorer.jobs.experiment import DatasetInfo, Experiment
from explorer.jobs.run_reader import (
    NOTHING,
    IncrementalRunReader,
    RecordTables,
    RunCursor,
    being_trained,
    named,
    resolve,
    with_snapshot,
    zoo_records,
)
from explorer.runs.run import Run, run_table
from explorer.runs.status import ACTIVE
from explorer.runs.store import Store, StoreBusyError, StoreError
from explorer.training.estimates import estimate
from explorer.ui.cached_runs import library, own_store, runs_on
from explorer.ui.components.machine import speed_of
from explorer.ui.url_parameters import Names, asked, declare, say

RUNS = "runs"
_RUNS = declare(Names(RUNS))
"""Name in the URL of the watched runs: their ids, or those of groups, separated by commas."""
MOST = 24
Plan = tuple[Experiment, DatasetInfo]
"""What the form orders."""


@dataclass(frozen=True, eq=False)
class RunRecords:
    """What is recorded of some runs; the same object until there is more.

    Attributes:
        members: the runs in the order of drawing.
        of: by run id.
        zoo: the part of it that came with the explorer, which stays the same object longer.
    """

    members: tuple[RunSeries, ...]
    of: Mapping[str, RecordTables]
    zoo: RunRecords | None = None

    @cached_property
    def own(self) -> tuple[RunSeries, ...]:
        """The members that are not the zoo's."""
        return tuple(member for member in self.members if not member.zoo)

    @cached_property
    def epochs(self) -> dict[str, pd.DataFrame]:
        """Curves by run id."""
        return {run_id: record.epochs for run_id, record in self.of.items()}

    @cached_property
    def steps(self) -> dict[str, pd.DataFrame]:
        """Steps of the recorded epochs by run id."""
        return {run_id: record.steps for run_id, record in self.of.items()}

    @cached_property
    def blocks(self) -> dict[str, pd.DataFrame]:
        """Block records by run id."""
        return {run_id: record.blocks for run_id, record in self.of.items()}


@dataclass(frozen=True, eq=False)
class WatchedRuns:
    """Some runs as they stand now.

    Attributes:
        states: where the user's own runs stand, columns `actions.STATE_COLUMNS`.
        rates: images per second of those that are within an epoch.
        kept: what is recorded.
        steps: by run id, with those of the epoch that each run is in.
        axes: how far the axes reach.
        batch_sizes: by run id.
        expected: images per second that were estimated, of the runs in `rates`.
    """

    states: pd.DataFrame
    rates: dict[str, float]
    kept: RunRecords
    steps: Mapping[str, pd.DataFrame]
    axes: LiveAxes
    batch_sizes: dict[str, int]
    expected: dict[str, float]

    @cached_property
    def active(self) -> bool:
        """Whether anything is waiting or being trained."""
        return any(state["status"] in ACTIVE for state in self.rows)

    @cached_property
    def rows(self) -> list[dict[str, Any]]:
        """The states as plain values."""
        return self.states.to_dict("records")  # type: ignore[return-value]

    @cached_property
    def reached(self) -> dict[str, tuple[int, float]]:
        """Of each run that has begun: its last step, and the learning rate of that step."""
        begun = {run_id: steps for run_id, steps in self.steps.items() if len(steps)}
        columns = ("iteration", "lr")
        ends = {run_id: [steps[name].to_numpy()[-1] for name in columns] for run_id, steps in begun.items()}
        return {run_id: (int(iteration), float(rate)) for run_id, (iteration, rate) in ends.items()}


def watched_ids() -> list[str]:
    """The runs of the link that exist.

    Raises:
        StoreBusyError: their database does not answer now.
    """
    names = (asked(_RUNS) or [])[:MOST]
    try:
        return resolve(own_store(), names)[:MOST] if names else []
    except StoreBusyError:
        raise
    except StoreError:
        return []


def watch_these(ids: Sequence[str]) -> None:
    """Make these the watched runs, in the URL too."""
    say(_RUNS, ids)


def others_active(ids: Sequence[str]) -> list[str]:
    """Runs that are trained now and not watched here."""
    try:
        return [run_id for run_id in being_trained(own_store()) if run_id not in set(ids)][:MOST]
    except StoreError:
        return []


def context_ids(dataset: str, families: Sequence[str], depth: int) -> list[str]:
    """The zoo's runs to compare with: the same families, at the same depth or the nearest one."""
    there = runs_on(dataset)
    there = there if len(there) else runs_on("digits")
    there = there[there["family"].isin(families)]
    if there.empty:
        return []
    nearest = min(there["depth"].unique(), key=lambda one: (abs(one - depth), one))
    return [str(run_id) for run_id in there.loc[there["depth"] == nearest, "run_id"]]


def is_over(ids: Sequence[str]) -> bool:
    """Whether runs are watched, and all of them have come to an end."""
    if not ids:
        return False
    return not actions.states(own_store(), ids)["status"].isin([*ACTIVE, "paused"]).any()


def context_of(experiment: Experiment | None, dataset: str, ids: Sequence[str]) -> list[str]:
    """The zoo's runs beside the watched ones, or beside what the form orders where nothing is watched."""
    if ids:
        first = _run(ids[0])
        families = list(dict.fromkeys(_run(run_id).spec.family for run_id in ids))
        return context_ids(first.dataset, families, first.spec.depth)
    return context_ids(
        dataset,
        experiment.families if experiment else ("plain", "residual"),
        experiment.depth if experiment else 20,
    )


def load_watched_runs(
    ids: tuple[str, ...], context: tuple[str, ...], plan: Plan | None = None
) -> WatchedRuns:
    """Own runs and those of the zoo beside them; parts of it are shared, so nobody may change it.

    Args:
        ids: own runs.
        context: runs of the zoo.
        plan: where nothing was started, what would be: its lines are there, and empty, so that the charts
            need not be redrawn when it is.
    """
    states, shots = pd.DataFrame(columns=list(actions.STATE_COLUMNS)), {}
    if ids:  # without a store the zoo can still be shown
        states, shots = actions.states(own_store(), ids), actions.live(own_store(), ids)
    columns = (states[name].tolist() for name in ("run_id", "epoch", "attempt"))
    cursors = tuple(RunCursor(*row) for row in zip(*columns, strict=True))
    runs = {one.run_id: _run(one.run_id, one.epoch < 0) for one in cursors}
    plan = None if ids else plan
    kept = _kept(cursors, context, plan)
    fresh = {
        run_id: with_snapshot(kept.steps[run_id], shots.get(run_id), run) for run_id, run in runs.items()
    }
    return WatchedRuns(
        states=states,
        rates={run_id: shot.images_per_s for run_id, shot in shots.items()},
        kept=kept,
        steps=kept.steps | fresh,
        axes=_axes([*runs.values()] or _planned(plan) or [_run(run_id) for run_id in context]),
        batch_sizes={run_id: run.recipe.batch_size for run_id, run in runs.items()},
        expected={run_id: rate for run_id in shots if run_id in runs and (rate := _expected(runs[run_id]))},
    )


def runs_of(found: WatchedRuns) -> pd.DataFrame:
    """The user's own watched runs, columns `RUN_COLUMNS`."""
    cursors = zip(found.states["run_id"], found.states["epoch"], strict=True)
    return run_table([_run(str(run_id), int(epoch) < 0) for run_id, epoch in cursors])


# plain caches: the keys of Streamlit's are hashed value by value, which took most of a look
@lru_cache(maxsize=256)
def _run(run_id: str, waits: bool = False) -> Run:
    """The run; its worker completes it as it begins, so whether it still waits is in the key."""
    try:
        return own_store().get_run(run_id)
    except StoreError:
        return library().run(run_id)


@lru_cache(maxsize=32)
def _kept(cursors: tuple[RunCursor, ...], context: tuple[str, ...], plan: Plan | None) -> RunRecords:
    own = _reader().read(cursors) if cursors else {run.run_id: NOTHING for run in _planned(plan)}
    members = _members(context, tuple((one.run_id, one.epoch < 0) for one in cursors), plan)
    pale = _reference_records(context, tuple(member for member in members if member.zoo))
    return RunRecords(members, {**pale.of, **own}, pale)


@lru_cache(maxsize=32)
def _members(
    context: tuple[str, ...], own: tuple[tuple[str, bool], ...], plan: Plan | None
) -> tuple[RunSeries, ...]:
    runs = [*map(_run, context), *(_run(run_id, waits) for run_id, waits in own), *_planned(plan)]
    return coloured(named(runs))


@lru_cache(maxsize=32)
def _planned(plan: Plan | None) -> tuple[Run, ...]:
    if plan is None:
        return ()
    experiment, images = plan
    runs = [actions.new_run(spec, recipe, images.name) for spec, recipe in experiment.runs(images)]
    return tuple(replace(run, run_id=f"planned-{number}") for number, run in enumerate(runs))


@lru_cache(maxsize=32)
def _reference_records(context: tuple[str, ...], members: tuple[RunSeries, ...]) -> RunRecords:
    return RunRecords(members, _zoo(context))


@lru_cache(maxsize=32)
def _zoo(context: tuple[str, ...]) -> dict[str, RecordTables]:
    return zoo_records(library(), [_run(run_id) for run_id in context])


def _reader() -> IncrementalRunReader:
    return _reader_of(own_store())


@lru_cache(maxsize=2)
def _reader_of(store: Store) -> IncrementalRunReader:
    return IncrementalRunReader(store)


def _expected(run: Run) -> float | None:
    """Images per second as the estimate before the start had them."""
    entry = next((entry for entry in available() if entry.name == run.dataset), None)
    if entry is None:
        return None
    found = estimate(run.spec, run.recipe, entry.image_size, entry.train, speed_of(run.recipe))
    return found.images_per_s


def _axes(runs: Sequence[Run]) -> LiveAxes:
    """From the longest run; one that has not begun is as long as its recipe says."""
    train = {entry.name: entry.train for entry in available()}
    lengths = [(run.iterations or _length(run, train.get(run.dataset, 0)), run.epochs) for run in runs]
    iterations, epochs = (max((one[at] for one in lengths), default=1) for at in (0, 1))
    return LiveAxes(max(iterations, 1), max(epochs, 1), max((run.spec.classes for run in runs), default=10))


def _length(run: Run, train: int) -> int:
    return run.recipe.epochs * (train // max(min(run.recipe.batch_size, train), 1))
