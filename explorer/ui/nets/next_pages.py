"""Links from the chosen net to other pages, and the net to compare it with."""

from __future__ import annotations

import streamlit as st

from explorer.runs.net_catalogue import NetChoice
from explorer.ui.components.net_picker import net_choices, session_choices, twin_of
from explorer.ui.components.url_widgets import linked_choice

_NONE = "none"
_PAGES = (
    ("residuals", "Its ‖F(x)‖, block by block", ":material/bar_chart:"),
    ("inspect", "What it makes of a picture", ":material/visibility:"),
    ("attributions", "Where it looks", ":material/center_focus_strong:"),
)
_HOW = """One box is one block, in the order of the forward pass, a row per stage: inside a stage, maps keep
their size. An arc is a shortcut: what is added to the block's output. A plain net has the same boxes without
arcs. Press a box, or choose a part, for its shapes and costs."""
_COUNTS = """Nothing is looked up: the net is run once on shapes alone (torch's meta device), and parameters,
multiply-adds (the paper calls them FLOPs) and maps are counted layer by layer, for one image of the net's own
size. The receptive field follows from kernels and strides, and is tested against the support of the gradient.
Memory counts each layer's output once, in 32-bit floats."""
_IMAGENET = """ResNet-18 to 152, VGG-19 and the plain nets of Table 1 are built here of the same blocks as the
small nets, so that every probe can read them; torchvision's weights (IMAGENET1K_V1) give the same logits. Its
bottleneck nets have their stride on the 3x3 convolution (the “1.5” variant): 4.09 G multiply-adds for
ResNet-50 where the paper's has 3.8 G. Plain nets and random weights say so in their titles."""


def choose_beside(choice: NetChoice) -> NetChoice | None:
    """A second net to compare with, or none; the URL's `beside`. The twin stands first in the list."""
    others = {other.key: other for other in [*session_choices(), *net_choices()] if other.key != choice.key}
    twin = twin_of(choice, list(others.values()))
    titles = {_NONE: "no other net"}
    if twin is not None:
        titles[twin.key] = f"its twin: {twin.title}"
    titles |= {key: other.title for key, other in others.items() if twin is None or key != twin.key}
    chosen = linked_choice("Compare with", titles, "beside", default=_NONE, help="Drawn below, and compared.")
    return others.get(chosen)


def use_elsewhere(choice: NetChoice) -> None:
    """Buttons that take the net along to the other pages."""
    row = st.container(horizontal=True, gap="small")
    for name, title, icon in _PAGES:
        if row.button(title, key=f"use-{name}", icon=icon):
            query = {"live": "true", "probed": choice.key} if name == "residuals" else {"net": choice.key}
            st.switch_page(f"../pages/{name}.py", query_params=query)


def show_help() -> None:
    """How to read the picture, and how its numbers were counted."""
    tabs = st.tabs(
        ["How to read this", "Where these numbers come from", "The ImageNet nets"], key="nets-guide"
    )
    for tab, text in zip(tabs, (_HOW, _COUNTS, _IMAGENET), strict=True):
        tab.markdown(text)
