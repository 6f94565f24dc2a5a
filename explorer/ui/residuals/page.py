"""The Residuals page: responses recorded at every epoch, drawn for all epochs at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from explorer.analysis import responses, wording
from explorer.analysis.claims import LAST_EPOCH
from explorer.analysis.selection import FINISHED
from explorer.charts.frames import with_frames
from explorer.charts.heat_map import describe_heat, heat_map
from explorer.charts.responses import (
    QUANTITIES,
    NetSeries,
    ResponseAxes,
    axes_for,
    beyond,
    describe_responses,
    in_layer_order,
    sorted_by_size,
)
from explorer.charts.start_against_end import describe_start, start_against_end
from explorer.ui import places
from explorer.ui.components.figure import SharedFigure, download_panel, draw, is_dark, show, themed_copy
from explorer.ui.components.live_text import LiveText
from explorer.ui.components.player import follow, is_lost, place
from explorer.ui.components.url_widgets import linked_choice, linked_choices, linked_switch, settle_number
from explorer.ui.depth.controls import choose_dataset
from explorer.ui.depth.depth_views import first_shown
from explorer.ui.residuals.recorded_nets import (
    MODE,
    MOST_NETS,
    default_nets,
    recorded_datasets,
    recorded_nets,
    recorded_table,
    runs_of,
    shown_epochs,
)
from explorer.ui.url_parameters import Choice, Switch, bound, declare

_LOG = declare(Switch("logresp"))
_EPOCH = declare(Choice("epoch"))
_HOW = """A block adds F(x) to its input x: the ratio of their norms says how much it changes it. Norms
are Euclidean, over all channels and pixels of one image, averaged over the images; raw ‖F(x)‖ is not
comparable between stages, whose maps differ in size. A plain block adds to nothing: drawn is its whole
mapping H(x). Lines are medians over the seeds. Vermilion is plain, blue residual; the darker, the deeper."""
_FIGURE_7 = """Figure 7 of He et al. (2015) shows the **standard deviation** of the layer responses: of each
3x3 layer's output after BN, before the ReLU or the addition, over all images, channels and pixels. Its two
findings: residual nets respond less than plain nets, which supports that residual functions are closer to
zero; and the deeper the residual net, the less each layer changes the signal. The sentences above ask both
of the nets shown, at the epoch shown, and say where they do not hold."""
_EVAL = """The paper does not say whether BN was in train or in eval mode. The records are read in **eval
mode**, with running statistics, on a fixed batch of 32 training images, at the end of every epoch. Above, any
net can be probed in either mode on a whole split: sums run over all its elements, so the std is that of the
split, not a mean over batches."""
_EARLY = (
    " Early in training BN's running statistics lag behind the weights; in eval mode the responses of a deep "
    "net then multiply from layer to layer."
)

_ORDERED, _RANKED, _CONCLUSION = "responses-ordered", "responses-ranked", "responses-conclusion"
_CHOOSE_TWINS = (
    "**Do residual nets respond less than plain nets?** Choose a plain and a residual net of one depth."
)
_CHOOSE_DEPTHS = "**Do deeper residual nets respond less per layer?** Choose residual nets of two depths."


@dataclass(frozen=True)
class Chosen:
    """What the reader wants to see.

    Attributes:
        dataset: id of the dataset that the nets were trained on.
        nets: keys of the nets.
        quantity: key in `QUANTITIES`.
        log: whether values stand on a logarithmic axis.
    """

    dataset: str
    nets: tuple[str, ...]
    quantity: str
    log: bool


@dataclass(frozen=True)
class ResponseViews:
    """Two charts with a frame per epoch, and their words per epoch."""

    epochs: tuple[int, ...]
    first: int
    ordered: go.Figure
    ranked: go.Figure
    said: tuple[str, ...]
    texts: dict[str, tuple[str, ...]]


def choose_recorded() -> Chosen:
    """One row of controls: the URL's `data`, `quantity`, `nets` and `logresp`."""
    first, second, third = st.columns([4, 6, 10], vertical_alignment="bottom")
    with first:
        dataset = choose_dataset(recorded_datasets())
    with second:
        quantity = linked_switch(
            "Quantity", {name: found.title for name, found in QUANTITIES.items()}, "quantity",
            default="ratio", help="F(x): what a block adds to its input x. Response std: Figure 7's.",
        )  # fmt: skip
    there = recorded_nets(dataset)
    with third.container(horizontal=True, vertical_alignment="bottom"):
        nets = linked_choices(
            "Nets", {key: net.title for key, net in there.items()}, "nets", default=default_nets(list(there)),
            most=MOST_NETS, help="Nets of the zoo with all their seeds, and your own runs.",
        )  # fmt: skip
        log = st.toggle("Log axis", value=True, **bound(_LOG))
    kept = tuple(nets) or tuple(default_nets(list(there)))
    return Chosen(dataset, kept, quantity, bool(log))


