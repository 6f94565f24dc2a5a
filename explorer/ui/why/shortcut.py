"""The Shortcut page: strength from plain to residual, highway gates from open to shut, and their plane."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from explorer.analysis import shortcuts as said
from explorer.charts import shortcuts as charts
from explorer.charts import words
from explorer.charts.theme import Split
from explorer.data.preprocess import Picture, fit
from explorer.evidence import shortcuts as evidence
from explorer.evidence.board import board
from explorer.paper.shortcuts import SHORTCUTS_2016
from explorer.runs.net_catalogue import NetChoice
from explorer.ui.cached_runs import ASIDE, dataset_title, library
from explorer.ui.components.figure import download_panel, draw
from explorer.ui.components.net_picker import PROBING, choose_net, opened
from explorer.ui.components.url_widgets import linked_switch
from explorer.ui.url_parameters import Choice, Whole, bound, declare
from explorer.ui.why.pictures import Asked, choose_one, offer_own
from explorer.ui.why.test_images import data_of, images_for, usable_datasets

if TYPE_CHECKING:
    from torch import Tensor

FIRST_HIGHWAY = "digits-highway-20-s0"
STRENGTHS = (0.0, *evidence.BETWEEN, 1.0)
_STRENGTH = declare(Choice("strength", tuple(f"{one:g}" for one in STRENGTHS)))
_IMAGE = declare(Whole("gate-image"))
_BIAS = declare(Choice("bias", tuple(f"{one:g}" for one in evidence.BIASES)))
HOW = """**Strength.** Every block of the net computes ReLU(F(x) + s x): with s = 0 it is the plain net,
with s = 1 the residual one, and all of them begin with the same weights. Colours go from vermilion,
plain, to blue, residual. The ratio is the norm of F(x) over that of x, median over the blocks;
agreement is that of the Gradients page. Bands reach from the lowest to the highest seed.

**Gates.** A highway layer computes H(x) T(x) + x (1 - T(x)) with T(x) = sigmoid(W x + b). The bias b
begins at the value chosen and is trained with the rest. An open gate says little by itself: the gates
of a net that has learnt nothing may stand open too, so errors stand beside them."""


def choose_strength() -> tuple[int, float, Split]:
    """Layers, strength and whose error; the URL's `layers`, `strength` and `error`."""
    first, second, third = st.columns([4, 8, 4], vertical_alignment="bottom")
    with first:
        titles = {str(depth): str(depth) for depth in evidence.DEPTHS}
        depth = int(linked_switch("Layers", titles, "layers", default="56", help="Trained on digits."))
    names = [f"{one:g}" for one in STRENGTHS]
    chosen = second.select_slider(
        "Strength of the shortcut: 0 is plain, 1 is residual", names, value="1",
        help="Drag it, or press the arrow keys.", **bound(_STRENGTH),
    )  # fmt: skip
    with third:
        split: Split = linked_switch(
            "Error", {"train": "training", "test": "test"}, "error", default="train",
            help="Training error tells whether the optimiser found a solution.",
        )  # type: ignore[assignment]  # fmt: skip
    return depth, float(chosen), split


def strength_view(depth: int, strength: float, split: Split) -> None:
    """Errors over the epochs at every strength; error, ratio and agreement against strength."""
    table = all_strengths()
    if not (table["depth"] == depth).any():
        st.info(f"Not measured yet. In a shell: `{evidence.COMMAND}`")
        return
    figure = charts.error_by_strength(table, depth, strength, split)
    sentence = said.strength_sentence(table, depth, strength)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        st.markdown(f"**Error while training**, {depth} layers")
        draw(figure, "by-strength", sentence.replace("*", ""))
    with right:
        st.markdown("**What holds x and H(x)**")
        draw(charts.plane(strength, _openness()), "plane", said.SENTENCE)
    st.markdown(f"{sentence} {said.least_strength(table, depth)}")
    _quantities(table, depth, strength, split)
    download_panel(lambda: table[table["depth"] == depth], lambda: figure, f"strengths-{depth}")


