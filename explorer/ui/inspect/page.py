"""The Inspect page below its first row: choose a block, see what it does, beside the twin where wanted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from explorer.data.preprocess import Picture
from explorer.ui import places
from explorer.ui.components.net_picker import net_choices, opened, session_choices, twin_of
from explorer.ui.components.picture_picker import choose_tone
from explorer.ui.inspect.block_downloads import download_block_maps
from explorer.ui.inspect.block_views import (
    sentence,
    show_answers,
    show_channel,
    show_seen,
    show_strip,
    show_values,
    tell_strange,
)
from explorer.ui.inspect.closeup import follow, show_block, show_channels
from explorer.ui.inspect.inspection_data import READOUTS, InspectionData, load_inspection
from explorer.ui.url_parameters import Choice, Switch, Whole, bound, declare

if TYPE_CHECKING:
    from explorer.runs.net_catalogue import NetChoice

_TWIN = declare(Switch("twin"))
_BLOCK = declare(Whole("block", 1))
_CHANNEL = declare(Whole("channel", 0, 4095))
_READOUT = declare(Choice("readout"))
_HOW = """**The strip** shows, for every block, the channel of its output with the largest mean, each on its
own scale: dark is zero, bright is that channel's largest value. **x, F(x) and x + F(x)** are one channel on
one scale centred at zero: plum is positive, teal negative, pale is nothing. What a residual block adds is
F(x); the ReLU then removes what is negative. A plain block has no shortcut, so its layers have to
make the whole output, H(x). Where a block changes the shape, what is passed on is the shortcut's projection
of x. **The line chart** asks the net for its answer after each block: by its own rest, with the later blocks
that keep the shape skipped, or by a line fitted to that block's channels."""


@dataclass(frozen=True)
class InspectView:
    """What is looked at: a block from 1, a channel from 0 or None for the strongest, a kind of read-out."""

    block: int
    channel: int | None
    readout: str


@places.fragment
def inspect(choice: NetChoice, picture: Picture) -> None:
    """All blocks of the net and one of them closely; only this is redrawn when a block is chosen."""
    try:
        _inspect(choice, picture)
    except ValueError as error:
        st.error(str(error))


def _inspect(choice: NetChoice, picture: Picture) -> None:
    loaded = opened(choice)
    twin = twin_of(choice, [*net_choices(), *session_choices()])
    first, second, third, fourth = st.columns([6, 2, 2, 2], vertical_alignment="bottom", gap="medium")
    with first:
        block = _choose_block(len(loaded.blocks()))
    with second:
        channel = _choose_channel()
    beside = third.toggle(
        "Twin", **bound(_TWIN), disabled=twin is None,
        help="The plain and the residual net beside each other: same depth, data and seed, if both are here.",
    )  # fmt: skip
    with fourth.popover("Options", width="stretch"):
        tone = choose_tone(loaded.in_channels)
        kind = _choose_readout()
    choices = [choice, *([twin] if beside and twin is not None else [])]
    found = [load_inspection(each, picture, tone) for each in choices]
    _sections(found, InspectView(block, channel, kind))
    with st.expander("How to read this"):
        st.markdown(_HOW)
    _origin(found)


def _sections(found: Sequence[InspectionData], view: InspectView) -> None:
    """Section by section, the twins beside each other in each, so that like stands beside like."""
    _row(found, show_seen)
    tell_strange(found[0])
    _row(found, lambda each: show_strip(each, view.block, _name(each)))
    _row(found, lambda each: show_block(each, view.block, view.channel, _name(each)))
    _row(found, lambda each: st.markdown(sentence(each, view.block)))
    _row(found, lambda each: show_answers(each, view.block, view.readout, _name(each)))
    _row(found, lambda each: show_channels(each, view.block, view.channel, _name(each)))
    if len(found) == 1:
        left, right = st.columns(2, gap="medium")
        with left:
            show_channel(found[0], view.block, view.channel, _name(found[0]))
        with right:
            show_values(found[0], view.block, view.channel, _name(found[0]))
    else:
        _row(found, lambda each: show_channel(each, view.block, view.channel, _name(each)))
        _row(found, lambda each: show_values(each, view.block, view.channel, _name(each)))
    _row(found, lambda each: download_block_maps(each, view.block, _name(each)))
    follow({_name(each): each for each in found})


def _row(found: Sequence[InspectionData], show: Callable[[InspectionData], object]) -> None:
    for column, each in zip(st.columns(len(found), gap="large"), found, strict=True):
        with column:
            show(each)


def _name(found: InspectionData) -> str:
    return f"inspect-{found.choice.family}"


def _choose_block(count: int) -> int:
    chosen = st.slider(
        "Block", 1, max(count, 2), (count + 1) // 2, **bound(_BLOCK), disabled=count < 2,
        help="Drag it, or press the arrow keys.",
    )  # fmt: skip
    return min(int(chosen), count)


def _choose_channel() -> int | None:
    chosen = st.number_input(
        "Channel", 0, 4095, None, placeholder="auto", **bound(_CHANNEL),
        help="Counted from 0. Empty, or beyond the last: the strongest, with the largest mean output.",
    )  # fmt: skip
    return None if chosen is None else int(chosen)


def _choose_readout() -> str:
    chosen = st.segmented_control(
        "Read-out", list(READOUTS), default="skip", format_func=READOUTS.__getitem__,
        **bound(_READOUT, options=READOUTS.values()),
        help="Whose answer is drawn after each block: that of the net's own rest, or that of a line fitted "
        "to the block's channels.",
    )  # fmt: skip
    return chosen if chosen in READOUTS else "skip"


def _origin(found: Sequence[InspectionData]) -> None:
    with st.expander("Where these numbers come from"):
        for each in found:
            st.markdown(
                f"**{each.loaded.title}.** {each.loaded.origin} BN in eval mode, float32, on the CPU; all "
                f"blocks read in one forward pass, {1000 * each.read.seconds:.0f} ms."
            )
