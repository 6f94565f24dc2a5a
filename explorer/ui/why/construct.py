"""The Construct page: build a deep net that keeps its answers, and see what training makes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from explorer.charts import words
from explorer.charts.architecture import Design, architecture, describe_design
from explorer.charts.construct import GOOD_PCT, HERE, STARTS, describe_starts, fates, from_starts
from explorer.charts.theme import Split
from explorer.evidence import construct
from explorer.nets.spec import NetSpec
from explorer.runs.net_catalogue import NetChoice
from explorer.ui.cached_runs import finals_on
from explorer.ui.components.figure import download_panel, draw
from explorer.ui.components.net_picker import PROBING, choose_net, opened
from explorer.ui.components.url_widgets import linked_switch
from explorer.ui.why.construct_training import curve_here, depth_to_show, offer_training
from explorer.ui.why.test_images import DIGITS, FIRST, data_of, images_for, usable_datasets

if TYPE_CHECKING:
    from explorer.nets.identity import Place
    from explorer.probes.construct import AnswerComparison

DEPTHS = (32, 56, 110, 302, 1202)
PLACES: dict[Place, str] = {"end": "end of each stage", "spread": "spread", "front": "behind the first block"}
HOW = f"""An identity block computes nothing new. In a plain net both its 3x3 kernels pass every channel on,
and each BN undoes itself: it scales by the deviation and shifts by the mean of what enters, over the training
images. ReLU changes nothing, since what it gets is not negative. In a residual net the branch's last BN has
scale and shift 0, so F(x) = 0. No weight of the net is changed.

