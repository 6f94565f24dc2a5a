"""Which runs count: finished ones, each seed once, imports apart, and only those of one protocol together.

Whatever averages runs, compares them or judges a claim by them takes them from here.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import pandas as pd

from explorer.training.recipe import Recipe

Origin = Literal["zoo", "own", "imported"]
ORIGINS: tuple[Origin, ...] = get_args(Origin)
ORIGIN_TITLE: dict[Origin, str] = {"zoo": "in the zoo", "own": "trained here", "imported": "imported"}
FINISHED = "done"
"""The one status of a run that was trained to its end."""
# nets are one protocol without these: the paper warms up at 110 layers alone, regularisers are named with
# the net, checkpointing changes no number, and the rest is how a run is told from its like
_NO_SETTING = ("seed", "device", "epochs", "iterations", "checkpointing", "kernels")
_NO_PROTOCOL = (*_NO_SETTING, "warmup", "survival", "dropout")


@dataclass(frozen=True)
class Protocol:
    """How some runs were trained.

    Attributes:
        key: in the column protocol of `keyed`.
        title: in words.
    """

    key: str
    title: str


def origin_of(source: str, provenance: Mapping[str, Any]) -> Origin:
    """Where a run was trained: in the zoo, here, or by somebody who exported it.

    Args:
        source: zoo, or mine.
        provenance: of the run; an imported run says so in it.
    """
    if source == "zoo":
        return "zoo"
    return "imported" if provenance.get("imported") else "own"


def keyed(runs: pd.DataFrame) -> pd.DataFrame:
    """Any runs, with what decides which of them belong together.

    Args:
        runs: columns `RUN_COLUMNS`.

    Returns:
        The same columns and three more: origin, protocol (what nets must share to be compared) and settings
        (what runs must share to be seeds of one experiment).
    """
    origins = [origin_of(*pair) for pair in zip(runs["source"], runs["provenance"], strict=True)]
    return runs.assign(origin=origins, protocol=_keys(runs, _NO_PROTOCOL), settings=_keys(runs, _NO_SETTING))


def counted(runs: pd.DataFrame) -> pd.DataFrame:
    """The runs that count: finished, and of each net, setting, origin and seed the newest alone.

    Args:
        runs: columns `RUN_COLUMNS`.

    Returns:
        Columns as `keyed` gives them.
    """
    table = keyed(runs)
    return table[counts(table, ["id", "settings", "origin"])]


def counts(runs: pd.DataFrame, experiment: Sequence[str]) -> pd.Series:
    """Whether each run is finished and the newest of its seed in its experiment.

    Args:
        runs: columns status, created, seed and those of `experiment`.
        experiment: columns that are equal for the runs of one experiment.
    """
    done = runs[runs["status"] == FINISHED].sort_values("created", kind="stable")
    newest = done.drop_duplicates([*experiment, "seed"], keep="last")
    return runs.index.to_series().isin(newest.index)


def of_zoo(runs: pd.DataFrame, *, aside: Collection[str] = ()) -> pd.DataFrame:
    """The zoo's runs that count, of the paper's width; some datasets left `aside`."""
    mine = counted(runs)
    return mine[(mine["origin"] == "zoo") & (mine["width"] == 16) & ~mine["dataset"].isin(list(aside))]


def without_regularisers(runs: pd.DataFrame) -> pd.DataFrame:
    """Those runs whose recipe adds nothing to weight decay."""
    return runs[[not Recipe.from_dict(recipe).regularisers for recipe in runs["recipe"]]]


def longest_with(runs: pd.DataFrame, nets: Sequence[str]) -> pd.DataFrame:
    """The runs of the longest protocol in which all of these nets were trained; empty where there is none.

    Args:
        runs: as `counted` gives them, of one dataset.
        nets: ids.
    """
    for _, part in sorted(runs.groupby("protocol"), key=lambda group: -int(group[1]["iterations"].max())):
        if set(nets) <= set(part["id"]):
            return part
    return runs.iloc[:0]


def protocols(runs: pd.DataFrame) -> dict[str, Protocol]:
    """The protocols by a short name: the longest that shows what depth does first, then by depths.

    It takes twins at two depths to show that. What few iterations hide, more of them show, so that length
    counts before the number of depths.

    Args:
        runs: as `counted` gives them, of one dataset.
    """
    ranked = []
    for key, part in runs.groupby("protocol"):
        depths = [set(part.loc[part["family"] == family, "depth"]) for family in ("plain", "residual")]
        iterations = int(part["iterations"].max())
        shared = len(depths[0] & depths[1])
        first = -iterations if shared >= 2 else -shared
        ranked.append((shared < 2, first, -iterations, str(key), _title(part)))
    found: dict[str, Protocol] = {}
    for *_, less, key, title in sorted(ranked):
        again = sum(name.partition("-")[0] == str(-less) for name in found)
        name = f"{-less}-{again + 1}" if again else str(-less)
        found[name] = Protocol(key, f"{title} ({again + 1})" if again else title)
    return found


def left_out(runs: pd.DataFrame) -> dict[str, int]:
    """How many runs do not count, and why: by status, or since their seed is there already.

    Args:
        runs: columns status and counts.
    """
    why = runs.loc[~runs["counts"], "status"].replace({FINISHED: "of a seed that was trained again"})
    return {str(reason): int(count) for reason, count in why.value_counts().items()}


def _title(part: pd.DataFrame) -> str:
    recipe = part["recipe"].iloc[0]
    return f"{int(part['iterations'].max()):,} iterations, {recipe['schedule']} decay"


def _keys(runs: pd.DataFrame, without: Collection[str]) -> list[str]:
    columns = (runs[name] for name in ("dataset", "iterations", "recipe"))
    return [_key(*row, without=without) for row in zip(*columns, strict=True)]


def _key(dataset: str, iterations: int, recipe: Mapping[str, Any], *, without: Collection[str]) -> str:
    kept = {name: value for name, value in recipe.items() if name not in without}
    if kept.get("schedule") != "step":
        kept.pop("drops", None)
    return json.dumps([dataset, int(iterations), sorted(kept.items())])
