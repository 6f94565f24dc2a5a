"""What runs made here show: how far they have come, and what came out, in one sentence."""

from __future__ import annotations

from statistics import fmean

import pandas as pd

from explorer.analysis import degradation, wording
from explorer.analysis.aggregates import final_errors, group_finals

_MUCH_POINTS, _LEARNED_PCT = 10.0, 2.0


def so_far(epochs: pd.DataFrame, members: pd.DataFrame, last: int) -> str:
    """Errors after the last epoch that all runs have reached which have begun.

    Args:
        epochs: columns run_id, epoch, train_error_pct, test_error_pct.
        members: columns run_id, group.
        last: epochs of the longest run.
    """
    curves: dict[str, dict[int, tuple[float, float]]] = {}
    columns = (epochs[name].tolist() for name in ("run_id", "epoch", "train_error_pct", "test_error_pct"))
    for run_id, epoch, *errors in zip(*columns, strict=True):
        curves.setdefault(run_id, {})[epoch] = (errors[0], errors[1])
    begun = {run_id for run_id, curve in curves.items() if max(curve) >= 1}
    if not begun:
        return "The first errors come with the end of the first epoch."
    common = min(max(curves[run_id]) for run_id in begun)
    there: dict[str, list[tuple[float, float]]] = {}
    for run_id, group in zip(members["run_id"], members["group"], strict=True):
        if run_id in begun:
            there.setdefault(group, []).append(curves[run_id][common])
    said = []
    for group, errors in there.items():
        train, test = (wording.percent(fmean(each)) for each in zip(*errors, strict=True))
        said.append(f"{group} gets {train} wrong in training and {test} in the test")
    waiting = len(members) - len(begun)
    rest = f" ({len(begun)} of {len(members)} runs)" if waiting else ""
    return f"**After epoch {common} of {last}{rest}:** {wording.listed(said)}."


def outcome(epochs: pd.DataFrame, members: pd.DataFrame) -> str:
    """What the finished runs say: about twins how far apart they are, else which net is best.

    Args:
        epochs: columns run_id, epoch and errors and losses.
        members: columns run_id, seed, group, family, depth; finished runs.
    """
    members = members.drop_duplicates(["group", "seed"], keep="last")  # a seed trained twice counts once
    ends = epochs.sort_values("epoch").groupby("run_id").tail(1).merge(members, on="run_id")
    depths, groups = members["depth"].unique(), members.drop_duplicates("group")
    if len(depths) == 1 and sorted(groups["family"]) == ["plain", "residual"]:
        finals = final_errors(ends)
        return f"**Done.** {degradation.twins(finals, int(depths[0]))} {lesson(finals)}".rstrip()
    return verdict(group_finals(ends.drop(columns="group"), members))


def lesson(finals: pd.DataFrame) -> str:
    """What twins that were just trained have shown, in one sentence; empty where one of them is missing.

    Args:
        finals: as `aggregates.final_errors` gives them, of one depth.
    """
    trained = finals[finals["split"] == "train"].set_index("family")["mean"]
    if not {"plain", "residual"} <= set(trained.index):
        return ""
    plain, residual = float(trained["plain"]), float(trained["residual"])
    same = "the same layers, initial weights and batches"
    if plain - residual > _MUCH_POINTS:
        return f"**What this shows:** {same}, and only the net with shortcuts learns what it was shown."
    if max(plain, residual) < _LEARNED_PCT:
        return "**What this shows:** at this depth both nets learn what they were shown; try more layers."
    return f"**What this shows:** {same}; at this depth the shortcuts change little so far."


def verdict(finals: pd.DataFrame) -> str:
    """One sentence about the lowest and the highest test error.

    Args:
        finals: as `aggregates.group_finals` gives them.
    """
    tests = finals[finals["split"] == "test"].sort_values("mean", kind="stable")
    if tests.empty:
        return "None of these runs has finished yet, so there is nothing to compare."
    best, worst = tests.iloc[0], tests.iloc[-1]
    if len(tests) == 1:
        return f"**{_name(best)}** ends with {_at(best)} test error."
    if not wording.difference(worst["mean"], best["mean"]):
        names = wording.listed(sorted(_name(row) for _, row in tests.iterrows()))
        same = wording.percent(best["mean"])
        return f"**No difference in the test:** {names} end with {same}.{_doubt(best, worst)}"
    trained = finals[finals["split"] == "train"].set_index("group")["mean"]
    training = ""
    if {best["group"], worst["group"]} <= set(trained.index):
        low, high = wording.percent(trained[best["group"]]), wording.percent(trained[worst["group"]])
        training = f" In training they end with {low} and {high}."
    return (
        f"**{_name(best)}** has the lowest test error, {_at(best)}; **{_name(worst)}** the highest, "
        f"{_at(worst)}: {wording.points_between(worst['mean'], best['mean'])}.{training}"
        f"{_doubt(best, worst)}"
    )


def not_counted(reasons: dict[str, int]) -> str:
    """Which of some chosen runs are in no mean, in words; empty where all are.

    Args:
        reasons: as `selection.left_out` gives them.
    """
    if not reasons:
        return ""
    said = wording.listed([f"{count} {reason}" for reason, count in reasons.items()])
    return f"Not in these means: {said}. A mean takes finished runs, each seed once."


def _doubt(best: pd.Series, worst: pd.Series) -> str:
    """What speaks against a difference, where something does."""
    if best["runs"] == worst["runs"] == 1:
        return " One seed each: an effect cannot be told from chance."
    return " Their spreads overlap." if best["high"] >= worst["low"] else ""


def _name(row: pd.Series) -> str:
    return wording.literal(str(row["group"]))


def _at(row: pd.Series) -> str:
    return wording.with_spread(row["mean"], row["low"], row["high"], row["runs"])
