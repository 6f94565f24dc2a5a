"""The Very deep page: what passes through a thousand layers, what they cost, and whether they overfit."""

from __future__ import annotations

import math

import pandas as pd
import streamlit as st

from explorer.analysis import claims, gradients, vanishing
from explorer.analysis.overfitting import finals_by_regulariser, helped_sentence, overfitting_sentence
from explorer.charts.overfitting import describe_overfitting, overfitting
from explorer.charts.very_deep import describe_passing, describe_stacks, passing, stacks
from explorer.evidence import signal_propagation
from explorer.nets.cost_formula import checkpointed_memory_mib, totals, training_memory_mib
from explorer.nets.spec import NetSpec
from explorer.ui.cached_runs import dataset_title, evidence, library, twin_datasets, vanishing_facts
from explorer.ui.components.figure import download_panel, draw
from explorer.ui.components.url_widgets import settle_number
from explorer.ui.menu import GRADIENTS, link_to
from explorer.ui.url_parameters import Choice, bound, declare

_DEEP = declare(Choice("deep"))
SMALL = "digits-small"
DEPTHS = (*signal_propagation.DEPTHS[:-1], 1001, signal_propagation.DEPTHS[-1])
_BATCH = 128
_STD = (-1.0, 2.0)
QUESTION = """The paper's net of 1202 layers trains as well as the one of 110, and is worse in the test:
7.93 % against 6.43 %. The authors blame overfitting (section 4.2). Here the question is asked on a
smaller scale: 200 digits to train on, all 360 to test."""
HOW = """Signal and gradient (that of the loss in each block's weights) are read in one forward and one
backward pass through untrained nets, BN with batch statistics as in training, in double precision: in
single precision the plain nets of 1001 and 1202 layers overflow on the way back. The bands reach from the
lowest to the highest of three seeds, the lines are means; the sentence compares medians. In the chart of
errors bold lines are the test, dashed ones training."""
SOURCES = """Signal: 16 digits (scikit-learn), seeds 0 to 2, `python -m explorer zoo signal`; one net:
`python -m explorer probe signal plain-1202`. Errors: `python -m explorer zoo build --dataset
digits-small`, 25 epochs of 4 steps of 50 images, peak learning rate 0.01, seeds 0 to 2 (302 layers: 0
and 1); stochastic depth with a last survival of 0.5 (Huang et al. 2016), dropout of 0.3 between
convolutions. One test image is 0.28 points. Both regularisers can be set for any run: `python -m
explorer train residual-302 --survival 0.5 --dropout 0.3`."""
_COSTS = """Counted for 32x32 colour images. Memory: estimates for training, fp32, batch 128; what a CPU
took was within 20 % of them from 20 to 1202 layers. Checkpointing keeps each block's input and computes
its inside again. A step's time grows in proportion to the layers (`python benchmarks/depth.py`)."""


@st.cache_data(show_spinner=False)
def kept_signal() -> pd.DataFrame:
    """The measurement that comes with the explorer."""
    return signal_propagation.kept()


@st.cache_data(ttl=30, show_spinner=False)
def finals() -> pd.DataFrame:
    """Final errors of the small zoo, by regulariser."""
    return finals_by_regulariser(library().runs(), SMALL)


def choose_depth() -> int:
    """One of the depths measured; the URL's `deep`."""
    titles = [str(depth) for depth in DEPTHS]
    settle_number("deep", DEPTHS, "No net of {} layers was measured")
    chosen = st.segmented_control(
        "Layers", titles, default=titles[-1], **bound(_DEEP, options=titles),
        help="1001 layers are bottlenecks, 9n+2 deep; the others are basic blocks, 6n+2 deep.",
    )  # fmt: skip
    return int(chosen) if chosen in titles else DEPTHS[-1]


def nets_of(depth: int) -> tuple[str, ...]:
    """Ids of the plain, residual and pre-activation net of that depth."""
    return tuple(f"{family}-{depth}{_kind(depth)}" for family in signal_propagation.FAMILIES)