def gates_view() -> None:
    """Errors by gate bias, and how far the gates are open at the start and after training."""
    table = kept_gates()
    if table.empty:
        st.info(f"Not measured yet. In a shell: `{evidence.COMMAND}`")
        return
    depths = sorted((int(depth) for depth in table["depth"].unique()), reverse=True)
    first, second, _ = st.columns([4, 8, 4], vertical_alignment="bottom")
    with first:
        titles = {str(depth): str(depth) for depth in depths}
        depth = int(linked_switch("Layers of the highway net", titles, "highway", default=str(depths[0]),
                                  help="Trained on digits."))  # fmt: skip
    names = [f"{bias:g}" for bias in evidence.BIASES]
    bias = float(
        second.select_slider(
            "Gate bias at the start: −6 is nearly shut",
            names[::-1],
            value="-2",
            help="Drag it, or press the arrow keys.",
            **bound(_BIAS),
        )
    )
    left, right = st.columns(2, gap="medium")
    sentence = said.bias_sentence(table, depth, bias)
    with left:
        st.markdown(f"**Training error**, highway nets of {depth} layers")
        draw(charts.error_by_bias(table, depth, bias, "train"), "by-bias", sentence.replace("*", ""))
    with right:
        st.markdown(f"**T(x) by layer**, bias {bias:g}")
        opened_by = _openings(table, depth, bias)
        draw(charts.gates_by_layer(opened_by), "gates-kept", charts.describe_gates(opened_by))
    st.markdown(sentence)
    download_panel(
        lambda: table[(table["depth"] == depth) & (table["bias"] == bias)],
        lambda: charts.error_by_bias(table, depth, bias, "train"), f"gates-{depth}",
    )  # fmt: skip


def picture_view() -> None:
    """T(x) of a highway net for a picture, layer by layer, beside all test images."""
    left, right, third = st.columns([4, 6, 4], vertical_alignment="bottom")
    with left:
        choice = choose_net("Highway net", "highway-net", default=FIRST_HIGHWAY, families=("highway",),
                            datasets=usable_datasets() | {""})  # fmt: skip
    with right:
        picture = choose_one(Asked("Picture", "gate-picture", _IMAGE, data_of(choice), "test"))
    with third:
        offer_own("gate-files")
    maps = gate_maps_of(choice, picture)
    means = {number + 1: float(values.mean()) for number, values in maps.items()}
    table = gates_of(choice)
    name = choice.title.split(",")[0]
    drawn = [(number + 1, values[0].mean(0).numpy()) for number, values in maps.items()]
    st.markdown(f"**T(x) of {words.literal(picture.title)}**, mean over the channels, a square per layer")
    draw(charts.gate_maps(drawn), "gate-maps", charts.describe_gates({name: table}))
    tables = {f"{name}, test images": table}
    draw(charts.gates_by_layer(tables, means), "gates-live", charts.describe_gates(tables))
    usual = dict(zip(table["block"].tolist(), table["mean"].tolist(), strict=True))
    away = max(abs(means[number] - usual[number]) for number in means)
    st.markdown(
        f"This picture's gates are at most {away:.3f} away from the mean of all test images: what a layer "
        "lets through depends more on its channels than on the picture."
        if away < 0.1
        else f"This picture opens a layer's gates by up to {away:.2f} more or less than the mean test image."
    )


def others_view() -> None:
    """What He et al. 2016 measured of other shortcuts, each judged by the rule of the Paper page."""
    lines = _others()
    for entry in SHORTCUTS_2016.entries:
        mine = lines[lines["net"] == entry.net]
        note = f" :small[{entry.note}]" if entry.note else ""
        st.markdown(f"- **{entry.net}**{note}: {entry.printed['test_error_pct']} %. {_judged(mine)}")
    st.markdown("- **dropout on x + F(x)**: fails to train in the paper. Not built here.")


def sources() -> str:
    """Where the numbers come from, as Markdown."""
    about = evidence.kept(evidence.STRENGTHS).attrs or kept_gates().attrs
    if not about:
        return f"Not measured yet. In a shell: `{evidence.COMMAND}`"
    return (
        "Digits (scikit-learn): 1,437 images to train on, 360 to test, 10 epochs of the default recipe, "
        "peak learning rate 0.03. Strengths 0 and 1 are the zoo's plain and residual nets, seeds 0 to 2; "
        f"the others, and the highway nets, were trained by `{evidence.COMMAND}`, seeds as the sentences "
        f"say, commit {about['commit']}, torch {about['versions']['torch']}, {about['hardware']}. Gates: "
        "all test images. The picture's gates are computed here. He et al. 2016: arXiv 1603.05027, Table "
        "1. In a shell: `python -m explorer probe gates highway-20`."
    )


