"""What shortcuts of some strength and gates of some bias make of a net, in means and in sentences."""

from __future__ import annotations

import pandas as pd

from explorer.analysis import wording
from explorer.analysis.verdicts import TRAINED_PCT

_HARDLY = 0.05
SENTENCE = """The general form H(x) T + x C contains the residual block as T = C = 1, which a sigmoid
reaches only in the limit. The form that Srivastava et al. train, C = 1 - T, does not contain it: no
single gate value gives H(x) + x. T = 1/2 gives half their sum, and in a stack of L such layers layer l
counts 2^-(L - l + 1) times: an average of the last few, and not a sum."""


def means(table: pd.DataFrame, depth: int, column: str, epoch: int | None = None) -> pd.DataFrame:
    """Mean, lowest and highest seed by strength of one quantity at an epoch, the last one by default.

    Returns:
        Columns strength, mean, low, high, seeds, in order; strengths without a value are left out.
    """
    part = table[table["depth"] == depth].dropna(subset=[column])
    part = part[part["epoch"] == (part["epoch"].max() if epoch is None else epoch)]
    grouped = part.groupby("strength")[column]
    return grouped.agg(mean="mean", low="min", high="max", seeds="count").reset_index()


def strength_sentence(table: pd.DataFrame, depth: int, strength: float) -> str:
    """What a shortcut of that strength makes of a net of that depth."""
    error = _row(means(table, depth, "train_error_pct"), strength)
    ratio = _row(means(table, depth, "ratio"), strength)
    agree = _row(means(table, depth, "agreement", 0), strength)
    if error is None or ratio is None:
        return f"Nothing was trained with strength {strength:g} at {depth} layers."
    trained = "trains" if error["mean"] <= TRAINED_PCT else "does not train within 10 epochs"
    said = (
        f"**At {depth} layers a net with shortcuts of strength {strength:g} {trained}**: training error "
        f"{wording.with_spread(error['mean'], error['low'], error['high'], int(error['seeds']))} at the end. "
        f"A typical block's branch is {ratio['mean']:.2g} times as large as its input"
    )
    if agree is None:
        return f"{said}."
    return f"{said}; before training two batches' gradients agree with a cosine of {agree['mean']:.2g}."


def least_strength(table: pd.DataFrame, depth: int) -> str:
    """How weak a shortcut still trains the net."""
    found = means(table, depth, "train_error_pct")
    trained = found[found["mean"] <= TRAINED_PCT]["strength"].tolist()
    failed = found[found["mean"] > TRAINED_PCT]["strength"].tolist()
    if not trained:
        return ""
    said = f"The weakest shortcut tried that still trains {depth} layers has strength {min(trained):g}"
    weaker = [strength for strength in failed if strength < min(trained)]
    return f"{said}; {wording.listed([f'{one:g}' for one in weaker])} do not." if len(weaker) > 1 else (
        f"{said}; {weaker[0]:g} does not." if weaker else f"{said}: here every one does."
    )  # fmt: skip


def bias_sentence(table: pd.DataFrame, depth: int, bias: float) -> str:
    """What gates that begin at a bias make of a highway net of that depth."""
    part = table[(table["depth"] == depth) & (table["bias"] == bias)]
    if part.empty:
        return f"Nothing was trained with a gate bias of {bias:g} at {depth} layers."
    last = part[part["epoch"] == part["epoch"].max()]
    errors = last[last["block"] == 0]["train_error_pct"]
    gates = part[(part["block"] > 0) & (part["epoch"] == 0)]
    carried = (1 - gates.set_index("seed")["mean"]).groupby(level="seed").prod().mean()
    number = int(gates.groupby("seed")["block"].count().max())
    before, now = gates["mean"].mean(), last[last["block"] > 0]["mean"].mean()
    moved = "hardly move" if abs(now - before) < _HARDLY else "move"
    return (
        f"**A gate bias of {bias:g}** opens the gates {100 * before:.2g} % at the start, so that all "
        f"{number} of them together let {carried:.2g} of x pass. Training error at the end: "
        f"{wording.with_spread(errors.mean(), errors.min(), errors.max(), len(errors))}. The gates {moved} "
        f"in 110 steps: they end {100 * now:.2g} % open."
    )


def _row(table: pd.DataFrame, strength: float) -> dict[str, float] | None:
    part = table[table["strength"] == strength]
    return None if part.empty else {str(name): float(value) for name, value in part.iloc[0].items()}
