"""One block closely: another block or channel is drawn before the server has heard of the key.

The browser is given all maps of a net and draws what is chosen itself (closeup.js); the server draws the
same and stays the truth. Why: docs/decisions/0030-maps-in-the-browser.md.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from explorer.charts.maps import colours
from explorer.charts.sprites import shades
from explorer.charts.words import number
from explorer.ui.components.map_tiles import grid_of, put, row_of, scale_of, sheet
from explorer.ui.components.mount import mount
from explorer.ui.inspect.inspection_data import InspectionData

if TYPE_CHECKING:
    from explorer.probes.activations import BlockMaps, Maps

_JS = Path(__file__).with_suffix(".js")
_CHANNELS = 64
_STEPS = 1023
# outputs of all blocks, as many numbers: all CIFAR nets to 200 layers, and ResNet-18; larger nets wait for
# the server, which then is not kept busy with packing
_MOST_HELD = 1_200_000


def channel_of(maps: BlockMaps, channel: int | None) -> int:
    """The channel that is shown: the one asked for, if there is one, else the strongest."""
    return maps.strongest if channel is None or channel >= len(maps.output) else channel


def show_block(found: InspectionData, block: int, channel: int | None, name: str) -> None:
    """One channel of one block: x, F(x), their sum on one scale, and what leaves the block."""
    maps = found.read.blocks[block - 1]
    index = channel_of(maps, channel)
    parts = [(title, _sum(arrays, index), what) for title, arrays, what in _parts(maps)]
    output = maps.output[index]
    limit = max(float(np.abs(part).max()) for _, part, _ in parts) or 1.0
    rows = [(colours(part, limit), title, f"{what}; {_size(part)}") for title, part, what in parts]
    top = float(output.max())
    rows.append((shades(output, top), "output", f"what leaves; {_zeros(output)}"))
    side = f"{output.shape[0]}x{output.shape[1]} pixels"
    put(
        _open("closeup", name, found.key, f"{block}-{index}"),
        f"<p><b>Block {block}, channel {index}</b> of {len(maps.output)}, {side}</p>",
        row_of(rows), scale_of(-limit, limit, "before the last ReLU"), scale_of(0, top, "output"), "</div>",
    )  # fmt: skip


def show_channels(found: InspectionData, block: int, channel: int | None, name: str) -> None:
    """All channels of the block's output on one scale; of very many the strongest."""
    maps = found.read.blocks[block - 1]
    index, order = channel_of(maps, channel), _order(maps)
    top = float(maps.output.max())
    chosen = order.index(index) if index in order else -1
    put(
        _open("channels", name, found.key, f"{block}-{index}"),
        f"<p>{_which(maps, block)}</p>",
        grid_of(f"{name}-channels", _grid(found.key, block, maps), [str(at) for at in order], chosen),
        scale_of(0, top, "zero and below are dark"), "</div>",
    )  # fmt: skip


def follow(nets: Mapping[str, InspectionData]) -> None:
    """Let the sections above follow the slider, the channel's field and a press on a tile, in the browser.

    Args:
        nets: what is shown, by the names that the sections have.
    """
    told = [{"name": name, **_held(found.key, found)} for name, found in nets.items()]
    mount("closeup", _JS, key="closeup", data={"nets": told, "ramps": _ramps()})


@st.cache_resource(max_entries=8, show_spinner=False)
def _held(key: str, _found: InspectionData) -> dict[str, Any]:
    """All maps of a net as one row of float32, base64, and where in it each block has which."""
    row, blocks = _Row(), []
    held = sum(maps.output.size for maps in _found.read.blocks) <= _MOST_HELD
    for block, maps in enumerate(_found.read.blocks, start=1):
        parts = [
            {"title": title, "what": what, "starts": [row.take(array) for array in arrays if held]}
            for title, arrays, what in _parts(maps)
        ]
        count, high, wide = maps.output.shape
        cut = held and np.array_equal(maps.output, np.maximum(maps.total, 0))
        output = row.take(maps.output) if held and not cut else None
        blocks.append(
            {"parts": parts, "output": output, "count": count, "high": high, "wide": wide,
             "strongest": maps.strongest, "order": _order(maps), "top": float(maps.output.max()),
             "which": _which(maps, block)}
        )  # fmt: skip
    return {"key": key, "blocks": blocks, "values": row.packed() if held else None}