@places.fragment
def recorded_view(chosen: Chosen) -> None:
    """A slider over the epochs, the two charts of Figure 7, and what they say."""
    epochs = shown_epochs(_table(chosen))
    at = _choose_epoch(epochs)
    dark = is_dark()
    first = at if is_lost("epoch") else first_shown("epoch", (chosen, dark), at)
    views = response_views(chosen, first if first in epochs else at, dark)
    position = views.epochs.index(at)
    left, right = st.columns(2, gap="medium")
    with left:
        place(_ORDERED, views.texts[_ORDERED], position)
        show(views.ordered, "responses-in-order", views.said[views.first])
    with right:
        place(_RANKED, views.texts[_RANKED], position)
        show(views.ranked, "responses-by-size", views.said[views.first])
    charts = {"responses-in-order": views.said, "responses-by-size": views.said}
    follow("epoch", views.first, charts, views.texts)
    with st.container(key="conclusion"):
        place(_CONCLUSION, views.texts[_CONCLUSION], position)
    table, axes = _table(chosen), _axes(chosen)
    download_panel(
        lambda: table[table["epoch"] == at],
        lambda: in_layer_order(table, axes, at),
        f"responses-{chosen.dataset}-{chosen.quantity}-{at}",
    )


def training_view(chosen: Chosen) -> None:
    """Smaller pictures: all epochs of one net, and all nets before and after training."""
    table, axes = _table(chosen), _axes(chosen)
    left, right = st.columns(2, gap="medium")
    with left:
        net = _choose_heat(axes.nets)
        draw(heat_map(table, net, axes), "responses-heat", describe_heat(table, net, axes))
    with right:
        st.markdown("**What training changed**: each net untrained and trained")
        with st.container(key="start-row"):
            draw(start_against_end(table, axes), "responses-start", describe_start(table, axes))
    download_panel(
        lambda: table, lambda: heat_map(table, net, axes), f"responses-{chosen.dataset}-all-epochs"
    )


@st.cache_resource(max_entries=48, show_spinner=False)
def response_views(chosen: Chosen, first: int, dark: bool) -> ResponseViews:
    """Both charts at every epoch; shared by all sessions, so nobody may change them."""
    table, axes = _table(chosen), _axes(chosen)
    epochs = shown_epochs(table)
    ordered = {str(epoch): in_layer_order(table, axes, epoch) for epoch in epochs}
    ranked = {str(epoch): sorted_by_size(table, axes, epoch) for epoch in epochs}
    return ResponseViews(
        epochs=tuple(epochs),
        first=epochs.index(first),
        ordered=SharedFigure(themed_copy(with_frames(ordered, str(first)), dark)),
        ranked=SharedFigure(themed_copy(with_frames(ranked, str(first)), dark)),
        said=tuple(describe_responses(table, axes, epoch) for epoch in epochs),
        texts=_texts(chosen, axes, epochs),
    )


def _texts(chosen: Chosen, axes: ResponseAxes, epochs: Sequence[int]) -> dict[str, tuple[str, ...]]:
    """The charts' titles and the sentences under them at every epoch, as HTML."""
    quantity = QUANTITIES[chosen.quantity]
    titles = {
        _ORDERED: f"**{quantity.title} in layer order**",
        _RANKED: f"**The same {quantity.of}s sorted by size**",
    }
    texts = {
        name: tuple(_html([f"{title}, after epoch {epoch}"]) for epoch in epochs)
        for name, title in titles.items()
    }
    return texts | {_CONCLUSION: tuple(_html(conclusion(chosen, axes, epoch)) for epoch in epochs)}


