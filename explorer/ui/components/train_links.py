"""Links to Live training with settings, by the names that its form has in the URL."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from explorer import paper
from explorer.nets.spec import NetSpec
from explorer.training.recipe import Recipe, paper_recipe

_PAGE = "../pages/train.py"
_STEPS_PER_EPOCH = 50_000 // 128


def train_query(nets: Sequence[NetSpec], *, as_in_paper: bool = False) -> list[tuple[str, str]]:
    """Names and values of the form: families and depth of `nets`, and the paper's recipe where wanted."""
    deepest = max(nets, key=lambda spec: spec.depth)
    query: list[tuple[str, str]] = [
        ("nets", family) for family in dict.fromkeys(spec.family for spec in nets)
    ]
    query += [("layers", str(deepest.depth)), ("block", deepest.block), ("shortcut", deepest.shortcut)]
    if as_in_paper:
        query += _recipe_query(paper_recipe(warmup=deepest.depth >= 110))
    return query


def train_button(nets: Sequence[NetSpec], key: str, *, as_in_paper: bool = False) -> None:
    """A link that opens Live training with these nets; nothing is trained before a person starts it."""
    with st.container(key=f"train-{key}"):
        st.page_link(
            _PAGE, label="Train it", icon=":material/play_arrow:",
            query_params=train_query(nets, as_in_paper=as_in_paper),
            help="Opens Live training with this setting; it starts when you press its button.",
        )  # fmt: skip


def _recipe_query(recipe: Recipe) -> list[tuple[str, str]]:
    epochs = round((recipe.iterations or 0) / _STEPS_PER_EPOCH)
    return [
        ("images", paper.DATASET), ("epochs", str(epochs)), ("lr", f"{recipe.lr:g}"),
        ("schedule", recipe.schedule), ("warmup", str(round(100 * recipe.warmup))),
        ("batch", str(recipe.batch_size)), ("augment", "true"),
    ]  # fmt: skip
