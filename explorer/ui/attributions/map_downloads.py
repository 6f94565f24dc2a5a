"""Downloads of maps: a picture in the page's colours, and the numbers themselves."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from PIL import Image

from explorer.charts.attributions import MapLook
from explorer.charts.maps import colours, enlarged, limit_of, signed
from explorer.probes.methods import METHODS

if TYPE_CHECKING:
    from explorer.probes.attributions import Attribution


def download_maps(found: Sequence[Attribution], look: MapLook, name: str) -> None:
    """A fold-out with a PNG and an .npz of every map."""
    box = st.expander("Download these maps", on_change="rerun", key=f"take-{name}")
    if not box.open:
        return
    with box:
        for result in found:
            title, left, right = st.columns([2, 1, 1], vertical_alignment="center")
            title.markdown(METHODS[result.method].title)
            file = f"{result.method}-class-{result.target}"
            left.download_button(
                "PNG", partial(map_png, result, look), f"{file}.png", "image/png",
                on_click="ignore", key=f"png-{result.method}-{name}", width="stretch",
            )  # fmt: skip
            right.download_button(
                "NPZ", partial(map_npz, result), f"{file}.npz", "application/octet-stream",
                on_click="ignore", key=f"npz-{result.method}-{name}", width="stretch",
            )  # fmt: skip
        st.caption(
            "The .npz holds `inputs` and `attributions`, (1, C, H, W) each. The same in a shell: "
            "`python -m explorer probe attributions … --method … --out map.npz`."
        )


def map_png(found: Attribution, look: MapLook) -> bytes:
    """The map without the picture, its pixels enlarged without blur."""
    values = found.map().numpy()
    rgb = colours(signed(values, look.sign), limit_of(values, look.percentile))
    file = BytesIO()
    Image.fromarray(enlarged(rgb)).save(file, "PNG")
    return file.getvalue()


def map_npz(found: Attribution) -> bytes:
    """`inputs` and `attributions`, (1, C, H, W) each."""
    file = BytesIO()
    np.savez_compressed(file, **found.arrays())  # type: ignore[arg-type]
    return file.getvalue()
