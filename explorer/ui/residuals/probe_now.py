"""Responses of any net to any images, probed on demand; torch wakes only then."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from explorer.charts.responses import (
    QUANTITIES,
    RESPONSE_COLUMNS,
    NetSeries,
    Quantity,
    axes_for,
    describe_responses,
    in_layer_order,
    sorted_by_size,
)
from explorer.data.preprocess import Picture
from explorer.data.registry import available
from explorer.data.sample_photos import CROPS, photograph_crops
from explorer.runs.net_catalogue import UPLOAD, NetChoice
from explorer.ui.components.computation import run_cancellable
from explorer.ui.components.figure import download_panel, draw
from explorer.ui.components.net_picker import PROBING, SHARED, ask_for, net_choices, opened, session_choices
from explorer.ui.components.picture_picker import choose_picture
from explorer.ui.components.url_widgets import linked_choice, linked_choices, linked_switch, tell_absent
from explorer.ui.url_parameters import Switch, Whole, bound, declare, texts_of

if TYPE_CHECKING:
    from explorer.nets.loaded_net import LoadedNet
    from explorer.probes.inputs import Inputs
    from explorer.probes.responses import Responses

_LIVE = declare(Switch("live"))
_IMAGES = declare(Whole("images", 1, 10_000))
MOST_PROBED = 5
CROPPED = "photographs"
"""Name in the URL of small squares from the photographs that ship."""
# pixels times blocks of a pass in eval mode: about a second on two cores, so that a press stops it soon
_PASS, _LEAST = 2**20, 4
_MODES = {"eval": "BN in eval mode", "train": "BN in train mode, batches of 100"}
_DEFAULT = ("digits-plain-56-s0", "digits-residual-56-s0")


@dataclass(frozen=True)
class ProbeRequest:
    """What is to be probed.

    Attributes:
        nets: keys of the nets.
        data: name of a dataset, or empty for a picture.
        count: at most so many images of its test split.
        mode: eval or train.
    """

    nets: tuple[str, ...]
    data: str
    count: int
    mode: str


def probe_view() -> None:
    """A toggle, and behind it nets, images and mode to choose, and the charts of what was read."""
    st.header("Probe any net here and now")
    if not st.toggle(
        "Read the blocks of a net of the zoo, of torchvision's, or of your own, on a split or a picture",
        **bound(_LIVE),
    ):  # fmt: skip
        return
    choices = {choice.key: choice for choice in _choices()}
    asked = _choose(choices)
    quantity = _choose_quantity()
    picture = None if asked.data else choose_picture("digits")
    try:
        answers = [(choices[key], _responses(choices[key], asked, picture)) for key in asked.nets]
    except ValueError as error:
        st.error(str(error), icon=":material/error:")
        return
    read = {choice: answer for choice, answer in answers if answer is not None}
    if read:
        _draw(quantity, read, asked)


def _choices() -> list[NetChoice]:
    wanted = st.session_state.get("probed") or texts_of("probed")
    for name in wanted if isinstance(wanted, list) else []:
        ask_for(name)
    return [*session_choices(), *net_choices()]


def _choose(choices: dict[str, NetChoice]) -> ProbeRequest:
    first, second, third, fourth = st.columns([9, 4, 3, 4], vertical_alignment="bottom")
    default = [key for key in _DEFAULT if key in choices] or list(choices)[:1]
    tell = tell_absent("probed", choices, own=UPLOAD, what="net", how=SHARED)
    with first:
        nets = linked_choices(
            "Nets to probe", {key: choice.title for key, choice in choices.items()}, "probed",
            default=default, most=MOST_PROBED, help="Also your uploads.",
        )  # fmt: skip
    tell(" ".join(nets), " and ".join(choices[key].title for key in nets or default))
    sources = _sources([choices[key] for key in nets or default])
    with second:
        data = linked_choice(
            "Images", sources, "over", default=next(iter(sources)),
            help="First what is most like the images that the nets were trained on. Images of other channels "
            "or sizes are fitted to each net.",
        )  # fmt: skip
    count = third.number_input(
        "At most", 1, 10_000, 1000, step=100, **bound(_IMAGES), disabled=data in ("picture", CROPPED),
        help="How many images of the test split, from its first.",
    )  # fmt: skip
    with fourth:
        mode = linked_switch(
            "BN mode", {"eval": "eval", "train": "train"}, "bn", default="eval",
            help="BN with its running statistics (eval), or with those of each batch (train).",
        )  # fmt: skip
    name = "" if data == "picture" else data
    return ProbeRequest(tuple(nets) or tuple(default), name, int(count or 1), mode)


def _sources(nets: Sequence[NetChoice]) -> dict[str, str]:
    """What can be shown, first what is most like the images that these nets were trained on."""
    there = {found.name: f"{found.title}, test" for found in available()}
    others = {CROPPED: f"{CROPS} crops of photographs", "picture": "A picture"}
    if all(net.dataset.startswith("digits") for net in nets):
        return there | others
    known = [net.dataset for net in nets] + ["cifar10", "cifar10-jpeg"]
    first = next((name for name in known if name in there and not name.startswith("digits")), CROPPED)
    return {first: (there | others)[first]} | there | others


def _choose_quantity() -> Quantity:
    titles = {name: quantity.title for name, quantity in QUANTITIES.items()}
    chosen = linked_switch(
        "What is drawn", titles, "live-quantity", default="ratio", help="Of the nets probed here and now."
    )
    return QUANTITIES[chosen]


def _responses(choice: NetChoice, asked: ProbeRequest, picture: Picture | None) -> Responses | None:
    """What was probed lately, by any session, or now with a bar and a stop; None where it was stopped."""
    seen = picture.key if picture else f"{asked.data}-{asked.count}"
    loaded = opened(choice)

    def work(progress: Callable[[float], None]) -> Responses:
        return _measure(_inputs(loaded, asked, picture), asked.mode == "train", progress)

    key = ("responses", choice.key, choice.checkpoint or "", seen, asked.mode)
    return run_cancellable(key, f"Probing {loaded.title}", work)


def _inputs(loaded: LoadedNet, asked: ProbeRequest, picture: Picture | None) -> Inputs:
    import torch

    from explorer.data.preprocess import fit
    from explorer.data.sources import open_dataset
    from explorer.probes.inputs import Inputs, split_inputs

    if asked.data == CROPPED:
        crops = torch.from_numpy(photograph_crops(loaded.image_size))
        return Inputs(crops, 255, loaded, None, f"{len(crops)} crops of photographs")
    if picture is None:
        return split_inputs(open_dataset(asked.data), "test", loaded, asked.count)
    seen = fit(picture, loaded.image_size, loaded.in_channels)
    return Inputs(torch.tensor(seen.pixels)[None], 1, loaded, None, picture.title)


def _measure(inputs: Inputs, training: bool, progress: Callable[[float], None]) -> Responses:
    """Probe pass by pass; what `progress` raises between two of them stops it."""
    from explorer.probes.split_responses import ReadOptions, batch_for, read_responses

    height, width = inputs.fitted_size
    soon = max(_PASS // (height * width * len(inputs.net.blocks())), _LEAST)
    batch = batch_for(inputs, training=training)
    manner = ReadOptions(training, batch if training else min(batch, soon), progress, PROBING)
    return read_responses(inputs, manner)


def _draw(quantity: Quantity, read: dict[NetChoice, Responses], asked: ProbeRequest) -> None:
    nets = [NetSeries(net.key, net.title, net.family, net.depth) for net in read]
    table = pd.concat([_rows(net, value, quantity) for net, value in read.items()], ignore_index=True)
    counts = sorted({value.images for value in read.values()})
    images = _images(asked, counts[-1])
    axes = axes_for(table, nets, quantity, log=False, said=f"{_MODES[asked.mode]} · {images}")
    left, right = st.columns(2, gap="medium")
    said = describe_responses(table, axes, 0)
    with left:
        st.markdown(f"**{quantity.title} in layer order**, probed now")
        draw(in_layer_order(table, axes, 0), "probed-in-order", said)
    with right:
        st.markdown(f"**The same {quantity.of}s sorted by size**")
        draw(sorted_by_size(table, axes, 0), "probed-by-size", said)
    for net, value in read.items():
        st.markdown(f"{sentence(net, value)} Read from {images}{_unlike(net, asked)}.")
    download_panel(
        lambda: pd.concat([value.blocks.assign(net=net.title) for net, value in read.items()]),
        lambda: in_layer_order(table, axes, 0),
        "probed-blocks",
    )


def _images(asked: ProbeRequest, count: int) -> str:
    if not asked.data:
        return "one picture"
    if asked.data == CROPPED:
        return f"{count} crops of photographs"
    there = {found.name: found.title for found in available()}
    return f"{count:,} test images of {there.get(asked.data, asked.data)}"


def _unlike(net: NetChoice, asked: ProbeRequest) -> str:
    """A warning where the images are unlike all that the net has learned from."""
    if asked.data.startswith("digits") and not net.dataset.startswith("digits"):
        return ", **which are grey digits: unlike what this net was made for**"
    return ""


def _rows(net: NetChoice, value: Responses, quantity: Quantity) -> pd.DataFrame:
    source = value.layers if quantity.of == "layer" else value.blocks
    column = source[quantity.column]
    rows = source[["layer"]].assign(
        net=net.key, epoch=0, value=column, low=column, high=column, seeds=1
    )  # fmt: skip
    return rows[RESPONSE_COLUMNS]


def sentence(net: NetChoice, value: Responses) -> str:
    """Which block changes its input most and least; blocks whose values overflow are named, not ranked."""
    finite = value.blocks["residual_ratio"].map(math.isfinite).astype(bool)
    more = " **Its weights are random.**" if net.group == "untrained" else ""
    if not finite.all():
        first = int(value.blocks.loc[~finite, "block"].iloc[0])
        more = f" In block {first} its values grow beyond what float32 holds.{more}"
    if not finite.any():
        return f"{net.title}:{more}"
    blocks = value.blocks[finite].sort_values("residual_ratio")
    least, most = blocks.iloc[0], blocks.iloc[-1]
    return (
        f"{net.title}: block {int(most['block'])} changes its input most (‖F(x)‖ is "
        f"{most['residual_ratio']:.2f} times ‖x‖), block {int(least['block'])} least "
        f"({least['residual_ratio']:.2f} times).{more}"
    )
