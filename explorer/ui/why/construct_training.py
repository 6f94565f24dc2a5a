"""Training a built net on the Construct page: its curve as it grows, kept for the session."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from explorer.charts.construct import HERE
from explorer.evidence import construct
from explorer.jobs.experiment import DatasetInfo
from explorer.nets.spec import NetSpec
from explorer.runs.net_catalogue import NetChoice
from explorer.training.estimates import duration, estimate
from explorer.training.recipe import Recipe
from explorer.ui.components.computation import run_cancellable
from explorer.ui.components.machine import speed_of
from explorer.ui.components.net_picker import PROBING, opened
from explorer.ui.why.test_images import DIGITS, data_of, images_for

if TYPE_CHECKING:
    from explorer.nets.identity import Place

EPOCHS = 10
_ASKED, _TRAINED, _SHOW = "construct-asked", "construct-trained", "construct-show"
_RECIPE = Recipe(epochs=EPOCHS, seed=0, device="cpu")


def curve_here(choice: NetChoice, depth: int, place: Place) -> pd.DataFrame:
    """What this session has trained of that net: columns as `construct.curve`, start, depth and seed."""
    empty = pd.DataFrame(columns=["start", "depth", "seed", "epoch"])
    return _trained().get((choice.key, depth, place), empty)


def depth_to_show() -> int | None:
    """Layers of the net whose training has just ended, once."""
    shown: int | None = st.session_state.pop(_SHOW, None)
    return shown


def offer_training(
    choice: NetChoice, depth: int, place: Place, growing: Callable[[pd.DataFrame], None]
) -> None:
    """A button that trains the net above from its identity start, with its time; a press draws its curve.

    Args:
        choice: the shallow net, of digits: other images take too long for a page.
        depth: layers of the built net.
        place: of its identity blocks.
        growing: draws what is there so far, after each epoch.

    Raises:
        ValueError: the net cannot be made that deep.
    """
    asked = (choice.key, depth, place)
    if data_of(choice) != DIGITS:
        st.markdown("Nets of digits can be trained here as well; with these images it would take too long.")
        return
    label = f"Train these {depth} layers, {EPOCHS} epochs{_time(choice, depth)}"
    if st.button(label, key="train-built", icon=":material/play_circle:", disabled=asked in _trained()):
        st.session_state[_ASKED] = asked
    if st.session_state.get(_ASKED) != asked or asked in _trained():
        return
    table = run_cancellable(
        ("train-built", *asked),
        f"Training {depth} layers",
        lambda told: _train(choice, depth, place, told, growing),
    )
    if table is not None:
        _trained()[asked] = table
        st.session_state[_SHOW] = depth
        st.rerun()


def _train(
    choice: NetChoice,
    depth: int,
    place: Place,
    told: Callable[[float], None],
    growing: Callable[[pd.DataFrame], None],
) -> pd.DataFrame:
    from explorer.data.sources import digits
    from explorer.probes.construct import built_from

    train, loaded = images_for(choice, "train"), opened(choice)
    with PROBING:
        built = built_from(loaded, depth, train, place)
    rows = []
    with _one_thread():
        for row in construct.curve(construct.training_from(built, _RECIPE, digits()), told):
            rows.append(row | {"start": HERE, "depth": depth, "seed": _RECIPE.seed})
            growing(pd.DataFrame(rows))
    return pd.DataFrame(rows)


@contextmanager
def _one_thread() -> Iterator[None]:
    """On small images threads cost more than they save; beside other work they wait for one another."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _time(choice: NetChoice, depth: int) -> str:
    """About how long it takes, where this machine's speed is known."""
    from explorer.nets.identity import inserted_blocks

    shallow = getattr(opened(choice).net, "spec", None)
    if not isinstance(shallow, NetSpec) or (found := speed_of(_RECIPE)) is None:
        return ""
    images = DatasetInfo()
    spec, _ = inserted_blocks(shallow, depth, "end")
    cost = estimate(spec, _RECIPE, images.image_size, images.train, found)
    return f" (about {duration(cost.seconds)})" if cost.seconds else ""


def _trained() -> dict[tuple[str, int, str], pd.DataFrame]:
    tables: dict[tuple[str, int, str], pd.DataFrame] = st.session_state.setdefault(_TRAINED, {})
    return tables
