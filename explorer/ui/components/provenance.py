"""Where numbers come from: said under every chart, computed from the runs that it shows."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from explorer.analysis import selection
from explorer.charts.words import listed
from explorer.ui.cached_runs import dataset_title, length, library

BUILD = "python -m explorer zoo build --dataset digits"


def show_provenance(runs: pd.DataFrame) -> None:
    """Fold out dataset, recipe, seeds, hardware and commit of the runs shown."""
    with st.expander("Where these numbers come from"):
        keyed = selection.keyed(runs)
        for (dataset, whose, _), part in keyed.groupby(["dataset", "origin", "protocol"], sort=False):
            st.markdown(
                provenance_text(str(dataset), part, "imported" if whose == "imported" else "measured here")
            )
        for problem in library().problems:
            st.warning(problem)


def provenance_text(dataset: str, runs: pd.DataFrame, how: str = "measured here") -> str:
    """The origin of some runs of one protocol on one dataset as Markdown.

    Args:
        dataset: its id.
        runs: columns `RUN_COLUMNS`.
        how: whether they were measured here or imported.
    """
    recipe: dict[str, Any] = runs["recipe"].iloc[0]
    facts = list(runs["provenance"])
    seeds = ", ".join(str(seed) for seed in sorted(set(runs["seed"])))
    iterations = int(runs["iterations"].max())
    decay = (
        "cosine decay"
        if recipe["schedule"] == "cosine"
        else f"divided by ten at {listed([f'{100 * at:g} %' for at in recipe['drops']])} of the run"
    )
    rows = [
        f"**{dataset_title(dataset)}: {how}**, {len(runs)} runs, seeds {seeds}.",
        f"Recipe: SGD, momentum {recipe['momentum']:g}, weight decay {recipe['weight_decay']:g}, batch "
        f"{recipe['batch_size']}, peak learning rate {recipe['lr']:g} {_warmups(runs)}, {decay}, "
        f"{'crops and flips' if recipe['augment'] else 'no augmentation'}, {recipe['precision']}.",
        f"Length: {int(runs['epochs'].max())} epochs, {length(iterations)}.",
        f"Hardware: {_all(facts, 'hardware')}. Commit: {_all(facts, 'commit')}. "
        f"torch {', '.join(sorted({fact.get('versions', {}).get('torch', 'unknown') for fact in facts}))}. "
        f"Training data: sha256 {_all(facts, 'data_hash')[:16]}…",
        "Training error: over the batches of the last epoch, as they were trained. Test error: the "
        "whole test "
        "split after the epoch, BN in eval mode. Bands reach from the lowest to the highest seed.",
    ]
    if dataset == "digits":
        rows.append(
            f"1,437 images to train on, 360 to test: one image is 0.28 points. Made again by "
            f"`{BUILD}`. The recipe was "
            "confirmed on fresh seeds and a validation split (docs/decisions/0006-digits-recipe.md)."
        )
    return "\n\n".join(rows)


def _warmups(runs: pd.DataFrame) -> str:
    """The warm-up, or where nets had different ones that of each depth."""
    shares = runs["recipe"].map(lambda recipe: recipe["warmup"])
    parts = []
    for share in sorted(shares.unique()):
        said = f"after a warm-up over {100 * share:.0f} % of the run" if share else "without a warm-up"
        depths = sorted(runs.loc[shares == share, "depth"].unique())
        only = shares.nunique() == 1
        parts.append(said if only else f"{said} at {listed([str(depth) for depth in depths])} layers")
    return ", ".join(parts)


def _all(facts: list[dict[str, Any]], name: str) -> str:
    return ", ".join(sorted({str(fact.get(name)) for fact in facts}))


def empty_state() -> None:
    """What to do where there is no run to show."""
    st.info(f"No finished runs here yet. Make the zoo in a shell, about ten minutes on two cores: `{BUILD}`")
    for problem in library().problems:
        st.warning(problem)