class _Row:
    """Arrays one after the other, each once."""

    def __init__(self) -> None:
        self.length = 0
        self._arrays: list[Maps] = []
        self._starts: dict[int, int] = {}

    def take(self, array: Maps) -> int:
        """Where the array begins, in numbers."""
        if id(array) not in self._starts:
            self._starts[id(array)] = self.length
            self._arrays.append(array)
            self.length += array.size
        return self._starts[id(array)]

    def packed(self) -> str:
        values = np.concatenate([array.astype("<f4", copy=False).ravel() for array in self._arrays])
        return base64.b64encode(values.tobytes()).decode()


@st.cache_resource(show_spinner=False)
def _ramps() -> dict[str, str]:
    """Both scales as rows of RGB, base64."""
    rising = np.linspace(0, 1, 256)[None]
    ramps = {"diverging": colours(np.linspace(-1, 1, _STEPS)[None], 1), "sequential": shades(rising, 1)}
    return {name: base64.b64encode(ramp.tobytes()).decode() for name, ramp in ramps.items()}


@st.cache_data(max_entries=256, show_spinner=False)
def _grid(key: str, block: int, _maps: BlockMaps) -> str:
    top = float(_maps.output.max())
    return sheet([shades(_maps.output[at], top) for at in _order(_maps)])


def _order(maps: BlockMaps) -> list[int]:
    """The channels that are shown in the grid, by number."""
    strongest = np.argsort(-maps.strength, kind="stable")[:_CHANNELS]
    return [int(at) for at in np.sort(strongest)]


def _which(maps: BlockMaps, block: int) -> str:
    count = len(maps.output)
    which = "All" if count <= _CHANNELS else f"The {_CHANNELS} strongest of {count}"
    return f"<b>{which} channels of block {block}</b>, what leaves it, on one scale; press one to choose it"


def _open(section: str, name: str, key: str, at: str) -> str:
    """The beginning of a section that the browser may redraw: whose maps, and which of them it shows."""
    return f'<div class="closeup {section}-{name}" data-key="{escape(key, quote=True)}" data-at="{at}">'


def _parts(maps: BlockMaps) -> list[tuple[str, tuple[Maps, ...], str]]:
    """What happens up to the last ReLU: titles, the maps whose sum it is, and what each is."""
    if maps.shortcut is None:
        comes = [("x", (maps.x,), "what comes in")] if maps.x.shape == maps.branch.shape else []
        return [*comes, ("H(x)", (maps.branch,), "all that the plain block passes on")]
    first = "x" if maps.shortcut is maps.x else "shortcut(x)"
    return [
        (first, (maps.shortcut,), "what is passed on"),
        ("F(x)", (maps.branch,), "what the block adds"),
        (f"{first} + F(x)", (maps.shortcut, maps.branch), "their sum"),
    ]


def _sum(arrays: tuple[Maps, ...], index: int) -> NDArray[np.float32]:
    total: NDArray[np.float32] = arrays[0][index].astype(np.float32)
    for array in arrays[1:]:
        total = total + array[index].astype(np.float32)
    return total


def _size(values: NDArray[np.floating]) -> str:
    norm = float(np.linalg.norm(values.astype(np.float64)))
    return f"norm {number(norm)}, {number(float(values.min()))} to {number(float(values.max()))}"


def _zeros(values: NDArray[np.floating]) -> str:
    return f"{100 * float((values == 0).mean()):.0f} % zero, at most {number(float(values.max()))}"
