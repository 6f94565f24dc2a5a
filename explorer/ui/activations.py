"""The Inspect page's view: one net, one picture, all its blocks, and one of them closely."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from explorer.charts.activations import (
    Answers,
    answer_table,
    answers_over_blocks,
    describe_answers,
    histogram,
    large_map,
    leads_from,
)
from explorer.charts.maps import colours
from explorer.charts.sprites import own_scale, shades
from explorer.charts.words import listed, number
from explorer.data.fitting import as_image
from explorer.ui.figures import draw, take_away
from explorer.ui.inspected import READOUTS, Inspected, fitted, readout_of
from explorer.ui.tiles import picture_tag, sheet, show_maps, show_scale, show_tiles

if TYPE_CHECKING:
    from explorer.probes.activations import BlockMaps

_TOP = 5
_CHANNELS = 64


def show_seen(found: Inspected) -> None:
    """The picture, what the net sees of it, and what the net says."""
    st.html(_seen(found.key, found))


@st.cache_data(max_entries=32, show_spinner=False)
def _seen(key: str, _found: Inspected) -> str:
    picture, read, names = _found.picture, _found.read, _found.loaded.classes
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


def show_strip(found: Inspected, block: int, name: str) -> None:
    """The strongest channel of every block, the chosen one outlined."""
    st.markdown("**All blocks**, the strongest channel of each")
    titles = [f"{place}" for place in range(1, len(found.read.blocks) + 1)]
    show_tiles(name, _strip(found.key, found), titles, block - 1)


@st.cache_data(max_entries=32, show_spinner=False)
def _strip(key: str, _found: Inspected) -> str:
    blocks = _found.read.blocks
    return sheet([shades(own_scale(maps.output[[maps.strongest]])[0], 1) for maps in blocks])


def show_block(found: Inspected, block: int, channel: int | None) -> None:
    """One channel of one block: x, F(x), their sum on one scale, and what leaves the block."""
    maps = found.read.blocks[block - 1]
    index = _channel(maps, channel)
    parts, output = _parts(maps, index), maps.output[index]
    limit = max(float(np.abs(part).max()) for _, part, _ in parts) or 1.0
    rows = [(colours(part, limit), title, f"{said}; {_size(part)}") for title, part, said in parts]
    top = float(output.max())
    rows.append((shades(output, top), "output", f"what leaves; {_zeros(output)}"))
    side = f"{output.shape[0]}x{output.shape[1]} pixels"
    st.markdown(f"**Block {block}, channel {index}** of {len(maps.output)}, {side}")
    show_maps(rows)
    show_scale(-limit, limit, "before the last ReLU")
    show_scale(0, top, "output")


def show_channels(found: Inspected, block: int, channel: int | None, name: str) -> None:
    """All channels of the block's output on one scale; of very many the strongest."""
    maps = found.read.blocks[block - 1]
    index, count = _channel(maps, channel), len(maps.output)
    order = np.sort(np.argsort(-maps.strength, kind="stable")[:_CHANNELS])
    top = float(maps.output.max())
    which = "All" if len(order) == count else f"The {_CHANNELS} strongest of {count}"
    st.markdown(f"**{which} channels of block {block}**, what leaves it, on one scale")
    chosen = int(np.searchsorted(order, index)) if index in order else -1
    tiles = [shades(maps.output[at], top) for at in order]
    show_tiles(f"{name}-channels", sheet(tiles), [str(at) for at in order], chosen)
    show_scale(0, top, "zero and below are dark")


def show_channel(found: Inspected, block: int, channel: int | None, name: str) -> None:
    """One channel large, before the last ReLU."""
    maps = found.read.blocks[block - 1]
    index = _channel(maps, channel)
    st.markdown(f"**Channel {index} of block {block}**, before the last ReLU")
    draw(large_map(maps.total[index]), f"{name}-channel", f"Channel {index} of block {block} as a map")


