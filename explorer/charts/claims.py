"""Do the two findings of the paper's Figure 7 hold here? Sentences computed from the numbers."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pandas as pd

from explorer.charts import words
from explorer.charts.responses import NetSeries, Quantity
from explorer.charts.theme import net_title

SAME = 0.03
"""Values closer than this fraction are not called different."""
_FRESH = 0.1


def typical(table: pd.DataFrame, nets: Sequence[NetSeries], epoch: int) -> pd.DataFrame:
    """The median over each net's layers at one epoch: columns key, family, depth, value."""
    rows = []
    for net in nets:
        values = table[(table["net"] == net.key) & (table["epoch"] == epoch)]["value"]
        if len(values):
            rows.append((net.key, net.family, net.depth, float(values.median())))
    return pd.DataFrame(rows, columns=["key", "family", "depth", "value"])


def against_plain(means: pd.DataFrame) -> str:
    """The first finding: residual nets respond less than plain nets of the same depth.

    Args:
        means: of the response std; a ratio to the input means nothing in a plain block.
    """
    asked = "**Do residual nets respond less than plain nets?**"
    pairs = [pair for depth in sorted(means["depth"].unique()) if (pair := _pair(means, int(depth)))]
    if not pairs:
        return f"{asked} Choose a plain and a residual net of one depth to see."
    holds = [depth for depth, plain, residual in pairs if residual < plain * (1 - SAME)]
    against = [depth for depth, plain, residual in pairs if residual > plain * (1 + SAME)]
    numbers = "; ".join(
        f"at {depth} layers {residual:.3g} against {plain:.3g} in {net_title('plain', depth)}"
        for depth, plain, residual in pairs
    )
    return f"{asked} {_verdict(len(holds), len(against), len(pairs))} Typical response std: {numbers}."


def by_depth(means: pd.DataFrame, quantity: Quantity) -> str:
    """The second finding: the deeper the residual net, the less each layer responds."""
    asked = "**Do deeper residual nets respond less per layer?**"
    residual = means[means["family"] == "residual"].sort_values("depth").drop_duplicates("depth")
    if len(residual) < 2:
        return f"{asked} Choose residual nets of two depths to see."
    values, depths = residual["value"].tolist(), residual["depth"].tolist()
    steps = list(pairwise(values))
    less = sum(after < before * (1 - SAME) for before, after in steps)
    more = sum(after > before * (1 + SAME) for before, after in steps)
    numbers = words.listed([f"{value:.3g} at {depth}" for value, depth in zip(values, depths, strict=True)])
    return f"{asked} {_verdict(less, more, len(steps))} Typical {quantity.title}: {numbers} layers."


def near_their_start(table: pd.DataFrame, nets: Sequence[NetSeries], epoch: int) -> str:
    """Why a response std can be near 1 everywhere: BN's scales are where they began."""
    keys = [net.key for net in nets]
    values = table[(table["epoch"] == epoch) & table["net"].isin(keys)]["value"]
    near = float(((values - 1).abs() < _FRESH).mean()) if len(values) else 0.0
    if near < 0.5:
        return ""
    return (
        f"{100 * near:.0f} % of these layers respond within 10 % of 1: BN's scales start at 1, and training "
        "this short has hardly moved them."
    )


def _pair(means: pd.DataFrame, depth: int) -> tuple[int, float, float] | None:
    here = means[means["depth"] == depth].drop_duplicates("family").set_index("family")["value"]
    if "plain" not in here or "residual" not in here:
        return None
    return depth, float(here["plain"]), float(here["residual"])


def _verdict(holds: int, against: int, cases: int) -> str:
    if holds == cases:
        return "Here they do."
    if against == cases:
        return "Here it is the other way round."
    if not holds and not against:
        return f"Here they hardly differ (by less than {100 * SAME:.0f} %)."
    same = cases - holds - against
    parts = [f"yes in {holds}"] * bool(holds) + [f"no in {against}"] * bool(against)
    parts += [f"hardly any difference in {same}"] * bool(same)
    return f"Here it depends: {words.listed(parts)} of {cases} comparisons."
