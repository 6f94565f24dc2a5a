"""The Inspect page's view: one net, one picture, all its blocks, and one of them closely."""

from __future__ import annotations

from html import escape

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
from explorer.charts.words import listed
from explorer.data.fitting import as_image
from explorer.ui.figures import draw, take_away
from explorer.ui.inspected import READOUTS, Inspected, fitted, readout_of
from explorer.ui.tiles import picture_tag, show_maps, show_scale, show_tiles

_TOP = 5
_CHANNELS = 64


def show_seen(found: Inspected) -> None:
    """The picture, what the net sees of it, and what the net says."""
    original, seen = np.asarray(found.picture.image), np.asarray(as_image(found.seen.pixels))
    said = [*found.picture.notes, *found.seen.notes]
    label = f" True class: {escape(found.picture.label)}." if found.picture.label else ""
    side = found.loaded.image_size
    read, names = found.read, found.loaded.classes
    answers = "".join(_answer(names[index], float(read.probabilities[index])) for index in read.top(_TOP))
    st.html(
        f"{_CSS}<div class=seen>"
        f"<figure>{picture_tag(original, found.picture.title)}"
        f"<figcaption><b>{escape(found.picture.title)}</b>.{label}</figcaption></figure>"
        f"<figure>{picture_tag(seen, 'what the net sees')}"
        f"<figcaption><b>What the net sees</b>, {side}x{side}. {escape(' '.join(said))}</figcaption></figure>"
        f"<div><b>What {escape(found.choice.title)} says</b>{answers}</div></div>"
    )


def show_strip(found: Inspected, block: int, name: str) -> None:
    """The strongest channel of every block, the chosen one outlined."""
    blocks = found.read.blocks
    tiles = [shades(own_scale(np.maximum(maps.output[[maps.strongest]], 0))[0], 1) for maps in blocks]
    titles = [f"{number + 1}" for number in range(len(blocks))]
    show_tiles(name, tiles, titles, block - 1, "44px" if len(blocks) > 12 else "64px")


def show_block(found: Inspected, block: int, channel: int | None) -> None:
    """One channel of one block: x, F(x), their sum on one scale, and what leaves the block."""
    maps = found.read.blocks[block - 1]
    index = maps.strongest if channel is None or channel >= len(maps.output) else channel
    branch, total, output = maps.branch[index], maps.total[index], maps.output[index]
    start = np.zeros_like(branch) if maps.shortcut is None else maps.shortcut[index]
    limit = max(float(np.abs(part).max()) for part in (start, branch, total)) or 1.0
    same = maps.shortcut is not None and maps.shortcut is maps.x
    rows: list[tuple[NDArray[np.uint8], str, str]] = []
    if maps.shortcut is None:
        rows.append((colours(branch, limit), "H(x)", f"a plain block adds nothing to it; {_size(branch)}"))
    else:
        first = "x" if same else "shortcut(x)"
        rows += [
            (colours(start, limit), first, f"what is passed on; {_size(start)}"),
            (colours(branch, limit), "F(x)", f"what the block adds; {_size(branch)}"),
            (colours(total, limit), f"{first} + F(x)", f"before the last ReLU; {_size(total)}"),
        ]
    rows.append(
        (shades(np.maximum(output, 0), float(output.max())), "output", f"what leaves; {_zeros(output)}")
    )
    side = f"{output.shape[0]}x{output.shape[1]} pixels"
    st.markdown(f"**Block {block}, channel {index}** of {len(maps.output)}, {side}")
    show_maps(rows)
    show_scale(-limit, limit, "x, F(x) and their sum")
    show_scale(0, float(output.max()), "output")


def show_channels(found: Inspected, block: int, channel: int | None, name: str) -> None:
    """All channels of the block's output, and one of them large with its histogram."""
    maps = found.read.blocks[block - 1]
    index = maps.strongest if channel is None or channel >= len(maps.output) else channel
    order = np.sort(np.argsort(-maps.strength, kind="stable")[:_CHANNELS])
    top = float(maps.output.max())
    st.markdown(
        f"**All channels of block {block}**, what leaves it, on one scale"
        if len(order) == len(maps.output)
        else f"**The {_CHANNELS} strongest of {len(maps.output)} channels of block {block}**, on one scale"
    )
    tiles = [shades(np.maximum(maps.output[at], 0), top) for at in order]
    chosen = int(np.searchsorted(order, index)) if index in order else -1
    show_tiles(f"{name}-channels", tiles, [str(at) for at in order], chosen, "44px")
    show_scale(0, top, "0 is dark")
    values = maps.total[index]
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown(f"**Channel {index} before the last ReLU**")
        draw(large_map(values, signed=True), f"{name}-channel", f"Channel {index} of block {block} as a map")
    with right:
        st.markdown(f"**Its values**, {values.size} pixels")
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


def _answer(name: str, probability: float) -> str:
    bar = f'<div class=track><div style="width:{100 * probability:.2f}%"></div></div>'
    return f"<div class=answer><span>{escape(name)}</span>{bar}<span>{100 * probability:.1f} %</span></div>"


def _size(values: NDArray[np.floating]) -> str:
    norm = float(np.linalg.norm(values.astype(np.float64)))
    return f"norm {norm:.3g}, {values.min():.2g} to {values.max():.2g}".replace("-", "−")


def _zeros(values: NDArray[np.floating]) -> str:
    return f"{100 * float((values == 0).mean()):.0f} % zero, at most {values.max():.3g}"


_CSS = """<style>
.seen { display: grid; gap: 18px; grid-template-columns: repeat(auto-fit, minmax(min(13rem, 44%), 1fr)); }
.seen figure { margin: 0; }
.seen img { display: block; width: 100%; height: 190px; object-fit: contain; object-position: left;
  image-rendering: pixelated; }
.seen figcaption { font-size: 0.85rem; line-height: 1.35; padding-top: 6px; }
.seen .answer { display: grid; grid-template-columns: 7em 1fr 4.5em; gap: 8px; align-items: center;
  font-variant-numeric: tabular-nums; line-height: 1.9; }
.seen .answer span:first-child { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.seen .answer span:last-child { text-align: right; }
.seen .track { border: 1px solid rgba(127,127,127,0.5); border-radius: 3px; height: 0.8em; }
.seen .track div { background: currentColor; opacity: 0.65; height: 100%; }
</style>"""
