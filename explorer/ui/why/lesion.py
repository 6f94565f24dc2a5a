"""The Lesion page: blocks pressed out of a net's drawing, scaled or moved, and what it answers then."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from explorer.charts import lesion as charts
from explorer.charts import words
from explorer.charts.architecture import Design, architecture, describe_design
from explorer.data.preprocess import fit
from explorer.evidence import lesion as evidence
from explorer.runs.net_catalogue import NetChoice
from explorer.ui.components.figure import download_panel, draw, is_dark, press_in, themed_copy
from explorer.ui.components.net_picker import (
    PROBING,
    choose_epoch,
    choose_net,
    net_choices,
    opened,
    session_choices,
    twin_of,
)
from explorer.ui.components.picture_picker import choose_picture
from explorer.ui.components.url_widgets import linked_choices, linked_switch
from explorer.ui.nets.architecture_view import parts_of
from explorer.ui.places import fragment
from explorer.ui.why.test_images import data_of, images_for, usable_datasets

if TYPE_CHECKING:
    from explorer.nets.loaded_net import LoadedNet, ProbedNet
    from explorer.probes.lesion import Answers, Lesion

FIRST = "digits-residual-20-s0"
OUT = "out"
_LAST_PRESSED = "out-pressed"
_ORDERS = {"kept": "as trained", "swap": "one pair swapped", "shuffle": "stages shuffled"}
HOW = """A removed block is passed by: what is left is its shortcut, ReLU(shortcut(x)). A plain block has
none, so x itself goes on; where such a block changes the shape, x goes on as by option A: every second pixel,
new channels zero. The scale multiplies the branch before it is added, s F(x) + x; in a plain net the whole
mapping, and s = 0 leaves nothing there. Only blocks of one stage that keep the shape change places. BN works
with the statistics of training; the switch measures them again with the lesion in place, on the training
images, weights unchanged: what stays broken then is more than a mismatch of scales. Guessing among ten
classes is wrong on 90 %."""


@dataclass(frozen=True)
class LesionRequest:
    """What the visitor does to a net; blocks from 0, plain values that a cache can compare.

    Attributes:
        removed: blocks that are passed by, in order.
        scales: block and factor.
        order: which block stands at each place; empty as trained.
        renewed: whether BN statistics are measured again.
    """

    removed: tuple[int, ...] = ()
    scales: tuple[tuple[int, float], ...] = ()
    order: tuple[int, ...] = field(default=())
    renewed: bool = False

    def lesion(self) -> Lesion:
        """As the probe wants it."""
        from explorer.probes.lesion import Lesion

        return Lesion(frozenset(self.removed), dict(self.scales), self.order)


def choose_subject() -> NetChoice:
    """A net whose dataset is here; the URL's `net`.

    Raises:
        ValueError: there is none.
    """
    left, right = st.columns([5, 9], vertical_alignment="bottom")
    with left:
        choice = choose_net(default=FIRST, datasets=usable_datasets())
    with right:
        return choose_epoch(choice)


@fragment
def lesion_view(choice: NetChoice) -> None:
    """The drawing with its controls, and what the net answers; a change redraws this part alone."""
    loaded = opened(choice)
    parts, _ = parts_of(choice.key, loaded)
    drawing, controls = st.container(), st.container()
    with controls:
        asked = _choose(choice, loaded)
    with drawing:
        _draw_net(choice, parts, asked)
    _answers(choice, loaded, asked)


def contributions_view(choice: NetChoice) -> None:
    """Kept curves of the net and its twin: by block, by number removed, by disorder, and what they say."""
    tables = _tables(choice)
    if not tables:
        st.info("The zoo keeps these curves for its own nets on digits; here they are computed when asked.")
        if st.button("Remove each block in turn", key="each", icon=":material/play_arrow:"):
            st.session_state["each-of"] = choice.key
        if st.session_state.get("each-of") != choice.key:
            return
        tables = {_short(choice): (choice.family, singles(choice))}
    chosen = [int(number) for number in st.session_state.get(OUT, [])]
    draw(charts.by_block(tables, chosen), "by-block", charts.describe_by_block(tables))
    for name, (_, table) in tables.items():
        st.markdown(f"{charts.missed(name, table)} {charts.renewed(name, table)}")
    if choice.depth == 110 and choice.family == "residual" and choice.dataset == evidence.DATASET:
        st.markdown(charts.beside_veit(next(iter(tables.values()))[1]))
    if any((table["kind"] == "removed").any() for _, table in tables.values()):
        left, right = st.columns(2, gap="medium")
        with left:
            st.markdown("**Several at random**, mean of 10 draws")
            draw(charts.by_count(tables), "by-count", "Test error by number of blocks removed at random.")
        with right:
            st.markdown("**Swapped within a stage**, a point per draw")
            draw(charts.by_disorder(tables), "by-disorder", "Test error by Kendall's tau of the order.")
    every = pd.concat([table for _, table in tables.values()], ignore_index=True)
    download_panel(
        lambda: every, lambda: charts.by_block(tables, chosen), f"lesions-{choice.key.replace(':', '-')}"
    )


def sources() -> str:
    """Where the numbers come from, as Markdown."""
    about = evidence.kept().attrs
    made = f"`{evidence.COMMAND}`" + (
        f", commit {about['commit']}, torch {about['versions']['torch']}, {about['hardware']}"
        if about
        else ""
    )
    return (
        "The answers beside the drawing are computed on this machine at each press: all 360 test images of "
        "digits, of larger images 200 of the test split, class-balanced, seed 0. The curves below are kept: "
        f"nets of the zoo, seed 0, all test images, 10 draws; {made}. One digit is 0.28 points. In a shell: "
        "`python -m explorer probe lesion residual-56 --remove 3,7 --scale 5=0.5`, `--each` for every block."
    )


@st.cache_resource(max_entries=8, show_spinner="Opening the net…")
def _net(choice: NetChoice) -> ProbedNet:
    from explorer.probes.lesion import folded_net

    with PROBING:
        return folded_net(opened(choice).net)


@st.cache_resource(max_entries=256, show_spinner=False)
def result(choice: NetChoice, asked: LesionRequest) -> Answers:
    """Answers to all test images; nobody may change them."""
    from explorer.probes.lesion import answers

    test = images_for(choice, "test")
    return answers(_lesioned(choice, asked), test.images, test.labels, asked.lesion())


@st.cache_resource(max_entries=16, show_spinner="Measuring BN statistics again…")
def _renewed(choice: NetChoice, asked: LesionRequest) -> ProbedNet:
    from explorer.probes.lesion import with_new_statistics

    return with_new_statistics(opened(choice), asked.lesion(), images_for(choice, "train").images)


@st.cache_resource(max_entries=8, show_spinner="Removing each block in turn…")
def singles(choice: NetChoice) -> pd.DataFrame:
    """Each block removed in turn, as `evidence.lesion` keeps it."""
    from explorer.probes.lesion import errors_pct, single_deletions

    test = images_for(choice, "test")
    found = errors_pct(single_deletions(_net(choice), test.images), test.labels)
    kinds = ["intact", *["single"] * (len(found) - 1)]
    table = pd.DataFrame({"kind": kinds, "count": range(len(found)), "error_pct": found})
    return table.assign(net=choice.key, draw=None, tau=float("nan"), renewed_pct=float("nan"))


def _lesioned(choice: NetChoice, asked: LesionRequest) -> ProbedNet:
    return _renewed(choice, asked) if asked.renewed else _net(choice)


def _choose(choice: NetChoice, loaded: LoadedNet) -> LesionRequest:
    """The URL's `out`; scale, order and statistics."""
    blocks = len(loaded.blocks())
    names = {str(number): str(number) for number in range(1, blocks + 1)}
    first, second = st.columns([9, 5], vertical_alignment="bottom")
    with second.container(horizontal=True, vertical_alignment="bottom"):
        _random(loaded)
        st.button("Put all back", key="put-back", on_click=_put_back, icon=":material/undo:")
    with first:
        removed = linked_choices(
            "Removed blocks", names, OUT, default=[], most=blocks, help="Or press a block in the drawing."
        )
    third, fourth, sixth = st.columns([4, 6, 4], vertical_alignment="bottom")
    target = third.selectbox(
        "Scale the branch of", ["no block", "all blocks", *names], key="scaled", persist_state="session"
    )
    st.session_state.setdefault("scale", 1.0)
    scale = fourth.slider(
        "by",
        0.0,
        2.0,
        step=0.05,
        key="scale",
        persist_state="session",
        disabled=target == "no block",
    )
    renewed = sixth.toggle(
        "Measure BN again", key="renewed", persist_state="session",
        help="BN statistics on the training images with the lesion in place; weights stay.",
    )  # fmt: skip
    order = _order(loaded)
    numbers = range(blocks) if target == "all blocks" else [int(target) - 1] if target in names else []
    scales = tuple((number, scale) for number in numbers if scale != 1.0)
    return LesionRequest(tuple(sorted(int(number) - 1 for number in removed)), scales, order, renewed)