def show_values(found: Inspected, block: int, channel: int | None, name: str) -> None:
    """How often which value occurs in that channel."""
    maps = found.read.blocks[block - 1]
    index = _channel(maps, channel)
    values = maps.total[index]
    st.markdown(f"**Its values**, {values.size:,} pixels")
    draw(histogram(values), f"{name}-values", f"Histogram of channel {index} of block {block}")


def show_answers(found: Inspected, block: int, kind: str, name: str) -> None:
    """How the read-out changes from block to block, and how it was made."""
    try:
        readout = readout_of(found, kind)
    except ValueError as error:
        st.warning(str(error))
        readout, kind = found.read.readout, "skip"
    names = found.loaded.classes
    shown = [int(at) for at in np.argsort(-readout[-1], kind="stable")[:_TOP]]
    table = answer_table(readout, names, shown)
    answers = Answers(table, tuple(names[at] for at in shown), found.choice.family)
    st.markdown(f"**Which class could be read off after each block?** By the {READOUTS[kind]}")
    draw(answers_over_blocks(answers, block), f"{name}-answers", describe_answers(answers))
    st.caption(_how(found, kind))
    take_away(lambda: table, lambda: answers_over_blocks(answers, block), f"{name}-answers")


def sentence(found: Inspected, block: int) -> str:
    """What the numbers say, in one sentence or two."""
    row = found.read.table.iloc[block - 1]
    first, name = leads_from(found.read.readout), found.loaded.classes[found.read.top(1)[0]]
    since = "the stem on" if first == 0 else f"block {first} on"
    rest = f"with the later blocks skipped, that answer leads from {since}"
    adds = found.read.blocks[block - 1].shortcut is not None
    size = (
        f"In block {block}, ‖F(x)‖ is {row['residual_ratio']:.2g} times ‖x‖"
        if adds
        else f"Block {block} is plain: it replaces x by H(x), ‖H(x)‖ = {row['residual_ratio']:.2g} ‖x‖"
    )
    sure = 100 * float(found.read.probabilities.max())
    zeros = f"{row['zeros_pct']:.0f} % of its output is zero."
    return f"**{found.choice.title} says {name} ({sure:.1f} %); {rest}.** {size}; {zeros}"


def _how(found: Inspected, kind: str) -> str:
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
        "answers. After the last block this is the net's answer. Neither net was trained to have blocks "
        "skipped; a plain one has no shortcut to carry x past them."
    )


def _channel(maps: BlockMaps, channel: int | None) -> int:
    return maps.strongest if channel is None or channel >= len(maps.output) else channel


def _parts(maps: BlockMaps, index: int) -> list[tuple[str, NDArray[np.floating], str]]:
    """What happens to one channel up to the last ReLU: titles, maps, and what each is."""
    branch, total = maps.branch[index], maps.total[index]
    if maps.shortcut is None:
        comes = [("x", maps.x[index], "what comes in")] if maps.x.shape == maps.branch.shape else []
        return [*comes, ("H(x)", branch, "all that the plain block passes on")]
    first = "x" if maps.shortcut is maps.x else "shortcut(x)"
    return [
        (first, maps.shortcut[index], "what is passed on"),
        ("F(x)", branch, "what the block adds"),
        (f"{first} + F(x)", total, "their sum"),
    ]


def _figure(rgb: NDArray[np.uint8], title: str, said: Sequence[str]) -> str:
    caption = f"<b>{escape(title)}</b>. {escape(' '.join(said))}"
    return f"<figure>{picture_tag(rgb, title)}<figcaption>{caption}</figcaption></figure>"


def _answer(name: str, probability: float) -> str:
    bar = f'<div class=track><div style="width:{100 * probability:.2f}%"></div></div>'
    return f"<div class=answer><span>{escape(name)}</span>{bar}<span>{100 * probability:.1f} %</span></div>"


def _size(values: NDArray[np.floating]) -> str:
    norm = float(np.linalg.norm(values.astype(np.float64)))
    return f"norm {number(norm)}, {number(float(values.min()))} to {number(float(values.max()))}"


def _zeros(values: NDArray[np.floating]) -> str:
    return f"{100 * float((values == 0).mean()):.0f} % zero, at most {number(float(values.max()))}"


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
