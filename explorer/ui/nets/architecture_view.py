"""The Nets page's pictures and figures of a net, part by part, with what each part costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from explorer.charts.architecture import Design, architecture, describe_design, legend
from explorer.runs.net_catalogue import NetChoice
from explorer.ui import places
from explorer.ui.components.figure import choose_in, download_panel, draw, is_dark, themed_copy
from explorer.ui.components.net_picker import opened
from explorer.ui.components.url_widgets import linked_choice

if TYPE_CHECKING:
    from explorer.nets.loaded_net import LoadedNet


_FIRST = "block 1"


@st.cache_resource(max_entries=24, show_spinner="Counting layer by layer…")
def parts_of(key: str, _loaded: LoadedNet) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Costs per part and per layer of the net of that key, for one image; nobody may change them."""
    from explorer.nets.cost_measured import block_costs, design_of, layer_costs

    design = design_of(_loaded.net)
    return block_costs(design, _loaded.image_size), layer_costs(design, _loaded.image_size)


@places.fragment
def parts_view(choice: NetChoice, other: NetChoice | None) -> None:
    """The architecture, beside that of another net if there is one, and the figures of one part."""
    parts, layers = parts_of(choice.key, opened(choice))
    above, below = st.container(), st.container()
    with below:  # first, since a link may name the part that the drawing marks
        share = st.container()
        first, second = st.columns([3, 13], vertical_alignment="center")
        names = {name: name for name in parts["part"]}
        with first:
            chosen = linked_choice("Part", names, "part", default=_FIRST, help="Or press a box above.")
        with second:
            _figures(parts[parts["part"] == chosen].iloc[0])
    design = Design(choice.title, choice.family, parts, chosen)
    with above:
        left, right = st.columns(2, gap="medium") if other else (st.container(), None)
    with left:
        st.markdown(f"**{choice.title}**, one box per block; press one")
        figure = themed_copy(architecture(design), is_dark())
        choose_in(figure, "architecture", describe_design(design), "part")
        st.caption(legend(parts))
    if right is not None and other is not None:
        with right:
            _beside(other)
    share.markdown(compared(choice, other) if other else share_of_stages(choice.title, parts))
    download_panel(lambda: layers, lambda: architecture(design), f"layers-{choice.key.replace(':', '-')}")


def _beside(other: NetChoice) -> None:
    parts, _ = parts_of(other.key, opened(other))
    design = Design(other.title, other.family, parts)
    st.markdown(f"**{other.title}**")
    draw(architecture(design), "architecture-beside", describe_design(design))
    st.caption(legend(parts))


def totals_view(choice: NetChoice) -> None:
    """What the whole net costs, and where its weights come from."""
    loaded = opened(choice)
    parts, layers = parts_of(choice.key, loaded)
    cells = st.container(horizontal=True, gap="small", key="gap-totals")
    cells.metric("Weighted layers", f"{parts['layer'].iloc[-1]:,}", border=True, width="stretch")
    cells.metric("Blocks", f"{(parts['stage'] > 0).sum():,}", border=True, width="stretch")
    cells.metric("Parameters", f"{parts['parameters'].sum():,}", border=True, width="stretch")
    cells.metric("Multiply-adds", millions(int(parts["macs"].sum())), border=True, width="stretch")
    memory = f"{layers['activation_mib'].sum():.1f} MiB"
    cells.metric("Maps of one image", memory, border=True, width="stretch")
    size = f"{loaded.in_channels} × {loaded.image_size} × {loaded.image_size}"
    st.markdown(
        f"{loaded.origin} Input: {size} (channels × pixels × pixels); {len(loaded.classes):,} classes."
    )


def compared(choice: NetChoice, other: NetChoice) -> str:
    """Parameters and multiply-adds of two nets in words."""
    first, second = (parts_of(net.key, opened(net))[0] for net in (choice, other))
    ours, theirs = int(first["parameters"].sum()), int(second["parameters"].sum())
    macs, others = int(first["macs"].sum()), int(second["macs"].sum())
    if ours == theirs:
        also = " and of multiply-adds" if macs == others else ""
        return f"**Both have exactly the same number of parameters, {ours:,},**{also}: only shortcuts differ."
    return (
        f"{choice.title} has {ours:,} parameters, {ours / theirs:.3g} times the {theirs:,} of {other.title}, "
        f"and {millions(macs)} multiply-adds against {millions(others)}."
    )


def share_of_stages(title: str, parts: pd.DataFrame) -> str:
    """Which stage holds the parameters, and which takes the work, in one sentence."""
    stages = parts[parts["stage"] > 0].groupby("stage")[["parameters", "macs"]].sum()
    shares = 100 * stages / parts[["parameters", "macs"]].sum()
    large, busy = shares["parameters"].idxmax(), shares["macs"].idxmax()
    return (
        f"Stage {large} of {title} holds {shares['parameters'].max():.0f} % of the parameters; stage {busy} "
        f"takes {shares['macs'].max():.0f} % of the multiply-adds."
    )


def millions(macs: int) -> str:
    """Multiply-adds as people read them."""
    return f"{macs / 1e9:.2f} G" if macs >= 1e9 else f"{macs / 1e6:.1f} M"


def _figures(part: pd.Series) -> None:
    st.markdown(f"**{str(part['part']).capitalize()}**{_words(part)}")
    cells = st.container(horizontal=True, gap="small", key="gap-part")
    shape = f"{part['out_channels']} × {part['out_height']} × {part['out_width']}"
    cells.metric("Output (C × H × W)", shape, border=True, width="stretch")
    cells.metric("Parameters", f"{part['parameters']:,}", border=True, width="stretch")
    cells.metric("Multiply-adds", millions(int(part["macs"])), border=True, width="stretch")
    field = f"{part['receptive_field']:,} px"
    cells.metric("Receptive field", field, border=True, width="stretch",
                 help="Side of the square of the image that one output pixel can depend on; it may be larger "
                 "than the image.")  # fmt: skip


def _words(part: pd.Series) -> str:
    if not part["convolutions"]:
        return ": pooling and the read-out"
    shortcut = f", shortcut: {part['shortcut']}" if part["shortcut"] != "none" else ""
    return (
        f": {part['convolutions']}, stride {part['stride']}{shortcut}; ends at weighted layer {part['layer']}"
    )
