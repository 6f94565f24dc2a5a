"""Strips and paths of the Gradients page: gradients along a line between pictures, and blocks they pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import plotly.graph_objects as go
import streamlit as st

from explorer.charts import gradients as charts
from explorer.charts import words
from explorer.charts.theme import net_title
from explorer.data.preprocess import Picture, dataset_picture, fit
from explorer.data.sources import open_dataset
from explorer.evidence import gradients as evidence
from explorer.probes.lengths import binomial, mean_length, middle
from explorer.probes.strip import Strip, brown_noise, white_noise
from explorer.runs.net_catalogue import NetChoice
from explorer.ui.components.computation import run_cancellable
from explorer.ui.components.figure import download_panel, draw
from explorer.ui.components.net_picker import choose_net, opened
from explorer.ui.components.url_widgets import linked_switch
from explorer.ui.url_parameters import Whole, declare
from explorer.ui.why.pictures import Asked, choose_one, offer_own
from explorer.ui.why.test_images import DIGITS, images_for, usable_datasets

if TYPE_CHECKING:
    import pandas as pd
    from torch import Tensor

    from explorer.probes.paths import Paths
    from explorer.training.trainer import Trainer

_ENDS = (declare(Whole("first")), declare(Whole("last")))
_PATH_FAMILIES = ("residual", "preact")
HOW = """**Strips.** 256 steps on the straight line from one picture to another. Each column is the
gradient of a fixed random read-out of the ten logits in all pixels at that step, over its norm: plum
speaks for, teal against. BN has fixed statistics. Neighbouring columns that have nothing in common look
like the white noise below: a step that is right here says nothing about what is right beside it. White
and brown noise are drawn for comparison; brown noise is a random walk.

**Paths.** A residual net of n blocks is a sum over 2^n paths, each block passed by its branch or by its
shortcut (Veit et al. 2016). The gradient is carried back as a polynomial in z with a factor z for every
branch, so that its coefficient of z^k is the sum over all paths through exactly k blocks; together they
are the true gradient. ReLUs behind an addition stay as the images set them. Sampling single paths, as
Veit et al. did, ignores that paths cancel and makes them look longer."""


def strips_view(depth: int) -> None:
    """Strips of untrained twins beside noise; those of other pictures are computed when asked."""
    first, second, third = st.columns([5, 5, 4], vertical_alignment="bottom")
    with first:
        begin = choose_one(Asked("From", "from", _ENDS[0], DIGITS, "train", evidence.LINE_ENDS[0]))
    with second:
        end = choose_one(Asked("To", "to", _ENDS[1], DIGITS, "train", evidence.LINE_ENDS[1]))
    with third:
        offer_own("line-files")
    for family in evidence.FAMILIES:
        found = _strip(f"{family}-{depth}", begin, end)
        if found is not None:
            _show(found, net_title(family, depth), f"strip-{family}")
    left, right = st.columns(2, gap="medium")
    with left:
        _show(white_noise(64), "White noise", "strip-white")
    with right:
        _show(brown_noise(64), "Brown noise", "strip-brown")
    st.markdown(_along_sentence(depth))


def paths_view() -> None:
    """How many blocks the gradient passes: kept for the zoo's nets, computed for another when asked."""
    table = evidence.kept(evidence.PATHS)
    if table.empty:
        st.info(f"Not measured yet. In a shell: `{evidence.COMMAND}`")
        return
    left, _ = st.columns([7, 9], vertical_alignment="bottom")
    with left:
        there = set(table.loc[table["trained"].astype(bool), "net"])
        titles = {
            net: net_title("residual", int(net.partition("-")[2]))
            for net in evidence.PATH_NETS
            if net in there
        }
        net = linked_switch(
            "Net", {**titles, "own": "another"}, "paths",
            default="residual-56" if "residual-56" in there else "own",
            help="The zoo's residual nets on digits, or any other net.",
        )  # fmt: skip
    if net == "own":
        _own_paths()
        return
    part = table[(table["net"] == net) & table["trained"]]
    exact, sampled = (part[part["way"] == way].sort_values("length") for way in ("exact", "sampled"))
    _tell_paths(titles[net], exact["share"].tolist(), sampled["share"].tolist())
    st.markdown(_paths_sentence(table))
    download_panel(lambda: part, lambda: _paths_figure(exact["share"].tolist(), []), f"paths-{net}")


def _strip(net: str, begin: Picture, end: Picture) -> Strip | None:
    """The kept strip for the first two digits; for other pictures a new one, once it was asked for."""
    kept = _kept_strips()
    here = kept[(kept["net"] == net) & (kept["seed"] == 0)]
    if (begin.key, end.key) == _kept_ends() and len(here):
        return evidence.unpacked(here)
    asked = (begin.key, end.key)
    if st.session_state.get("strips-asked") != asked:
        if net.startswith("plain") and st.button(
            "Compute these strips", key="strips-go", type="primary", icon=":material/play_arrow:"
        ):
            st.session_state["strips-asked"] = asked
            st.rerun()
        return None
    return run_cancellable(
        ("strip", net, asked),
        f"Gradients along the line in {net}",
        lambda told: _along(net, begin, end, told),
    )


