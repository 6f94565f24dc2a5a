"""The Gradients page: agreement of two batches, sizes of gradients, and their change along a line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from explorer.analysis import claims, vanishing
from explorer.analysis.aggregates import Final
from explorer.charts import gradients as charts
from explorer.evidence import gradients as evidence
from explorer.runs.net_catalogue import NetChoice
from explorer.ui.cached_runs import dataset_title, twin_datasets, vanishing_facts
from explorer.ui.cached_runs import evidence as evidence_of
from explorer.ui.components.computation import run_cancellable
from explorer.ui.components.figure import download_panel, draw
from explorer.ui.components.net_picker import choose_net, opened
from explorer.ui.components.url_widgets import linked_switch
from explorer.ui.why.test_images import DIGITS, images_for, usable_datasets

if TYPE_CHECKING:
    from explorer.probes.agreement import Batch

ASKED = "agreement-asked"
_BATCH = 128
_NORMS = {"norm": "at each block's output", "weights_norm": "in each block's weights"}
_MOMENTS = {0: "untrained", 1: "1 epoch", 2: "2 epochs"}
HOW = """**Agreement.** Six batches of 128 training digits that share no image; the loss's gradient in
all convolutions of a block, BN with each batch's statistics, in float64; the cosine of two batches'
gradients, mean over all 15 pairs. At 1 both batches ask for the same step, at 0 for steps that have
nothing to do with each other. The arrows show the mean over the blocks. Near a zero loss agreement
falls for every net, so it is shown for the first epochs alone.

**Size.** Euclidean norm of the loss's gradient for one batch, divided by the last block's. A line is
the median of the seeds, a band reaches from the lowest to the highest.

**A healthy size.** Before every step each tensor's gradient is scaled to 0.3 of its weights' norm, so
that no layer's step vanishes or explodes; momentum, learning rate and everything else as usual.
Clipping scales all gradients together to a norm of at most 1."""


def answer() -> str:
    """The one answer to whether gradients vanish, for every page that asks; empty where nothing is kept."""
    return vanishing.answer(vanishing_facts())


def choose_moment() -> tuple[int, int]:
    """A depth and an epoch of the kept measurement; the URL's `layers` and `moment`."""
    left, right, _ = st.columns([4, 6, 6], vertical_alignment="bottom")
    with left:
        depth = linked_switch(
            "Layers", {str(depth): str(depth) for depth in evidence.DEPTHS}, "layers", default="56",
            help="Of the plain and the residual net, which are twins.",
        )  # fmt: skip
    with right:
        moment = linked_switch(
            "Measured", {str(epoch): title for epoch, title in _MOMENTS.items()}, "moment", default="0",
            help="Before training, or after so many of 10 epochs.",
        )  # fmt: skip
    return int(depth), int(moment)


def agreement_view(depth: int, epoch: int) -> None:
    """Arrows, agreement by block and by depth, and the button that measures again."""
    table = vanishing_facts().agreement
    if table.empty:
        st.info(f"Not measured yet. In a shell: `{evidence.COMMAND}`")
        return
    extra = _measured_now(depth)
    means = vanishing.agreements(table, epoch)
    left, right = st.columns([2, 3], gap="medium")
    with left:
        st.markdown("**The steps that two batches ask for**")
        angles = _angles(means, depth) | {
            name: (family, vanishing.angle(float(found["cosine"].mean())))
            for name, (family, found) in extra.items()
        }
        draw(charts.arrows(angles), "arrows", charts.describe_arrows(angles))
        st.caption("At 90° nothing is shared: what helps one batch does nothing for the other.")
    with right:
        st.markdown(f"**Agreement in each block**, {depth} layers, {_MOMENTS[epoch]}")
        here = table[(table["epoch"] == epoch) & (table["start"] == evidence.USUAL)]
        figure = charts.agreement_by_block(here, depth, extra)
        draw(figure, "agreement-by-block", _said(means, depth))
    st.markdown(f"{vanishing.agreement_sentence(table, depth, epoch)} {vanishing.caveat(vanishing_facts())}")
    for name, (_, found) in extra.items():
        st.markdown(f"Measured here, {name}: mean over the blocks **{found['cosine'].mean():.3f}**.")
    st.markdown(answer())
    _offer_measuring(depth)
    by_depth = {net: (one.mean, one.low, one.high) for net, one in means.items()}
    with st.expander("Agreement against depth", on_change="rerun", key="by-depth") as box:
        if box.open:
            draw(charts.agreement_by_depth(by_depth), "agreement-by-depth", _said(means, None))
    download_panel(lambda: here[here["net"].str.endswith(f"-{depth}")], lambda: figure, f"agreement-{depth}")


