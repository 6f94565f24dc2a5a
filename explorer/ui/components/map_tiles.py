"""Maps as crisp tiles that wrap on a phone, with their scale, from one small picture."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from functools import lru_cache
from html import escape
from io import BytesIO

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from PIL import Image

from explorer.charts.maps import colours
from explorer.charts.sprites import shades, sprite
from explorer.charts.words import number

_SIDES = (32, 64)
_MANY = 12
_RISING = np.linspace(0, 1, 128)[None]
_CSS = """<style>
.tiles { display: grid; gap: 6px; grid-template-columns: repeat(auto-fill, minmax(var(--tile), 1fr)); }
.tiles figure { margin: 0; min-width: 0; }
.tiles i, .tiles img { display: block; width: 100%; aspect-ratio: 1; image-rendering: pixelated;
  background-repeat: no-repeat; border-radius: 3px; object-fit: contain; }
.tiles figcaption { padding-top: 2px; font-size: 0.8rem; line-height: 1.3; text-align: center;
  white-space: nowrap;
  overflow: hidden; text-overflow: ellipsis; font-variant-numeric: tabular-nums; }
.tiles figure:has(> i) { cursor: pointer; }
.tiles .chosen i { outline: 3px solid currentColor; outline-offset: 1px; }
.tiles .chosen figcaption { font-weight: 700; }
.maps { display: grid; gap: 14px; grid-template-columns: repeat(auto-fit, minmax(min(10rem, 44%), 1fr)); }
.maps figcaption { font-size: 0.9rem; text-align: left; white-space: normal;
  padding-top: 4px; min-height: 3.9em; }
.closeup > p { margin: 0 0 0.75rem; }
.bar { display: flex; flex-wrap: wrap; gap: 0 8px; align-items: center; font-size: 0.85rem; margin: 2px 0 8px;
  font-variant-numeric: tabular-nums; }
.bar img { height: 10px; width: min(16rem, 40vw); border-radius: 3px; }
</style>"""


def picture_tag(rgb: NDArray[np.uint8], alt: str) -> str:
    """An <img> with the picture in it, lossless."""
    return f'<img alt="{escape(alt, quote=True)}" src="{_address(rgb)}">'


def sheet(tiles: Sequence[NDArray[np.uint8]]) -> str:
    """Coloured maps, (H, W, 3) each, as the address of one picture that holds them all."""
    side = min(max(_SIDES[0], len(tiles[0])), _SIDES[1])
    return _address(sprite(tiles, side))


def put(*parts: str) -> None:
    """Put what the functions below gave on the page, as one element."""
    st.html(_CSS + "".join(parts))


def grid_of(name: str, picture: str, titles: Sequence[str], chosen: int) -> str:
    """A grid of maps, all from one picture.

    Args:
        name: of the grid, unique on the page, letters and hyphens.
        picture: what `sheet` gave.
        titles: one under each tile.
        chosen: index of the tile that stands out; -1 for none.
    """
    last = max(len(titles) - 1, 1)
    width = "44px" if len(titles) > _MANY else "64px"
    style = f".{name} i {{ background-image: url({picture}); background-size: {100 * len(titles)}% 100%; }}"
    figures = [
        f"<figure{' class=chosen' if index == chosen else ''}>"
        f'<i role="img" aria-label="{escape(title, quote=True)}" '
        f'style="background-position: {100 * index / last:.4f}% 0"></i>'
        f"<figcaption>{escape(title)}</figcaption></figure>"
        for index, title in enumerate(titles)
    ]
    grid = f'<div class="tiles {name}" style="--tile: {width}">{"".join(figures)}</div>'
    return f"<style>{style}</style>{grid}"


def row_of(maps: Sequence[tuple[NDArray[np.uint8], str, str]]) -> str:
    """A few maps side by side, large: colours, a title, and what is said under it (HTML)."""
    figures = [
        f"<figure>{picture_tag(rgb, title)}<figcaption><b>{escape(title)}</b><br>{said}</figcaption></figure>"
        for rgb, title, said in maps
    ]
    return f'<div class="tiles maps">{"".join(figures)}</div>'


def scale_of(low: float, high: float, said: str) -> str:
    """The scale of the maps above: diverging where `low` is negative, sequential where it is 0."""
    ends = number(low), number(high)
    bar = f'<img alt="Scale from {ends[0]} to {ends[1]}" src="{_bar(low < 0)}">'
    parts = "".join(f"<span>{part}</span>" for part in (ends[0], bar, ends[1], escape(said)))
    return f'<div class="bar">{parts}</div>'


@lru_cache(maxsize=2)
def _bar(signed: bool) -> str:
    return _address(colours(np.linspace(-1, 1, 128)[None], 1) if signed else shades(_RISING, 1))


def _address(rgb: NDArray[np.uint8]) -> str:
    file = BytesIO()
    Image.fromarray(np.ascontiguousarray(rgb)).save(file, "PNG", compress_level=1)
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
