"""The Depth page's state: typed, bound to the URL, with defaults for whatever the URL gets wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from explorer.analysis.selection import Protocol
from explorer.charts.curves import CurveStyle
from explorer.charts.theme import FAMILY_TITLE, Split, in_order
from explorer.ui.cached_runs import dataset_title
from explorer.ui.components.figure import choose_image
from explorer.ui.components.url_widgets import linked_choice, settle_number
from explorer.ui.url_parameters import Choice, Choices, Switch, Whole, bound, declare, titled

_FAMILIES = declare(Choices("families"))
_ERRORS = declare(Choice("errors"))
_SEEDS = declare(Choice("seeds"))
_LOG_Y, _LOG_X = declare(Switch("logy")), declare(Switch("logx"))
_SMOOTH = declare(Whole("smooth", 1, 9))
_DEPTH = declare(Choice("depth"))
_SPLITS: dict[str, tuple[Split, ...]] = {"both": ("train", "test"), "train": ("train",), "test": ("test",)}
DEFAULT_DEPTH = 20
FORMATS = "Axes"
"""Label of the control that also chooses the format of the charts' camera."""


def choose_dataset(datasets: Sequence[str]) -> str:
    """A dataset that has runs; the URL's `data`."""
    titles = {name: dataset_title(name) for name in datasets}
    return linked_choice(
        "Dataset", titles, "data", default=datasets[0],
        help="The images on which all nets shown were trained and tested.",
    )  # fmt: skip


def choose_protocol(protocols: Mapping[str, Protocol]) -> str:
    """How the nets shown were trained, where there are several ways; the URL's `length`."""
    if len(protocols) < 2:
        return next(iter(protocols), "")
    titles = {name: protocol.title for name, protocol in protocols.items()}
    return linked_choice(
        "Trained for", titles, "length", default=next(iter(titles)),
        help="All nets shown were trained like this, so that they can be compared.",
    )  # fmt: skip


def choose_style(families: Sequence[str]) -> CurveStyle:
    """What the charts draw: the URL's `families`, `errors`, `seeds`, `logx`, `logy` and `smooth`."""
    there = in_order(families)
    first, second, third, fourth = st.columns([6, 5, 4, 3], vertical_alignment="bottom")
    shown = first.pills(
        "Families",
        there,
        default=[family for family in ("plain", "residual") if family in there],
        selection_mode="multi",
        format_func=lambda family: FAMILY_TITLE.get(family, family),
        **bound(_FAMILIES, options=titled(there, lambda family: FAMILY_TITLE.get(family, family))),
        help="Plain nets have no shortcuts; residual nets are the same nets with them.",
    )
    split = second.segmented_control(
        "Errors", list(_SPLITS), default="both", **bound(_ERRORS, options=_SPLITS),
        help="Training error is dashed and thin, test error solid and bold, as in the paper.",
    )  # fmt: skip
    each = third.segmented_control(
        "Seeds", ["mean", "each"], default="mean", **bound(_SEEDS, options=("mean", "each")),
        help="The mean with a band from the lowest to the highest seed, or one thin line per seed.",
    )  # fmt: skip
    with fourth.popover(FORMATS, width="stretch"):
        log_y = st.toggle("Error on a log axis", **bound(_LOG_Y))
        log_x = st.toggle("Epochs and depths on a log axis", **bound(_LOG_X))
        smoothing = st.slider(
            "Smoothing (epochs averaged)", 1, 9, 1, step=2, **bound(_SMOOTH),
            help="The averaged line is drawn over the raw one, which stays visible.",
        )  # fmt: skip
        choose_image()
    return CurveStyle(
        families=tuple(in_order(shown or there)),
        splits=_SPLITS[split or "both"],
        each_seed=each == "each",
        log_x=log_x,
        log_y=log_y,
        smoothing=smoothing,
    )


def choose_depth(depths: Sequence[int]) -> int:
    """One of the depths that were trained; the URL's `depth`."""
    default = DEFAULT_DEPTH if DEFAULT_DEPTH in depths else depths[0]
    settle_number("depth", depths, "No net of {} layers was trained on these images")
    chosen = st.select_slider(
        "Depth",
        list(depths),
        value=default,
        **bound(_DEPTH, options=depths),
        help="Drag it, or press the arrow keys. Only depths that were trained can be chosen.",
    )
    return int(chosen)