def sizes_view(depth: int) -> None:
    """Sizes by block at a step and over the steps, what the paper and theory say, and forced sizes."""
    kept = vanishing_facts()
    if kept.sizes.empty:
        st.info(f"Not measured yet. In a shell: `{evidence.COMMAND}`")
        return
    first, second, _ = st.columns([6, 8, 3], vertical_alignment="bottom")
    with first:
        titles = {str(step): str(step) if step else "untrained" for step in (0, 1, 11, 110)}
        step = int(linked_switch("Steps of training", titles, "step", default="0", help="11 are an epoch."))
    with second:
        norm = linked_switch("Norm of the gradient", _NORMS, "norm", default="norm",
                             help="The claims of the Paper page are judged in the weights.")  # fmt: skip
    over = _over_steps(kept.sizes, depth, norm)
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown(f"**Size {_NORMS[norm]}**, {depth} layers, {titles[str(step)]}")
        here = kept.sizes[kept.sizes["step"] == step]
        figure = charts.sizes_by_block(here, depth, norm)
        draw(figure, "sizes-by-block", charts.describe_ratios(over, f"Gradient norm {_NORMS[norm]}"))
    with right:
        st.markdown(f"**First block over last, while training**, {depth} layers")
        draw(charts.ratio_over_steps(over), "over-steps", charts.describe_ratios(over, "Gradient norm"))
    st.markdown(vanishing.reconciled(kept))
    _forced_view(kept.forced)
    st.markdown(_verdict())
    download_panel(lambda: here[here["net"].str.endswith(f"-{depth}")], lambda: figure, f"sizes-{depth}")


def sources() -> str:
    """Where the numbers come from, as Markdown."""
    about = vanishing_facts().agreement.attrs
    if not about:
        return f"Not measured yet. In a shell: `{evidence.COMMAND}`"
    return (
        "Digits (scikit-learn): 1,437 images to train on, 360 to test. Nets trained as the zoo's, 10 "
        "epochs, peak learning rate 0.03, and read on the way; seeds as the sentences name them, "
        "plain-110 with sized steps seed 0. Paths: the zoo's residual nets, seed 0, 32 test images; "
        "sampled as in Veit et al. 2016 with 10 paths a length, 4 at 110 layers. Untrained nets read "
        "along a line or by paths were given BN statistics of 512 training images. All of it: "
        f"`{evidence.COMMAND}`, commit {about['commit']}, torch {about['versions']['torch']}, "
        f"{about['hardware']}. One net in a shell: `python -m explorer probe agreement "
        "untrained:plain-56`, `probe sizes plain-20`, `probe paths residual-110`."
    )


def _angles(means: Mapping[str, Final], depth: int) -> dict[str, tuple[str, float]]:
    from explorer.charts.theme import net_title

    return {
        net_title(family, depth): (family, vanishing.angle(means[f"{family}-{depth}"].mean))
        for family in evidence.FAMILIES
        if f"{family}-{depth}" in means
    }


def _said(means: Mapping[str, Final], depth: int | None) -> str:
    said = [
        f"{net} {one.mean:.3f}" for net, one in means.items() if depth is None or net.endswith(f"-{depth}")
    ]
    return f"Mean cosine of two batches' gradients: {'; '.join(said)}."


def _offer_measuring(depth: int) -> None:
    """Buttons that measure twins of another seed, or a net of the visitor's."""
    with st.expander("Measure it on this machine", on_change="rerun", key="measure-here") as box:
        if not box.open:
            return
        number, first, _ = st.columns([2, 6, 8], vertical_alignment="bottom")
        seed = number.number_input("Seed", 0, 10_000, 3, key="agreement-seed", persist_state="session",
                                   help="Of the weights and of the batches.")  # fmt: skip
        if first.button(f"Measure untrained twins of {depth} layers", key="measure-twins",
                        icon=":material/play_arrow:"):  # fmt: skip
            st.session_state[ASKED] = ("twins", depth, int(seed))
            st.rerun()
        left, right, _ = st.columns([7, 4, 5], vertical_alignment="bottom")
        with left:
            choice = choose_net("Or a net of yours", datasets=usable_datasets(),
                                default="digits-residual-20-s0")  # fmt: skip
        if right.button("Measure this net", key="measure-net", icon=":material/play_arrow:"):
            st.session_state[ASKED] = ("net", choice, 0)
            st.rerun()


