"""Downloads of a block's maps: numbers (NPZ) and a picture (PNG)."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import streamlit as st
from PIL import Image

from explorer.charts.maps import colours
from explorer.charts.sprites import resampled
from explorer.ui.inspect.inspection_data import InspectionData

_SIDE = 256
_GAP = 8


def download_block_maps(found: InspectionData, block: int, name: str) -> None:
    """Offer all channels of one block as NPZ, and its strongest channel as PNG."""
    stem = f"{found.choice.key}-block-{block}".replace(":", "-")
    left, right, third = st.columns(3)
    left.download_button(
        "Maps (NPZ)", lambda: block_npz(found, block), f"{stem}.npz",
        "application/octet-stream",
        on_click="ignore",
        key=f"{name}-npz", width="stretch", help="x, shortcut, branch, total, output: (C, H, W) each.",
    )  # fmt: skip
    right.download_button(
        "Picture (PNG)", lambda: block_png(found, block), f"{stem}.png", "image/png",
        on_click="ignore",
        key=f"{name}-png", width="stretch", help="x, F(x) and their sum, the strongest channel.",
    )  # fmt: skip
    third.download_button(
        "Blocks (CSV)", lambda: found.read.table.to_csv(index=False),
        f"{stem}-blocks.csv", "text/csv",
        on_click="ignore",
        key=f"{name}-blocks", width="stretch", help="Norms, ratio and share of zeros of every block.",
    )  # fmt: skip


def block_npz(found: InspectionData, block: int) -> bytes:
    """All maps of a block, as it was read."""
    maps, file = found.read.blocks[block - 1], BytesIO()
    arrays = {"x": maps.x, "branch": maps.branch, "total": maps.total, "output": maps.output}
    if maps.shortcut is not None:
        arrays["shortcut"] = maps.shortcut
    np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
    return file.getvalue()


def block_png(found: InspectionData, block: int) -> bytes:
    """What is passed on, what is added and their sum, side by side on one diverging scale."""
    maps = found.read.blocks[block - 1]
    at = maps.strongest
    parts = [*([] if maps.shortcut is None else [maps.shortcut[at], maps.branch[at]]), maps.total[at]]
    limit = max(float(np.abs(part).max()) for part in parts) or 1.0
    gap = np.full((_SIDE, _GAP, 3), 255, np.uint8)
    row: list[np.ndarray] = []
    for part in parts:
        row += [resampled(colours(part, limit), _SIDE), gap]
    file = BytesIO()
    Image.fromarray(np.concatenate(row[:-1], axis=1)).save(file, "PNG")
    return file.getvalue()
