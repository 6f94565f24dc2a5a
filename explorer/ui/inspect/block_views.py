"""The Inspect page's view: one net, one picture, all its blocks, and one of them closely."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from explorer.charts.activations import (
    AnswerTable,
    answer_table,
    answers_over_blocks,
    describe_answers,
    histogram,
    large_map,
    leads_from,
)
from explorer.charts.sprites import own_scale, shades
from explorer.charts.words import listed
from explorer.data.preprocess import as_image
from explorer.ui.components.class_names import shown_names, strange, verdict
from explorer.ui.components.figure import download_panel, show_themed
from explorer.ui.components.map_tiles import grid_of, picture_tag, put, sheet
from explorer.ui.inspect.closeup import channel_of
from explorer.ui.inspect.inspection_data import READOUTS, InspectionData, fitted, readout_of

_TOP = 5
_LEADERS = 7
"""So many more classes that lead on the way are drawn at most: a chart bears no more lines."""


def show_seen(found: InspectionData) -> None:
    """The picture, what the net sees of it, and what the net says."""
    st.html(_seen(found.key, found))


@st.cache_data(max_entries=32, show_spinner=False)
def _seen(key: str, _found: InspectionData) -> str:
    picture, read, names = _found.picture, _found.read, shown_names(_found.loaded.classes)
    side = _found.loaded.image_size
    label = [f"True class: {picture.label}."] if picture.label else []
    answers = "".join(_answer(names[at], float(read.probabilities[at])) for at in read.top(_TOP))
    return (
        f"{_CSS}<div class=seen>"
        + _figure(np.asarray(picture.image), picture.title, [*label, *picture.notes])
        + _figure(
            np.asarray(as_image(_found.seen.pixels)), f"What the net sees, {side}x{side}", _found.seen.notes
        )
        + f"<div><b>What {escape(_found.choice.title)} says</b>{answers}</div></div>"
    )


def tell_strange(found: InspectionData) -> None:
    """Say it where the picture may show what the net has no class for."""
    if said := strange(found.picture, found.loaded.classes):
        st.caption(f":material/info: {said}")


def show_strip(found: InspectionData, block: int, name: str) -> None:
    """The strongest channel of every block, the chosen one outlined."""
    st.markdown("**All blocks**, the strongest channel of each; press one to choose it")
    titles = [f"{place}" for place in range(1, len(found.read.blocks) + 1)]
    put(grid_of(name, _strip(found.key, found), titles, block - 1))


@st.cache_data(max_entries=32, show_spinner=False)
def _strip(key: str, _found: InspectionData) -> str:
    blocks = _found.read.blocks
    return sheet([shades(own_scale(maps.output[[maps.strongest]])[0], 1) for maps in blocks])


def show_channel(found: InspectionData, block: int, channel: int | None, name: str) -> None:
    """One channel large, before the last ReLU."""
    maps = found.read.blocks[block - 1]
    index = channel_of(maps, channel)
    st.markdown(f"**Channel {index} of block {block}**, before the last ReLU")
    show_themed(large_map(maps.total[index]), f"{name}-channel", f"Channel {index} of block {block} as a map")


def show_values(found: InspectionData, block: int, channel: int | None, name: str) -> None:
    """How often which value occurs in that channel."""
    maps = found.read.blocks[block - 1]
    index = channel_of(maps, channel)
    values = maps.total[index]
    st.markdown(f"**Its values**, {values.size:,} pixels")
    show_themed(histogram(values), f"{name}-values", f"Histogram of channel {index} of block {block}")


def show_answers(found: InspectionData, block: int, kind: str, name: str) -> None:
    """How the read-out changes from block to block, and how it was made."""
    try:
        readout = readout_of(found, kind)
    except ValueError as error:
        st.warning(str(error))
        readout, kind = readout_of(found, "skip"), "skip"
    names = shown_names(found.loaded.classes)
    shown = classes_shown(readout)
    table = answer_table(readout, names, shown)
    answers = AnswerTable(table, tuple(names[at] for at in shown), found.choice.family)
    st.markdown(f"**Which class could be read off after each block?** By the {READOUTS[kind]}")
    show_themed(answers_over_blocks(answers, block), f"{name}-answers", describe_answers(answers))
    st.caption(_how(found, kind))
    download_panel(lambda: table, lambda: answers_over_blocks(answers, block), f"{name}-answers")


def classes_shown(readout: NDArray[np.floating]) -> list[int]:
    """The net's last top classes, and whatever else leads after a block, most often first.

    Args:
        readout: probabilities after the stem and each block, (blocks + 1, classes).
    """
    last = [int(at) for at in np.argsort(-readout[-1], kind="stable")[:_TOP]]
    leaders, counts = np.unique(readout.argmax(1), return_counts=True)
    often = leaders[np.argsort(-counts, kind="stable")].tolist()
    return [*last, *(at for at in often if at not in last)][: _TOP + _LEADERS]


def sentence(found: InspectionData, block: int) -> str:
    """What the numbers say, in one sentence or two."""
    row = found.read.table.iloc[block - 1]
    first = leads_from(readout_of(found, "skip"))
    since = "the stem on" if first == 0 else f"block {first} on"
    rest = f"with the later blocks skipped, that answer leads from {since}"
    adds = found.read.blocks[block - 1].shortcut is not None
    size = (
        f"In block {block}, ‖F(x)‖ is {row['residual_ratio']:.2g} times ‖x‖"
        if adds
        else f"Block {block} is plain: it replaces x by H(x), ‖H(x)‖ = {row['residual_ratio']:.2g} ‖x‖"
    )
    said = verdict(found.loaded.classes, found.read.probabilities.tolist())
    zeros = f"{row['zeros_pct']:.0f} % of the block's output is zero, over all its channels."
    return f"**{found.choice.title} {said}; {rest}.** {size}; {zeros}"


def _how(found: InspectionData, kind: str) -> str:
    if kind == "linear":
        line = fitted(found.choice)
        return (
            f"A logistic regression on the mean of each channel, fitted after each block on {line.images:,} "
            f"training images in {line.seconds:.1f} s. It is not part of the net."
        )
    needed = [
        number for number, maps in enumerate(found.read.blocks, start=1) if maps.x.shape != maps.output.shape
    ]
    rest = f"except {listed([str(block) for block in needed])}, which change the shape," if needed else ""
    return (
        f"The net's own rest, as trained: after block k all later blocks {rest} are skipped, then the head "
        "answers. After the last block this is the net's answer. A net is not trained to have blocks "
        "skipped, and a plain one has no shortcut to carry x past them."
    )


def _figure(rgb: NDArray[np.uint8], title: str, said: Sequence[str]) -> str:
    caption = f"<b>{escape(title)}</b>. {escape(' '.join(said))}"
    return f"<figure>{picture_tag(rgb, title)}<figcaption>{caption}</figcaption></figure>"


def _answer(name: str, probability: float) -> str:
    bar = f'<div class=track><div style="width:{100 * probability:.2f}%"></div></div>'
    return f"<div class=answer><span>{escape(name)}</span>{bar}<span>{100 * probability:.1f} %</span></div>"


_CSS = """<style>
.seen { display: flex; flex-wrap: wrap; gap: 18px; }
.seen figure { margin: 0; flex: 1 1 8.5rem; min-width: 0; }
.seen > div { flex: 2 1 15rem; }
.seen img { display: block; width: 100%; height: 170px; object-fit: contain; object-position: left top;
  image-rendering: pixelated; }
.seen figcaption { font-size: 0.85rem; line-height: 1.35; padding-top: 6px; min-height: 5.4em; }
.seen .answer { display: grid; grid-template-columns: 6.5em 1fr 4.5em; gap: 8px; align-items: center;
  font-variant-numeric: tabular-nums; line-height: 1.9; }
.seen .answer span:first-child { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.seen .answer span:last-child { text-align: right; }
.seen .track { border: 1px solid rgba(127,127,127,0.5); border-radius: 3px; height: 0.8em; }
.seen .track div { background: currentColor; opacity: 0.65; height: 100%; }
</style>"""
