"""What do the numbers say? Sentences computed from tables, with their spread."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from explorer.charts import words
from explorer.charts.theme import net_title

SAME_POINTS = 2.0
"""Differences of mean errors below this many points are not called a difference."""


@dataclass(frozen=True)
class Gap:
    """Twins of one depth, errors in per cent.

    Attributes:
        depth: of both.
        plain_train: final training error of the plain net, mean over seeds.
        residual_train: of its residual twin.
        plain_test: final test error of the plain net.
        residual_test: of its residual twin.
        seeds: runs of each.
        apart: whether the training errors of no two seeds overlap.
    """

    depth: int
    plain_train: float
    residual_train: float
    plain_test: float
    residual_test: float
    seeds: int
    apart: bool

    @property
    def train_points(self) -> float:
        """How much more the plain net gets wrong in training."""
        return self.plain_train - self.residual_train

    @property
    def test_points(self) -> float:
        """How much more the plain net gets wrong in the test."""
        return self.plain_test - self.residual_test


def gap_at(finals: pd.DataFrame, depth: int) -> Gap | None:
    """The twins of that depth, or None where one of them was not trained.

    Args:
        finals: as `tables.final_errors` gives them.
        depth: of both nets.
    """
    here = finals[finals["depth"] == depth].set_index(["family", "split"])
    keys = [(family, split) for split in ("train", "test") for family in ("plain", "residual")]
    if any(key not in here.index for key in keys):
        return None
    rows = here.reindex(keys)
    plain_train, residual_train, plain_test, residual_test = (float(value) for value in rows["mean"])
    apart = float(rows["low"].iloc[0]) > float(rows["high"].iloc[1])
    seeds = int(rows["seeds"].min())
    return Gap(depth, plain_train, residual_train, plain_test, residual_test, seeds, apart)


def conclusion(finals: pd.DataFrame, depth: int) -> str:
    """One sentence about degradation at that depth; it says so where there is none."""
    gap = gap_at(finals, depth)
    if gap is None:
        return f"At depth {depth} the plain and the residual net have not both been trained here."
    plain, residual = net_title("plain", depth), net_title("residual", depth)
    seeds = "one seed each" if gap.seeds == 1 else f"means of {gap.seeds} seeds"
    numbers = f"({seeds}; in the test {words.percent(gap.plain_test)} and {words.percent(gap.residual_test)})"
    trained = (
        f"{plain} ends with {words.percent(gap.plain_train)} training error, "
        f"{residual} with {words.percent(gap.residual_train)}"
    )
    if gap.train_points >= SAME_POINTS and gap.apart:
        return (
            f"**Degradation:** {trained} {numbers}. The plain net fails in training already, so this is not "
            "overfitting."
        )
    if gap.train_points >= SAME_POINTS:
        return f"**Degradation on average, with overlapping seeds:** {trained} {numbers}."
    if gap.train_points <= -SAME_POINTS:
        return f"**No degradation here, rather the reverse:** {trained} {numbers}."
    return f"**No degradation at this depth:** {trained} {numbers}."


def trend(finals: pd.DataFrame) -> str:
    """One sentence about the shallowest against the deepest twins."""
    depths = [gap for depth in sorted(finals["depth"].unique()) if (gap := gap_at(finals, int(depth)))]
    if len(depths) < 2:
        return "Plain and residual nets have not both been trained at several depths here."
    first, last = depths[0], depths[-1]
    return (
        f"From {first.depth} to {last.depth} layers the plain nets' mean test error goes from "
        f"{words.percent(first.plain_test)} to {words.percent(last.plain_test)}, that of their residual "
        f"twins, with exactly as many parameters, from {words.percent(first.residual_test)} to "
        f"{words.percent(last.residual_test)}."
    )


def gradients(blocks: pd.DataFrame, depth: int) -> str:
    """One sentence about the gradients in the first block of the plain net, against its last.

    Args:
        blocks: columns run_id, epoch, block, gradient_norm, of the plain nets of one depth.
        depth: of these nets.
    """
    trained = blocks[blocks["epoch"] == 1].dropna(subset=["gradient_norm"])
    if trained.empty:
        return "No gradients were recorded for this depth."
    means = trained.groupby("block")["gradient_norm"].mean()
    ratio = means.iloc[0] / means.iloc[-1]
    return (
        f"Measured in {net_title('plain', depth)} after the first epoch (mean over the seeds): the loss "
        f"gradient has a norm of {means.iloc[0]:.2g} in the first block and of {means.iloc[-1]:.2g} in the "
        f"last one, a ratio of {ratio:.2g}."
    )