def _order(loaded: LoadedNet) -> tuple[int, ...]:
    from explorer.probes.lesion import shuffled, swapped_at_random

    left, right, _ = st.columns([6, 2, 6], vertical_alignment="bottom")
    with left:
        kind = linked_switch(
            "Order of the blocks", _ORDERS, "order", default="kept", help="Within each stage."
        )
    seed = right.number_input(
        "Draw", 0, 999, 0, key="draw", persist_state="session", help="Another number, another order."
    )
    if kind == "swap":
        return swapped_at_random(loaded.blocks(), 1, int(seed))
    return shuffled(loaded.blocks(), (1, 2, 3), int(seed)) if kind == "shuffle" else ()


def _random(loaded: LoadedNet) -> None:
    from explorer.probes.lesion import movable

    there = movable(loaded.blocks())
    with st.popover("At random", icon=":material/casino:"):
        stages = st.pills(
            "Stages", list(there), selection_mode="multi", default=list(there), key="random-stages",
            persist_state="session",
            help="Of blocks that keep the shape.",
        )  # fmt: skip
        most = sum(len(there[stage]) for stage in stages)
        st.number_input("Blocks", 0, max(most, 1), min(1, most), key="random-count", persist_state="session")
        st.number_input(
            "Seed",
            0,
            999,
            0,
            key="random-seed",
            persist_state="session",
            help="The same seed, the same blocks.",
        )
        st.button(
            "Remove them", key="random-remove", type="primary", on_click=_remove_at_random, args=(loaded,)
        )