def conclusion(chosen: Chosen, axes: ResponseAxes, epoch: int) -> list[str]:
    """Figure 7's findings in the nets of one protocol at one epoch; then what the chart leaves out."""
    table, stds = _table(chosen), _table(replace(chosen, quantity="std"))
    nets, others = _comparable(chosen, axes.nets)
    when = LAST_EPOCH if epoch == stds["epoch"].max() else f"after epoch {epoch}"
    typical = responses.typical(stds, nets, epoch)
    said = [
        str(responses.against_plain(typical, when) or _CHOOSE_TWINS),
        str(responses.by_depth(typical, responses.STD, when) or _CHOOSE_DEPTHS),
    ]
    if chosen.quantity != "std":
        shown = responses.typical(table, nets, epoch)
        said.append(str(responses.by_depth(shown, axes.quantity.title, when) or ""))
    said.append(responses.near_their_start(stds, axes.nets, epoch))
    if others:
        names = wording.listed([net.title for net in others])
        said.append(
            f"Not in these comparisons, since of another protocol or not trained to the end: {names}."
        )
    if count := beyond(table, axes, epoch):
        said.append(f"{count} values lie beyond the axis, drawn on its edge.{_EARLY if epoch <= 2 else ''}")
    return [sentence for sentence in said if sentence]


def _comparable(chosen: Chosen, nets: Sequence[NetSeries]) -> tuple[list[NetSeries], list[NetSeries]]:
    """The finished nets of the protocol that most of them share, and the others."""
    runs = runs_of(chosen.dataset, chosen.nets)
    protocol = runs[runs["status"] == FINISHED].drop_duplicates("net").set_index("net")["protocol"]
    usual = protocol.mode()
    mine = set(protocol.index[protocol == usual.iloc[0]]) if len(usual) else set()
    return [net for net in nets if net.key in mine], [net for net in nets if net.key not in mine]


def _html(sentences: Sequence[str]) -> str:
    return "".join(f"<p>{LiveText(sentence).payload['html']}</p>" for sentence in sentences)


def _table(chosen: Chosen) -> pd.DataFrame:
    return recorded_table(chosen.dataset, chosen.nets, QUANTITIES[chosen.quantity])


def _axes(chosen: Chosen) -> ResponseAxes:
    nets = [recorded_nets(chosen.dataset)[net] for net in chosen.nets]
    nets.sort(key=lambda net: (net.family != "plain", net.family, net.depth))
    return axes_for(_table(chosen), nets, QUANTITIES[chosen.quantity], log=chosen.log, said=MODE)


def _choose_epoch(epochs: Sequence[int]) -> int:
    settle_number("epoch", epochs, "There is no record of epoch {}")
    chosen = st.select_slider(
        "Epoch", list(epochs), value=epochs[-1], **bound(_EPOCH, options=epochs),
        help="Drag it, or press the arrow keys. Epoch 0 is the net before training.",
    )  # fmt: skip
    return int(chosen) if chosen in epochs else epochs[-1]


def _choose_heat(nets: Sequence[NetSeries]) -> NetSeries:
    by_key = {net.key: net for net in nets}
    deepest = max(nets, key=lambda net: (net.family == "residual", net.depth)).key
    titles = {net.key: net.title for net in nets}
    chosen = linked_choice(
        "Every epoch of", titles, "heat", default=deepest, help="One column per epoch, one row per layer."
    )
    return by_key[chosen]


def show_help() -> None:
    """What the charts mean, how the paper read them, and how they were read here."""
    tabs = st.tabs(
        ["How to read this", "What did the paper find?", "Train or eval mode?"], key="responses-guide"
    )
    for tab, text in zip(tabs, (_HOW, _FIGURE_7, _EVAL), strict=True):
        tab.markdown(text)