def _along(net: str, begin: Picture, end: Picture, told: Callable[[float], None]) -> Strip:
    from explorer.probes.line import gradients_along

    trainer = evidence.trainer_of(net, 0)
    ends = _seen(trainer, begin), _seen(trainer, end)
    statistics = trainer.train_images.normalised(slice(0, evidence.STATISTICS))
    return gradients_along(trainer.net, ends, statistics, told=told)


def _seen(trainer: Trainer, picture: Picture) -> Tensor:
    import torch

    mean, std = trainer.normalisation.mean[0], trainer.normalisation.std[0]
    return (torch.from_numpy(fit(picture, 8, 1).pixels).float() - mean) / std


@st.cache_resource(show_spinner=False)
def _kept_strips() -> pd.DataFrame:
    return evidence.kept(evidence.STRIPS)


@st.cache_resource(show_spinner=False)
def _kept_ends() -> tuple[str, str]:
    first, last = (dataset_picture(open_dataset(DIGITS), "train", place).key for place in evidence.LINE_ENDS)
    return first, last


def _show(found: Strip, title: str, key: str) -> None:
    cosine = words.signed(found.cosines((1,))[1]).lstrip("+")
    st.markdown(f"**{title}**: neighbouring steps agree with a cosine of {cosine}")
    said = f"Gradients along a line, {title}: mean cosine of neighbouring steps {cosine}."
    draw(charts.strip(found.units), key, said)


def _along_sentence(depth: int) -> str:
    """Mean cosine at several lags over the seeds, of the kept strips."""
    table = _kept_strips()
    said = []
    for family in evidence.FAMILIES:
        part = table[table["net"] == f"{family}-{depth}"]
        if part.empty:
            continue
        lags = [part.groupby("seed")[f"lag_{lag}"].mean().mean() for lag in (1, 4, 16)]
        numbers = ", ".join(words.signed(value).lstrip("+") for value in lags)
        said.append(f"{net_title(family, depth)} {numbers}")
    if not said:
        return ""
    seeds = table.loc[table["net"].str.endswith(f"-{depth}")].groupby("net")["seed"].nunique().min()
    return (
        f"**From one training digit to another, untrained, mean of {seeds} seeds:** the gradients 1, 4 and "
        f"16 steps apart agree with a cosine of {'; '.join(said)}."
    )


def _own_paths() -> None:
    left, right, _ = st.columns([7, 4, 5], vertical_alignment="bottom")
    with left:
        choice = choose_net("Residual net", "paths-net", families=_PATH_FAMILIES, datasets=usable_datasets(),
                            default="digits-residual-20-s0")  # fmt: skip
    if right.button("Follow the gradient", key="paths-go", type="primary", icon=":material/play_arrow:"):
        st.session_state["paths-asked"] = choice.key
    if st.session_state.get("paths-asked") != choice.key:
        st.markdown("32 test images (8 of larger pictures), a few seconds.")
        return
    found = run_cancellable(("paths", choice), f"Paths in {choice.title}", lambda told: _follow(choice, told))
    if found is not None:
        _tell_paths(choice.title.split(",")[0], found.shares, [])


def _follow(choice: NetChoice, told: Callable[[float], None]) -> Paths:
    from explorer.probes.paths import paths

    count = evidence.PATH_IMAGES if choice.image_size <= 16 else 8
    test = images_for(choice, "test")
    net = opened(choice).net
    return paths(net, test.images[:count], test.labels[:count], told)


def _paths_figure(exact: list[float], sampled: list[float]) -> go.Figure:
    shares = {"exact": exact, "paths": binomial(len(exact) - 1)}
    return charts.path_lengths(shares | ({"sampled": sampled} if sampled else {}))


def _tell_paths(title: str, exact: list[float], sampled: list[float]) -> None:
    blocks = len(exact) - 1
    low, high = middle(exact)
    part = 100 * sum(binomial(blocks)[low : high + 1])
    said = (
        f"**Of {title}'s {blocks} blocks the gradient passes {mean_length(exact):.1f} on its way**, by their "
        f"branches; half of the blocks would be {blocks / 2:g}. 95 % of it come through paths of {low} to "
        f"{high} blocks, which are {_share(part)} of all paths."
    )
    draw(_paths_figure(exact, sampled), "path-lengths", said.replace("*", ""))
    if sampled:
        said += f" Sampled as in Veit et al. (2016) the mean is {mean_length(sampled):.1f}."
    st.markdown(said)


def _share(percent: float) -> str:
    return words.percent(percent) if percent >= 0.1 else f"{percent:.1g} %"


def _paths_sentence(table: pd.DataFrame) -> str:
    """The mean length at every depth, trained and untrained."""
    said = []
    for trained in (True, False):
        part = table[(table["trained"] == trained) & (table["way"] == "exact")]
        means = {
            str(net).partition("-")[2]: mean_length(one.sort_values("length")["share"].tolist())
            for net, one in part.groupby("net", sort=False)
        }
        lengths = [f"{mean:.1f} at {depth} layers" for depth, mean in means.items()]
        if lengths:
            said.append(f"{'trained' if trained else 'untrained'} {words.listed(lengths)}")
    return f"Mean number of blocks passed: {'; '.join(said)}."
