"""Pictures beside maps, each map in its own words, and what passes through the blocks."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import streamlit as st

from explorer.charts import words
from explorer.charts.attributions import (
    MapLook,
    agreement,
    describe_map,
    half_share,
    map_figure,
    picture_figure,
)
from explorer.charts.conductance import conductance_figure, conductance_finding, describe_conductance
from explorer.data.dataset import DataError
from explorer.data.preprocess import NetInput, Picture
from explorer.data.registry import available
from explorer.data.sources import open_dataset
from explorer.probes.methods import METHODS, Method, Value
from explorer.runs.net_catalogue import NetChoice
from explorer.ui.attributions.method_controls import likeliest
from explorer.ui.components.class_names import shown_names, strange
from explorer.ui.components.computation import net_pool, result_cache, run_cancellable
from explorer.ui.components.figure import download_panel, draw, show_themed

if TYPE_CHECKING:
    from torch import Tensor

    from explorer.nets.loaded_net import LoadedNet
    from explorer.probes.attributions import Attribution, AttributionRequest

_REFERENCES = 100
_STEPS = 32
_BESIDE = 3


@dataclass(frozen=True, eq=False)
class Case:
    """One picture before one net.

    Attributes:
        choice: the net as it was chosen.
        loaded: the net.
        picture: what was chosen.
        seen: what it is shown of it.
    """

    choice: NetChoice
    loaded: LoadedNet
    picture: Picture
    seen: NetInput

    @cached_property
    def key(self) -> tuple[str, str]:
        """Names net and picture among kept results."""
        return self.choice.key, hashlib.sha256(self.seen.pixels.tobytes()).hexdigest()

    @cached_property
    def inputs(self) -> Tensor:
        """The picture, normalised, (1, C, H, W)."""
        import torch

        return self.loaded.normalised(torch.from_numpy(self.seen.pixels)[None])

    def probabilities(self) -> list[float]:
        """Of all classes."""
        key = (*self.key, "probabilities")
        found: list[float] | None = result_cache().get(key)
        if found is None:
            with net_pool().acquire(self.loaded) as explainer:
                found = explainer.scores(self.inputs)[0].softmax(0).tolist()
            result_cache().put(key, found)
        return found

    def attribution(self, question: AttributionRequest) -> Attribution | None:
        """The map, kept or new; None where it was stopped."""

        def work(progress: Any) -> Attribution:
            with net_pool().acquire(self.loaded) as explainer:
                return explainer.attribute(self.inputs, question, self.references(question.method), progress)

        title = f"{METHODS[question.method].title}, {self.loaded.title}"
        return run_cancellable((*self.key, *_asked(question)), title, work)

    def conductance(self, question: AttributionRequest) -> pd.DataFrame | None:
        """What passes through each block; None where it was stopped."""

        def work(progress: Any) -> pd.DataFrame:
            with net_pool().acquire(self.loaded) as explainer:
                return explainer.conductance(self.inputs, question, progress)

        key = (*self.key, "conductance", *_asked(question))
        return run_cancellable(key, f"Conductance, {self.loaded.title}", work)

    def references(self, method: str) -> Tensor | None:
        """Test images as baselines of a method that averages over some, where they are here and fit."""
        if "n_references" not in METHODS[method].settle({}):
            return None
        import torch

        images = _test_images(self.choice.dataset)
        if images is None or images.shape[1:] != self.seen.pixels.shape:
            return None
        return self.loaded.normalised(torch.from_numpy(images))


@st.cache_resource(max_entries=4, show_spinner="Reading reference images…")
def _test_images(dataset: str) -> np.ndarray | None:
    """The first test images in 0 to 1, (N, C, H, W); None where the dataset is not here."""
    if dataset not in {entry.name for entry in available()}:
        return None
    try:
        opened = open_dataset(dataset)
        images = opened.split("test").images[:_REFERENCES]
    except DataError:
        return None
    return images.astype(np.float32) / opened.pixel_max


def questions_of(
    methods: Sequence[Method], settings: dict[str, dict[str, Value]], target: int, seed: int
) -> list[AttributionRequest]:
    """One question per method."""
    from explorer.probes.attributions import AttributionRequest

    return [AttributionRequest(method.name, target, settings[method.name], seed) for method in methods]


def conductance_question(target: int, settings: dict[str, dict[str, Value]]) -> AttributionRequest:
    """What is asked of all blocks: as set for layer conductance where it is shown, else 32 steps."""
    from explorer.probes.attributions import AttributionRequest

    chosen = {name: value for name, value in settings.get("layer_conductance", {}).items() if name != "block"}
    return AttributionRequest("layer_conductance", target, {"n_steps": _STEPS} | chosen)


def show_maps(
    case: Case, questions: Sequence[AttributionRequest], look: MapLook, name: str
) -> list[Attribution]:
    """The picture as the net sees it, and one map per question beside it; those that were computed."""
    columns = st.columns(_BESIDE, gap="medium")
    if len(questions) >= _BESIDE:
        columns += st.columns(_BESIDE, gap="medium")
    with columns[0]:
        st.markdown(f"**What {case.choice.title.partition(',')[0]} sees**")
        side = case.seen.pixels.shape[1]
        show_themed(
            picture_figure(case.seen.pixels), f"seen-{name}", f"The picture, {side} by {side} pixels."
        )
        st.markdown(f"Likeliest: {likeliest(case.loaded.classes, case.probabilities())}")
        weights = () if case.loaded.trained else (case.loaded.origin,)
        st.caption(" ".join([*weights, *case.seen.notes, strange(case.picture, case.loaded.classes)]))
    found = []
    for column, question in zip(columns[1:], questions, strict=False):
        with column:
            st.markdown(f"**{METHODS[question.method].title}**")
            result = case.attribution(question)
            if result is not None:
                _show_map(case, result, look, f"{question.method}-{name}")
                found.append(result)
    return found


def _show_map(case: Case, found: Attribution, look: MapLook, name: str) -> None:
    method, values = METHODS[found.method], found.map().numpy()
    show_themed(map_figure(values, case.seen.pixels, look), f"map-{name}", describe_map(method.title, values))
    if found.emptiness:
        st.info(found.emptiness, icon=":material/info:")
    st.caption(f"*{method.asks}* {method.misleads} ({method.paper})  \n{_measured(found)}")


def _measured(found: Attribution) -> str:
    said = [f"Took {found.seconds:.2f} s"]
    if found.delta is not None and found.rise is not None:
        said.append(
            f"sums to {words.signed(found.rise + found.delta, 3)} where the score changed by "
            f"{words.signed(found.rise, 3)} logits (delta {words.signed(_delta(found.rise, found.delta), 3)})"
        )
    if found.baseline != "none":
        said.append(f"baseline: {found.baseline}")
    return "; ".join(said) + "."


def _delta(rise: float, delta: float) -> float:
    """The difference of the two numbers as they are shown."""
    return words.difference(rise + delta, rise, 3)


def sentence(case: Case, found: Sequence[Attribution]) -> str:
    """What the maps say, computed from them."""
    if not found:
        return ""
    first, name = found[0], shown_names(case.loaded.classes)[found[0].target]
    said = [
        f"{case.loaded.title} gives **{name}** a probability of {words.percent(100 * first.probability)}."
    ]
    for result in found:
        share = half_share(result.map().numpy())
        title = METHODS[result.method].title
        if result.emptiness:
            said.append(f"{title}: {result.emptiness}")
        elif np.isnan(share):
            said.append(f"{title} finds nothing that speaks for it.")
        else:
            said.append(f"{title} puts half of what speaks for it on {100 * share:.0f} % of the pixels.")
    if len(found) > 1:
        same = agreement(found[0].map().numpy(), found[1].map().numpy())
        if not np.isnan(same):
            said.append(f"The first two maps correlate with {words.signed(same)}.")
    return " ".join(said)


def show_conductance(cases: Sequence[Case], question: AttributionRequest) -> None:
    """Bars per block for one net or two, a sentence for each, and the numbers to take away."""
    st.header("Which blocks carry this decision?")
    tables = {case.loaded.title: table for case in cases if (table := case.conductance(question)) is not None}
    if not tables:
        return
    families = {case.loaded.title: case.choice.family for case in cases}
    figure = conductance_figure(tables, families)
    draw(figure, "conductance", describe_conductance(tables))
    for title, table in tables.items():
        st.markdown(
            f"{title}: {conductance_finding(table, families[title])}"
            if len(tables) > 1
            else conductance_finding(table, families[title])
        )
    joined = pd.concat([table.assign(net=title) for title, table in tables.items()])
    download_panel(lambda: joined, lambda: figure, "conductance-per-block")


_HOW = """
Plum pixels speak **for** the class, teal ones **against** it: their attributions to the class's
logit, summed over the colour channels. Each map has its own scale, drawn beside it, since each
method answers another question; pale means little. Compare shapes between maps, and numbers only
within one.

The bars show conductance: how much of the score's rise from the baseline (a black picture) to this
picture passes through each block's residual branch F(x). The whole of it passes through every
block, branch and shortcut together (the dashed line); the difference took the shortcut. A plain net
has no way around.
"""
_FROM = """Computed here, now, with Captum, on a private copy of the net, in float32 on the CPU; every draw
comes from the seed. Conductance of all blocks is read in one shared set of passes, at 33 points of
the way from a black picture (or as layer conductance is set, where that is shown), summed by
trapezoids: where the way is bent that is closer to the score's change than Captum's own sum, which
layer conductance shows. A pass takes at most 512 MiB for activations and gradients, or one picture
where that takes more."""


def show_help(case: Case) -> None:
    """How to read this, and where the numbers come from."""
    with st.expander("How to read this"):
        st.markdown(_HOW)
    with st.expander("Where these numbers come from"):
        st.markdown(f"{case.loaded.origin} {_FROM}")


def _asked(question: AttributionRequest) -> tuple[Any, ...]:
    return question.method, question.target, question.seed, *sorted(question.parameters.items())