In the chart a solution is a training error of at most {GOOD_PCT:g} %. Epoch 0 is the net before its first
step, asked about all training images in eval mode; later values are the batches of the epoch as they were
trained. Bands reach from the lowest to the highest seed."""
_LIMITS = """**What this does not show:** that depth helps. A built net is as good as the shallow one, and no
better. {deleted}{deep}"""
_COMMAND = "python -m explorer construct {net} {depth} --data {data} --train"


def choose_construction() -> tuple[NetChoice, int, Place]:
    """A shallow net, a depth and a place; the URL's `net`, `layers` and `place`.

    Raises:
        ValueError: there is no net that fits.
    """
    first, second, third = st.columns([5, 6, 7], vertical_alignment="bottom")
    with first:
        choice = choose_net(
            "Trained net", default=FIRST, families=("plain", "residual", "preact"),
            datasets=usable_datasets() | {""},
        )  # fmt: skip
    with second:
        titles = {str(depth): str(depth) for depth in DEPTHS}
        depth = linked_switch(
            "Layers of the built net", titles, "layers", default="56", help="6n+2 layers, up to 1202."
        )
    with third:
        place = linked_switch(
            "Identity blocks stand", {str(key): title for key, title in PLACES.items()}, "place",
            default="end", help="Where in each of the three stages they are put.",
        )  # fmt: skip
    return choice, int(depth), place  # type: ignore[return-value]  # one of the keys of PLACES


def construction_view(choice: NetChoice, depth: int, place: Place) -> None:
    """The built net drawn, a button that builds it, and what came out.

    Raises:
        ValueError: the net cannot be made that deep.
    """
    _draw_built(choice, depth, place)
    asked = (choice.key, depth, place)
    button, said = st.columns([3, 13], vertical_alignment="center")
    label = f"Build {depth} layers"
    if button.button(label, key="build", type="primary", icon=":material/construction:", width="stretch"):
        st.session_state["built"] = asked
    with said:
        if st.session_state.get("built") != asked:
            st.markdown("Hollow blocks are the identity. Build the net, and ask it about the same images.")
            return
        _tell(choice, depth, built(choice, depth, place))


@st.cache_resource(max_entries=24, show_spinner="Building the net and asking it, a few seconds…")
def built(choice: NetChoice, depth: int, place: Place) -> tuple[AnswerComparison, AnswerComparison, str]:
    """The shallow net against the built one, on test and on training images, and which these were.

    Raises:
        ValueError: the net cannot be made that deep.
    """
    from explorer.probes.construct import built_from, compared

    train, test = images_for(choice, "train"), images_for(choice, "test")
    loaded = opened(choice)
    with PROBING:
        made = built_from(loaded, depth, train, place)
    found = [compared(made.shallow, made.net, asked) for asked in (test, train)]
    return found[0], found[1], f"{test.source} and {len(train.labels):,} training images"


def training_view(choice: NetChoice, depth: int, place: Place) -> None:
    """Curves from four starts at one depth, what became of each, and the net above trained from here."""
    curves = pd.concat([all_curves(), curve_here(choice, depth, place)], ignore_index=True)
    starts = (*construct.STARTS, HERE)
    there = sorted(int(n) for n in curves.loc[curves["start"].isin(starts), "depth"].unique())
    if not there:
        st.info(f"Not measured yet. In a shell: `{construct.COMMAND}`")
        return
    if (just_trained := depth_to_show()) in there:
        st.session_state["trained"] = str(just_trained)
    left, right, _ = st.columns([3, 4, 9], vertical_alignment="bottom")
    with left:
        titles = {str(n): str(n) for n in there}
        near = str(min(there, key=lambda n: abs(n - depth)))
        shown = int(linked_switch("Layers trained", titles, "trained", default=near, help="On digits."))
    with right:
        split: Split = linked_switch(
            "Error", {"train": "training", "test": "test"}, "error", default="train",
            help="Training error tells whether the optimiser found a solution.",
        )  # type: ignore[assignment]  # fmt: skip
    chart = st.empty()

    def drawn(curves: pd.DataFrame, depth: int, key: str) -> None:
        with chart.container():
            draw(from_starts(curves, depth, split), key, describe_starts(curves, depth, split))

    drawn(curves, shown, "starts")
    offer_training(
        choice, depth, place,
        lambda own: drawn(pd.concat([curves, own], ignore_index=True), depth, f"starts-{len(own)}"),
    )  # fmt: skip
    st.markdown(f"**What became of a good solution at {shown} layers, on digits within 10 epochs:**")
    st.markdown(fates(curves, shown))
    st.markdown(_limits())
    here = curves[curves["depth"] == shown]
    download_panel(lambda: here, lambda: from_starts(curves, shown, split), f"starts-{shown}")
    st.markdown("**The same in a shell**, where every epoch's errors are printed:")
    st.code(_COMMAND.format(net=choice.key, depth=depth, data=data_of(choice)), language="sh")


@st.cache_data(show_spinner=False)
def all_curves() -> pd.DataFrame:
    """The kept curves beside those of the zoo."""
    return pd.concat([construct.usual(), construct.kept()], ignore_index=True)


def sources() -> str:
    """Where the numbers come from, as Markdown."""
    about = construct.kept().attrs
    if not about:
        return f"Not measured yet. In a shell: `{construct.COMMAND}`"
    return (
        "Errors and logits of a built net: computed on this machine when you press the button. Curves: "
        "digits (1,437 images to train on, 360 to test), 10 epochs of the default recipe, peak learning rate "
        "0.03. "
        "The usual start and the residual twin are the zoo's runs, seeds 0 to 2; the built nets were trained "
        f"by `{construct.COMMAND}`, seeds as their bands say, commit {about['commit']}, torch "
        f"{about['versions']['torch']}, {about['hardware']}. The plain-20 that they were built from has the "
        "same seed; the untrained one was given BN statistics of the training images, and nothing else."
    )


def _draw_built(choice: NetChoice, depth: int, place: Place) -> None:
    title, family, parts, inserted = drawing(choice, depth, place)
    design = Design(title, family, parts, marked=frozenset(f"block {number + 1}" for number in inserted))
    st.markdown(f"**{title}**: {len(inserted)} of its {(parts['stage'] > 0).sum()} blocks are put in")
    draw(architecture(design), "built-net", describe_design(design))


@st.cache_resource(max_entries=24, show_spinner=False)
def drawing(choice: NetChoice, depth: int, place: Place) -> tuple[str, str, pd.DataFrame, tuple[int, ...]]:
    """Title, family, parts and inserted blocks of the net that would be built; no weight is made."""
    from explorer.nets.cost_measured import block_costs, design_of
    from explorer.nets.identity import inserted_blocks

    spec = design_of(opened(choice).net)
    if not isinstance(spec, NetSpec):
        raise ValueError(
            f"{choice.title} is not of the CIFAR design. Choose a plain or residual net that is."
        )
    deeper, inserted = inserted_blocks(spec, depth, place)
    return deeper.title, spec.family, block_costs(deeper, choice.image_size), inserted


def _tell(choice: NetChoice, depth: int, found: tuple[AnswerComparison, AnswerComparison, str]) -> None:
    test, train, source = found
    same = "the same answer to every image" if not test.changed + train.changed else (
        f"another answer to {test.changed + train.changed} images"
    )  # fmt: skip
    change = max(test.largest_change, train.largest_change)
    st.markdown(
        f"**Built, and it gives {same}:** training error {words.percent(train.before_pct)} before and "
        f"{words.percent(train.after_pct)} at {depth} layers, test error {words.percent(test.before_pct)} "
        f"and {words.percent(test.after_pct)}; no logit moves by more than {change:.1g}. "
        f"{_beside(choice, depth)}"
    )
    st.caption(f"Asked: {source}.")


def _beside(choice: NetChoice, depth: int) -> str:
    """What training from the usual start makes of that depth, where the zoo has tried."""
    if choice.dataset not in (DIGITS, "cifar10-jpeg"):
        return ""
    finals = finals_on(choice.dataset)
    here = finals[
        (finals["family"] == choice.family) & (finals["depth"] == depth) & (finals["split"] == "train")
    ]
    if here.empty:
        return ""
    row = here.iloc[0]
    said = words.with_spread(row["mean"], row["low"], row["high"], int(row["seeds"]))
    return f"Trained from the usual start, the zoo's nets of that depth end at {said} training error."


def _limits() -> str:
    table = construct.kept()
    last = table.dropna(subset=["without_inserted_pct"])
    part = last[(last["depth"] == construct.DEPTHS[0]) & (last["start"] == "trained")]
    deleted = ""
    if len(part):
        low, high = part["without_inserted_pct"].min(), part["without_inserted_pct"].max()
        least = part["without_other_pct"].min()
        deleted = (
            f"The blocks put into plain-{construct.DEPTHS[0]} stay near the identity: with one of them "
            f"removed after training the median test error is {low:.1f} to {high:.1f} %, with one of the "
            f"others at least {least:.1f} %. "
        )
    return _LIMITS.format(deleted=deleted, deep=_too_deep(last))


def _too_deep(last: pd.DataFrame) -> str:
    """The deepest net tried, where it did not train."""
    deepest = last[last["depth"] == last["depth"].max()]
    failed = deepest[deepest["train_error_pct"] > GOOD_PCT]
    if failed.empty:
        return ""
    said = words.listed(
        [
            f"{STARTS[row.start].words.format(depth=row.depth)} ends at {words.percent(row.train_error_pct)}"
            f" (seed {row.seed})"
            for row in failed.itertuples(index=False)
        ]
    )
    return f"There is a limit: {said} training error."