@st.cache_resource(show_spinner=False)
def all_strengths() -> pd.DataFrame:
    """The kept curves beside the zoo's plain and residual nets; nobody may change it."""
    between = evidence.kept(evidence.STRENGTHS)
    ends = evidence.ends()
    return pd.concat([part for part in (ends, between) if len(part)] or [between], ignore_index=True)


@st.cache_resource(show_spinner=False)
def kept_gates() -> pd.DataFrame:
    """The kept highway nets; nobody may change it."""
    return evidence.kept(evidence.GATES)


@st.cache_resource(max_entries=8, show_spinner="Reading the gates…")
def gates_of(choice: NetChoice) -> pd.DataFrame:
    """Openness by layer over the test images."""
    from explorer.probes.gates import by_layer

    with PROBING:
        return by_layer(opened(choice).net, images_for(choice, "test").images)


def gate_maps_of(choice: NetChoice, picture: Picture) -> dict[int, Tensor]:
    """T(x) of one picture by block from 0, each (1, C, H, W)."""
    import torch

    from explorer.probes.gates import openness

    loaded = opened(choice)
    seen = fit(picture, loaded.image_size, loaded.in_channels)
    with PROBING:
        return openness(loaded.net, loaded.normalised(torch.from_numpy(seen.pixels)[None]))


def _quantities(table: pd.DataFrame, depth: int, strength: float, split: Split) -> None:
    """Error, ratio and agreement against strength, side by side."""
    agreement = {
        title: said.means(table, depth, "agreement", epoch)
        for epoch, title in ((0, "untrained"), (1, "after 1 epoch"))
    }
    error = {"error": said.means(table, depth, f"{split}_error_pct")}
    quantities = {
        "Error at the end": (error, "error (%)", 100.0),
        "Size of F(x)": ({"ratio": said.means(table, depth, "ratio")}, "‖F(x)‖ / ‖x‖", None),
        "Agreement of two batches": (agreement, "cosine", None),
    }
    columns = st.columns(len(quantities), gap="medium")
    for column, (title, (means, axis, top)) in zip(columns, quantities.items(), strict=True):
        with column:
            st.markdown(f"**{title}**")
            figure = charts.by_strength(means, strength, axis, top=top)
            draw(figure, f"strength-{title[:5]}", f"{title} by strength of the shortcut: {_numbers(means)}.")


def _numbers(means: dict[str, pd.DataFrame]) -> str:
    return "; ".join(
        f"{name} "
        + ", ".join(f"{row['mean']:.3g} at {row['strength']:g}" for row in table.to_dict("records"))
        for name, table in means.items()
    )


def _openings(table: pd.DataFrame, depth: int, bias: float) -> dict[str, pd.DataFrame]:
    """Openness by layer after training and at the start, mean over the seeds."""
    part = table[(table["depth"] == depth) & (table["bias"] == bias) & (table["block"] > 0)]
    found = {}
    for name, epoch in (("after 10 epochs", part["epoch"].max()), ("at the start", 0)):
        one = part[part["epoch"] == epoch].groupby("block")[["mean", "low", "high"]].mean().reset_index()
        if len(one):
            found[name] = one
    return found


def _openness() -> list[float]:
    """Mean T of each gate of the kept net whose gates begin at the usual bias, for the plane."""
    table = kept_gates()
    part = table[(table["block"] > 0) & (table["bias"] == evidence.BIASES[0])]
    part = part[part["epoch"] == part["epoch"].max()]
    return [float(value) for value in part.groupby("block")["mean"].mean()]


@st.cache_data(ttl=30, show_spinner=False)
def _others() -> pd.DataFrame:
    lines = board(library().runs(), [SHORTCUTS_2016])
    return lines[~lines["dataset"].isin(ASIDE)]


def _judged(lines: pd.DataFrame) -> str:
    measured = lines[lines["verdict"] != "not measured yet"]
    if measured.empty:
        return "Not built here."
    told = [
        f"{dataset_title(row['dataset'])} {words.percent(row['measured'])}: **{row['verdict']}**, "
        f"{row['reason']}"
        for row in measured.to_dict("records")
    ]
    return f"Here: {'; '.join(told)}."