def _remove_at_random(loaded: LoadedNet) -> None:
    """As the fields say now, which may have come with the very press."""
    from explorer.probes.lesion import removed_at_random

    count, seed = (int(st.session_state[f"random-{name}"] or 0) for name in ("count", "seed"))
    found = removed_at_random(loaded.blocks(), count, st.session_state["random-stages"], seed)
    st.session_state[OUT] = [str(number + 1) for number in sorted(found)]


def _put_back() -> None:
    st.session_state[OUT] = []
    st.session_state["scaled"] = "no block"
    st.session_state["scale"] = 1.0
    st.session_state["order"] = "kept"
    st.session_state["renewed"] = False


def _draw_net(choice: NetChoice, parts: pd.DataFrame, asked: LesionRequest) -> None:
    marked = frozenset(f"block {number + 1}" for number in asked.removed)
    design = Design(choice.title, choice.family, parts, marked=marked)
    st.markdown(f"**{choice.title}**: press a block to take it out, and again to put it back")
    figure = themed_copy(architecture(design), is_dark())
    press_in(figure, "lesion-net", describe_design(design), _pressed)


def _pressed(part: str) -> None:
    """Remove the block that was pressed, or put it back."""
    number = part.removeprefix("block ")
    if not number.isdigit():
        return
    kept = list(st.session_state.get(OUT, []))
    st.session_state[OUT] = [n for n in kept if n != number] if number in kept else [*kept, number]


def _answers(choice: NetChoice, loaded: LoadedNet, asked: LesionRequest) -> None:
    intact, found = result(choice, LesionRequest()), result(choice, asked)
    twin = twin_of(choice, [*net_choices(), *session_choices()])
    left, right = st.columns(2, gap="medium")
    with left:
        cells = st.container(horizontal=True, gap="small", key="gap-lesion")
        cells.metric("Intact", words.percent(intact.error_pct), border=True, width="stretch")
        change = found.error_pct - intact.error_pct
        cells.metric(
            "Test error now", words.percent(found.error_pct), words.points(change) if change else None,
            delta_color="inverse", border=True, width="stretch",
        )  # fmt: skip
        if twin is not None and _fits(twin, loaded):
            other = result(twin, replace(asked, renewed=asked.renewed))
            cells.metric(
                f"{_short(twin)}, same lesion", words.percent(other.error_pct), border=True, width="stretch",
                help=f"Intact: {words.percent(result(twin, LesionRequest()).error_pct)}.",
            )  # fmt: skip
        st.caption(f"Asked: {images_for(choice, 'test').source}.")
    with right:
        table = found.confusion().tolist()
        said = charts.describe_confusion(table, loaded.classes)
        draw(charts.confusion(table, loaded.classes), "confusion", said)
    _own_picture(choice, loaded, asked)


def _fits(twin: NetChoice, loaded: LoadedNet) -> bool:
    return len(opened(twin).blocks()) == len(loaded.blocks())


def _own_picture(choice: NetChoice, loaded: LoadedNet, asked: LesionRequest) -> None:
    """One picture's answer, intact and with the lesion."""
    import torch

    from explorer.probes.lesion import INTACT, answers

    picture = choose_picture(data_of(choice))
    seen = fit(picture, loaded.image_size, loaded.in_channels)
    images, nobody = loaded.normalised(torch.from_numpy(seen.pixels)[None]), torch.zeros(1, dtype=torch.int64)
    said = []
    for net, lesion in ((_net(choice), INTACT), (_lesioned(choice, asked), asked.lesion())):
        shares = answers(net, images, nobody, lesion).logits[0].softmax(0)
        best = int(shares.argmax())
        said.append(f"**{words.literal(loaded.classes[best])}** ({words.percent(100 * float(shares[best]))})")
    st.markdown(f"{words.literal(picture.title)}: the intact net says {said[0]}, with the lesion {said[1]}.")


@st.cache_data(show_spinner=False)
def _kept() -> pd.DataFrame:
    return evidence.kept()


def _tables(choice: NetChoice) -> dict[str, tuple[str, pd.DataFrame]]:
    """The kept curves of the net and of its twin, by name."""
    kept, found = _kept(), {}
    for net in (choice, twin_of(choice, net_choices())):
        table = kept[kept["net"] == net.key] if net is not None else kept[:0]
        if net is not None and len(table):
            found[_short(net)] = (net.family, table)
    return found if (kept["net"] == choice.key).any() else {}


def _short(choice: NetChoice) -> str:
    return choice.title.split(",")[0]