def _measured_now(depth: int) -> dict[str, tuple[str, pd.DataFrame]]:
    """By name what was asked for: family and agreement by block; computed with a bar and a stop."""
    asked = st.session_state.get(ASKED)
    if asked is None or (asked[0] == "twins" and asked[1] != depth):
        return {}
    if asked[0] == "net":
        choice = asked[1]
        found = run_cancellable(
            ("agreement", choice), f"Agreement in {choice.title}", lambda told: _of_net(choice, told)
        )
        return {} if found is None else {choice.title.split(",")[0] + ", yours": (choice.family, found)}
    measured = {}
    for family in evidence.FAMILIES:
        net, seed = f"{family}-{depth}", int(asked[2])
        work = partial(_of_untrained, net, seed)
        table = run_cancellable(("agreement", net, seed), f"Agreement in {net}, seed {seed}", work)
        if table is not None:
            measured[f"{net}, seed {seed}"] = (family, table)
    return measured


def _of_net(choice: NetChoice, told: Callable[[float], None]) -> pd.DataFrame:
    from explorer.probes.agreement import agreement, disjoint_batches

    train = images_for(choice, "train")
    size = min(_BATCH, len(train.labels) // 6)
    net = opened(choice).net
    return agreement(net, disjoint_batches(train.images, train.labels, size=size), told)


def _of_untrained(net: str, seed: int, told: Callable[[float], None]) -> pd.DataFrame:
    from explorer.nets.build import build
    from explorer.nets.spec import NetSpec
    from explorer.probes.agreement import agreement

    return agreement(build(NetSpec.parse(net, in_channels=1), seed), _digit_batches(seed), told)


def _digit_batches(seed: int) -> list[Batch]:
    from explorer.probes.agreement import disjoint_batches

    trainer = evidence.trainer_of("plain-8", 0)
    images = trainer.train_images
    return disjoint_batches(images.normalised(slice(None)), images.labels, seed=seed)


def _over_steps(table: pd.DataFrame, depth: int, norm: str) -> dict[str, dict[int, float]]:
    """By net of one depth and by step the first block's norm over the last one's, median of the seeds."""
    found: dict[str, dict[int, float]] = {f"{family}-{depth}": {} for family in evidence.FAMILIES}
    for step in evidence.STEPS:
        for net, ratio in vanishing.ratios(table, step, norm).items():
            if net in found:
                found[net][step] = ratio
    return {net: by_step for net, by_step in found.items() if by_step}


def _forced_view(table: pd.DataFrame) -> None:
    if table.empty:
        return
    st.markdown("**Is it their size? Give every step a healthy one, and train**")
    left, right = st.columns(2, gap="medium")
    every = pd.concat([_usual(), table], ignore_index=True)
    for column, net in ((left, f"plain-{vanishing.DEEP}"), (right, f"residual-{vanishing.DEEP}")):
        with column:
            st.markdown(f"{net.replace('residual', 'ResNet')}, training error by epoch")
            said = f"Training error of {net} over the epochs. {vanishing.forced_sentence(table)}"
            draw(charts.forced_curves(every, net), f"forced-{net}", said)
    st.markdown(vanishing.forced_sentence(table))


@st.cache_data(show_spinner=False)
def _usual() -> pd.DataFrame:
    return evidence.usual(("plain-56", "residual-56"))


def _verdict() -> str:
    """The paper's claim on gradients, judged on the dataset of the zoo with most depths."""
    there = twin_datasets()
    dataset = DIGITS if DIGITS in there else next(iter(there), "")
    if not dataset:
        return ""
    judged = claims.judge("gradients", evidence_of(dataset)).judged
    return f"The paper's claim on {dataset_title(dataset)}: {claims.sentence('gradients', judged)}"