def show_signal(measured: pd.DataFrame, depth: int) -> None:
    """Forward std and gradient norm through all blocks, side by side, and one sentence."""
    left, right = st.columns(2, gap="medium")
    top = measured["gradient_norm"].max()
    axis_range = (-4.0, max(2.0, math.ceil(math.log10(top)) + 1.0) if top > 0 else 2.0)
    with left:
        st.markdown(f"**Signal: standard deviation after each block**, {depth} layers")
        axis = "standard deviation (log)"
        said = describe_passing(measured, "output_std", axis)
        draw(passing(measured, "output_std", axis, _STD), "signal", said)
    with right:
        st.markdown(f"**Gradient: norm in each block's weights**, {depth} layers")
        axis = "gradient norm (log)"
        said = describe_passing(measured, "gradient_norm", axis)
        figure = passing(measured, "gradient_norm", axis, axis_range)
        draw(figure, "gradient", said)
    for sentence in signal_sentences(measured, depth):
        st.markdown(sentence)
    link_to(GRADIENTS, "See it measured")
    download_panel(lambda: measured, lambda: figure, f"signal-{depth}")


def signal_sentences(measured: pd.DataFrame, depth: int) -> list[str]:
    """What passes through untrained nets of that depth, and what became of gradients in trained ones."""
    nothing = pd.DataFrame(columns=["run_id", "id", "epoch", "block", "gradient_norm"])
    found = gradients.measured(nothing, nothing, measured)
    said = [
        gradients.untrained_sentence(found, list(nets_of(depth))),
        gradients.signal_sentence(measured),
        vanishing.answer(vanishing_facts()),
    ]
    datasets = twin_datasets()
    if datasets:
        judged = claims.judge("gradients", evidence(datasets[0])).judged
        title = dataset_title(datasets[0])
        said.append(f"Trained nets on {title}: {claims.sentence('gradients', judged)}")
    return [sentence for sentence in said if sentence]


def show_stacks() -> None:
    """All nets to scale, and what each costs."""
    specs = [NetSpec.parse(nets_of(depth)[1]) for depth in DEPTHS]
    shape = pd.DataFrame(
        {
            "depth": [spec.depth for spec in specs],
            "blocks_per_stage": [spec.blocks_per_stage for spec in specs],
            "layers_per_block": [(spec.depth - 2) // (3 * spec.blocks_per_stage) for spec in specs],
        }
    )
    draw(stacks(shape), "stacks", describe_stacks(shape))
    st.dataframe(costs(specs), hide_index=True, width="stretch")
    st.caption(_COSTS)


def costs(specs: list[NetSpec]) -> pd.DataFrame:
    """What each net costs, in units that fit a table."""
    found = [totals(spec) for spec in specs]
    memory, less = (
        [round(estimate(spec, 32, _BATCH) / 1024, 1) for spec in specs]
        for estimate in (training_memory_mib, checkpointed_memory_mib)
    )
    return pd.DataFrame(
        {
            "net": [spec.title for spec in specs],
            "blocks": [3 * spec.blocks_per_stage for spec in specs],
            "parameters (million)": [round(one.parameters / 1e6, 2) for one in found],
            "multiply-adds (million)": [round(one.macs / 1e6, 1) for one in found],
            "memory (GiB)": memory,
            "with checkpointing (GiB)": less,
        }
    )


def show_overfitting() -> None:
    """Errors against depth on 200 images, with and without regularisers, and sentences computed from them."""
    table = finals()
    if table.empty:
        st.info(f"Not measured yet. In a shell: `python -m explorer zoo build --dataset {SMALL}`")
        return
    draw(overfitting(table), "overfitting", describe_overfitting(table))
    st.markdown(overfitting_sentence(table))
    others = [name for name in table["regulariser"].unique() if name]
    for regulariser in others:
        st.markdown(f"{overfitting_sentence(table, regulariser)} {helped_sentence(table, regulariser)}")
    download_panel(lambda: table, lambda: overfitting(table), "overfitting")


def _kind(depth: int) -> str:
    return "-bottleneck" if depth == 1001 else ""


def signal_of(depth: int) -> pd.DataFrame:
    """The kept measurement of one depth."""
    table = kept_signal()
    return table[table["net"].isin(nets_of(depth))]
