"""Colours, dashes, widths and empty figures: their one meaning in every chart of the explorer.

Colours are Okabe and Ito's, distinguishable with any colour vision. Text and axes take the page's
own colour, so that one figure is legible on a light and on a dark ground.
"""

from __future__ import annotations

import colorsys
from typing import Any, Literal

import plotly.graph_objects as go

from explorer.nets import families
from explorer.nets.families import FAMILIES

Split = Literal["train", "test"]

FAMILY_COLOUR = {family: one.colour for family, one in FAMILIES.items()}
FAMILY_SYMBOL = {family: one.symbol for family, one in FAMILIES.items()}
FAMILY_TITLE = {family: one.title for family, one in FAMILIES.items()}
SPLIT_TITLE: dict[Split, str] = {"train": "training", "test": "test"}
CONTEXT = "#7F7F7F"
BAND_OPACITY = 0.18
FONT_SIZE = 14
LABEL_SIZE = 13
MARGIN = {"l": 56, "r": 106, "t": 14, "b": 48, "pad": 0}
HEIGHT = 400
_LINE: dict[Split, dict[str, Any]] = {
    "train": {"dash": "6px,4px", "width": 1.75},
    "test": {"dash": "solid", "width": 3.25},
}
in_order = families.in_order
net_title = families.net_title


def line_style(family: str, split: Split) -> dict[str, Any]:
    """Colour of the family; thin dashes for training, a bold line for test, as in the paper."""
    return {"color": colour(family), **_LINE[split]}


def colour(family: str) -> str:
    """The family's colour as #RRGGBB; grey for one that is not known."""
    return FAMILY_COLOUR.get(family, CONTEXT)


def band_colour(family: str, opacity: float = BAND_OPACITY) -> str:
    """The family's colour, translucent, for the spread over seeds."""
    return translucent(colour(family), opacity)


def translucent(shade: str, opacity: float = BAND_OPACITY) -> str:
    """A colour #RRGGBB for a band under a line of that colour."""
    red, green, blue = _channels(shade)
    return f"rgba({red},{green},{blue},{opacity})"


def depth_colour(family: str, depth: int, depths: list[int]) -> str:
    """A lightness within the family's hue: the deepest of `depths` is darkest."""
    red, green, blue = (channel / 255 for channel in _channels(colour(family)))
    hue, _, saturation = colorsys.rgb_to_hls(red, green, blue)
    rank = sorted(depths).index(depth) / max(len(depths) - 1, 1)
    mixed = colorsys.hls_to_rgb(hue, 0.66 - 0.34 * rank, saturation)
    return "#" + "".join(f"{round(255 * channel):02X}" for channel in mixed)


def blank(x_title: str, y_title: str, height: int = HEIGHT) -> go.Figure:
    """An empty figure with named axes, fixed margins, a transparent ground and inherited text colour."""
    # fixed margins instead of automargin: nothing moves when a value changes, and a redraw costs half
    axis = {"automargin": False, "ticks": "outside", "ticklen": 4, "zeroline": False, "fixedrange": False}
    title = {"standoff": 8, "font": {"size": FONT_SIZE}}
    return go.Figure(
        layout={
            "template": go.layout.Template(),
            "height": height,
            "margin": MARGIN,
            "showlegend": False,
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "font": {"size": FONT_SIZE},
            "hovermode": "closest",
            "hoverlabel": {"align": "left", "font": {"size": LABEL_SIZE}},
            "dragmode": "zoom",
            "xaxis": {**axis, "title": {"text": x_title, **title}, "tickfont": {"size": LABEL_SIZE}},
            "yaxis": {**axis, "title": {"text": y_title, **title}, "tickfont": {"size": LABEL_SIZE}},
        }
    )


def _channels(value: str) -> tuple[int, int, int]:
    return int(value[1:3], 16), int(value[3:5], 16), int(value[5:7], 16)
