"""How far have these runs come, and what came out? One sentence, computed from their curves."""

from __future__ import annotations

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
    table = epochs.merge(members[["run_id", "group"]], on="run_id")
    reached = table.groupby("run_id")["epoch"].max()
    if len(reached) < len(members) or reached.min() < 1:
        return "The first errors come with the end of the first epoch."
    common = int(reached.min())
    there = (
        table[table["epoch"] == common]
        .groupby("group", sort=False)[["train_error_pct", "test_error_pct"]]
        .mean()
    )
    said = [
        f"{group} gets {words.percent(row['train_error_pct'])} wrong in training and "
        f"{words.percent(row['test_error_pct'])} in the test"
        for group, row in there.iterrows()
    ]
    return f"**After epoch {common} of {last}:** {words.listed(said)}."


def outcome(epochs: pd.DataFrame, members: pd.DataFrame) -> str:
    """What the finished runs say: about twins whether there is degradation, else which net is best.

    Args:
        epochs: columns run_id, epoch and errors and losses.
        members: columns run_id, seed, group, family, depth.
    """
    ends = epochs.sort_values("epoch").groupby("run_id").tail(1).merge(members, on="run_id")
    depths, groups = members["depth"].unique(), members.drop_duplicates("group")
    if len(depths) == 1 and sorted(groups["family"]) == ["plain", "residual"]:
        return findings.conclusion(final_errors(ends), int(depths[0]))
    return verdict(group_finals(ends.drop(columns="group"), members))
