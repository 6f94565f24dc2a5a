"""How far have these runs come, and what came out? One sentence, computed from their curves."""

from __future__ import annotations

from statistics import fmean

import pandas as pd

from explorer.charts import findings, words
from explorer.charts.compare import group_finals, verdict
from explorer.charts.tables import final_errors


def so_far(epochs: pd.DataFrame, members: pd.DataFrame, last: int) -> str:
    """Test errors after the epoch that all these runs have reached.

    Args:
        epochs: columns run_id, epoch, train_error_pct, test_error_pct.
        members: columns run_id, group.
        last: epochs of the longest run.
    """
    curves: dict[str, dict[int, tuple[float, float]]] = {}
    columns = (epochs[name].tolist() for name in ("run_id", "epoch", "train_error_pct", "test_error_pct"))
    for run_id, epoch, *errors in zip(*columns, strict=True):
        curves.setdefault(run_id, {})[epoch] = (errors[0], errors[1])
    common = min((max(curves.get(run_id, [0])) for run_id in members["run_id"]), default=0)
    if common < 1:
        return "The first errors come with the end of the first epoch."
    there: dict[str, list[tuple[float, float]]] = {}
    for run_id, group in zip(members["run_id"], members["group"], strict=True):
        there.setdefault(group, []).append(curves[run_id][common])
    said = []
    for group, errors in there.items():
        train, test = (words.percent(fmean(each)) for each in zip(*errors, strict=True))
        said.append(f"{group} gets {train} wrong in training and {test} in the test")
    return f"**After epoch {common} of {last}:** {words.listed(said)}."


_MUCH, _LITTLE = 10.0, 2.0


def lesson(gap: findings.Gap | None) -> str:
    """What twins that were just trained have shown, in one sentence; empty where one of them is missing."""
    if gap is None:
        return ""
    same = "the same layers, initial weights and batches"
    if gap.train_points > _MUCH:
        return f"**What this shows:** {same}, and only the net with shortcuts learns what it was shown."
    if max(gap.plain_train, gap.residual_train) < _LITTLE:
        return "**What this shows:** at this depth both nets learn what they were shown; try more layers."
    return f"**What this shows:** {same}; at this depth the shortcuts change little so far."


def outcome(epochs: pd.DataFrame, members: pd.DataFrame) -> str:
    """What the finished runs say: about twins whether there is degradation, else which net is best.

    Args:
        epochs: columns run_id, epoch and errors and losses.
        members: columns run_id, seed, group, family, depth.
    """
    ends = epochs.sort_values("epoch").groupby("run_id").tail(1).merge(members, on="run_id")
    depths, groups = members["depth"].unique(), members.drop_duplicates("group")
    if len(depths) == 1 and sorted(groups["family"]) == ["plain", "residual"]:
        finals = final_errors(ends)
        return (
            f"{findings.conclusion(finals, int(depths[0]))} {lesson(findings.gap_at(finals, int(depths[0])))}"
        )
    return verdict(group_finals(ends.drop(columns="group"), members))
