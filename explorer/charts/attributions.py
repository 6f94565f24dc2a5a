"""A picture, and signed attribution maps laid over it in one scale."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from explorer.charts.maps import DIVERGING, Sign, limit_of, signed
from explorer.charts.theme import LABEL_SIZE

Array = NDArray[np.floating]
SIDE = 300
_BAR = 64
_LUMA = np.array([0.299, 0.587, 0.114])


@dataclass(frozen=True)
class MapLook:
    """How maps are drawn.

    Attributes:
        opacity: of the map over the grey picture, 0 to 1.
        sign: which values are shown.
        percentile: of the absolute values; where the scale ends.
    """

    opacity: float = 0.8
    sign: Sign = "both"
    percentile: float = 99.0


def picture_figure(pixels: Array) -> go.Figure:
    """What a net is shown, pixel by pixel.

    Args:
        pixels: in 0 to 1, (C, H, W), C 1 or 3.
    """
    figure = _blank(pixels.shape[1:])
    figure.add_trace(
        go.Image(z=_bytes(pixels), hovertemplate="row %{y}, column %{x}<br>colour %{z}<extra></extra>")
    )
    return figure


def map_figure(values: Array, pixels: Array, look: MapLook) -> go.Figure:
    """A signed map over the grey picture, with its scale.

    Args:
        values: attributions summed over the channels, (H, W).
        pixels: in 0 to 1, (C, H, W).
        look: opacity, sign and clipping.
    """
    figure = _blank(values.shape)
    grey = pixels.mean(0) if len(pixels) == 1 else np.tensordot(_LUMA, pixels, 1)
    # under a map the picture is pale, so that the map's zero stays pale too
    pale = grey * (1 - 0.5 * look.opacity) + 0.5 * look.opacity
    figure.add_trace(go.Image(z=_bytes(pale[None]), hoverinfo="skip"))
    limit = limit_of(values, look.percentile)
    figure.add_trace(
        go.Heatmap(
            z=signed(values, look.sign).astype(np.float32), zmin=-limit, zmax=limit, zsmooth=False,
            colorscale=DIVERGING, opacity=look.opacity, colorbar=_scale(limit),
            hovertemplate="row %{y}, column %{x}<br>%{z:+.3g}<extra></extra>", name="attribution",
        )
    )  # fmt: skip
    return figure


def describe_map(title: str, values: Array) -> str:
    """The map in words, for people who do not see it."""
    row, column = np.unravel_index(int(np.argmax(values)), values.shape)
    return (
        f"{title}: a map of {values.shape[0]} by {values.shape[1]} pixels. Most for the class: row {row}, "
        f"column {column}. {half_of_it(values)}"
    )


def half_of_it(values: Array) -> str:
    """On how many pixels half of what speaks for the class lies, as a sentence."""
    share = half_share(values)
    if np.isnan(share):
        return "Nothing in it speaks for the class."
    return f"Half of what speaks for the class lies on {100 * share:.0f} % of the pixels."


def half_share(values: Array) -> float:
    """Least share of pixels that holds half of the positive sum; NaN where nothing is positive."""
    positive = np.sort(np.clip(values, 0, None).ravel())[::-1].astype(np.float64)
    total = positive.sum()
    if total <= 0:
        return float("nan")
    return float((np.searchsorted(np.cumsum(positive), 0.5 * total) + 1) / positive.size)


def agreement(one: Array, other: Array) -> float:
    """Correlation of two maps of one picture, -1 to 1; NaN where one is constant."""
    if min(float(np.ptp(one)), float(np.ptp(other))) == 0:
        return float("nan")
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])


def _bytes(pixels: Array) -> NDArray[np.uint8]:
    rgb: NDArray[np.uint8] = np.rint(np.clip(pixels, 0, 1) * 255).astype(np.uint8).transpose(1, 2, 0)
    return rgb if rgb.shape[2] == 3 else np.repeat(rgb, 3, 2)


def _blank(shape: tuple[int, ...]) -> go.Figure:
    """Room for square pixels; the same margins with and without a scale, so that pictures line up."""
    height, width = shape
    axis = {"visible": False, "constrain": "domain"}
    return go.Figure(
        layout={
            "template": go.layout.Template(),
            "height": SIDE,
            "margin": {"l": 0, "r": _BAR, "t": 10, "b": 10, "pad": 0},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "showlegend": False,
            "hoverlabel": {"align": "left", "font": {"size": LABEL_SIZE}},
            "xaxis": axis | {"range": [-0.5, width - 0.5], "title": {"text": "column (pixels)"}},
            "yaxis": axis
            | {
                "range": [height - 0.5, -0.5],
                "title": {"text": "row (pixels)"},
                "scaleanchor": "x",
                "scaleratio": 1,
            },
        }
    )


def _scale(limit: float) -> dict[str, object]:
    return {
        "thickness": 10,
        "len": 1,
        "xpad": 6,
        "ypad": 0,
        "outlinewidth": 0,
        "tickvals": [-0.999 * limit, 0, 0.999 * limit],  # plotly leaves out ticks at the very ends
        "ticktext": [_short(-limit), "0", _short(limit)],
        "tickfont": {"size": LABEL_SIZE},
    }


def _short(value: float) -> str:
    """At most six characters, so that no scale is wider than its room."""
    text = (
        f"{value:+.0f}" if abs(value) >= 10 else f"{value:+.2g}" if abs(value) >= 0.001 else f"{value:+.0e}"
    )
    return text.replace("-", "−").replace("e−0", "e−")
