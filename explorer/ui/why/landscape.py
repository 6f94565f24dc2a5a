"""The Landscape page: loss and error around twins on one scale, trajectories of training, any other net."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from explorer.analysis import landscape as said
from explorer.analysis.gradients import magnitude
from explorer.charts import landscape as charts
from explorer.charts.landscape import Quantity
from explorer.evidence import landscape as evidence
from explorer.runs.net_catalogue import NetChoice
from explorer.ui.components.computation import run_cancellable
from explorer.ui.components.figure import download_panel, draw
from explorer.ui.components.net_picker import PROBING, choose_epoch, choose_net, opened
from explorer.ui.components.url_widgets import linked_switch
from explorer.ui.why.test_images import usable_datasets

if TYPE_CHECKING:
    from explorer.probes.landscape import Grid, Statistics

_TITLES = {
    "residual-20": "ResNet-20",
    "plain-20": "plain-20",
    "residual-56": "ResNet-56",
    "plain-56": "plain-56, usual start",
    evidence.BUILT: "plain-56, built and trained",
}
_BY_DEPTH = {20: ("residual-20", "plain-20"), 56: ("residual-56", evidence.BUILT, "plain-56")}
_QUANTITIES = {"loss": "loss", "error_pct": "error"}
_VIEWS = {"flat": "contour lines", "surface": "3-D"}
_NORMS = {"batch": "of these images", "running": "of training"}
_OPEN = "open-landscapes"
_MOST_OPEN = 4
ONE_SLICE = """One slice proves nothing: it is two directions out of hundreds of thousands. Choose other ones;
only what holds in all of them is worth a sentence."""
HOW = f"""**Axes.** Both directions are Gaussian noise. Each filter of a direction, and each row of the
read-out, has the norm of the net's own (Li et al. 2018): 1 is as far as the filter is long, so nets of other
scales can be compared. Biases, and BN's scales and shifts, stay where they are.

**Values.** Mean cross-entropy and error of {evidence.IMAGES} training images, class-balanced; of larger
pictures {evidence.IMAGES_IF_LARGE}. Colours have one scale for all nets; losses of
{charts.LOSS_ENDS[1]:g} and more are drawn as {charts.LOSS_ENDS[1]:g}, those below {charts.LOSS_ENDS[0]:g} as
that. Guessing among ten classes gives {said.GUESSING:.2f}.

**BN** works with the statistics of these images, as in training. With the running statistics of training, as
in the published code, a moved net is given means and deviations of another one, and the loss is of that
mismatch before it is of the weights.

**The built twin** is plain-20, untrained, with identity blocks up to 56 layers, and then trained like the
others. It is the fair comparison at 56 layers: a plain net of that depth that did learn.

**Ray:** from the middle along an axis or a diagonal, read every tenth of a length."""


def choose_slice() -> tuple[int, Quantity, str, Statistics]:
    """Depth, quantity, directions and statistics; the URL's `layers`, `value`, `directions` and `bn`."""
    first, second, third, fourth = st.columns([3, 4, 4, 6], vertical_alignment="bottom")
    with first:
        depths = {str(depth): str(depth) for depth in evidence.DEPTHS}
        depth = linked_switch("Layers", depths, "layers", default="56", help="Of the twins.")
    with second:
        images = f"Of {evidence.IMAGES} training images."
        value = linked_switch("Height", _QUANTITIES, "value", default="loss", help=images)
    with third:
        seeds = {str(seed): str(seed + 1) for seed in evidence.DIRECTIONS}
        seed = linked_switch("Directions", seeds, "directions", default="0", help="Pairs of random ones.")
    with fourth:
        norm = linked_switch(
            "BN statistics", _NORMS, "bn", default="batch",
            help="Those of training no longer fit once the weights have moved: then the picture misleads.",
        )  # fmt: skip
    return int(depth), value, seed, norm  # type: ignore[return-value]  # keys of the tables above


def twins_view(depth: int, quantity: Quantity, seed: str, statistics: Statistics) -> None:
    """The kept slices around twins side by side, and what they say over all pairs of directions."""
    table = _kept()
    slices = {net: evidence.grid_of(table, net, seed, statistics) for net in _BY_DEPTH[depth]}
    slices = {net: grid for net, grid in slices.items() if len(grid)}
    if statistics == "running":
        st.warning(_misleads(slices), icon=":material/warning:")
    if not slices:
        st.info(
            "These slices are not kept: running statistics are kept for the first pair of directions alone. "
            f"Below any net can be measured; in a shell: `{evidence.COMMAND}`"
        )
        return
    view = linked_switch("View", _VIEWS, "view", default="flat", help="3-D can be turned.")
    for column, (net, grid) in zip(st.columns(len(slices), gap="small"), slices.items(), strict=True):
        with column:
            st.markdown(f"**{_TITLES[net]}**")
            alt = charts.describe(_TITLES[net], grid, quantity)
            draw(_figure(grid, quantity, view), f"slice-{net}", alt)
    if statistics == "batch":
        st.markdown(_sentences(table, depth))
    st.caption(ONE_SLICE)
    every = pd.concat(slices.values(), ignore_index=True)
    first = next(iter(slices.values()))
    download_panel(lambda: every, lambda: _figure(first, quantity, view), f"landscape-{depth}-{seed}")


def trajectory_view(depth: int, quantity: Quantity) -> None:
    """The plane that holds most of training's trajectory, with the trajectory on it, of each twin."""
    trajectories, table = _kept_trajectories(), _kept()
    there = [net for net in _BY_DEPTH[depth] if (trajectories["net"] == net).any()]
    if not there:
        st.info(f"Not measured yet. In a shell: `{evidence.COMMAND}`")
        return
    lines = []
    for column, net in zip(st.columns(len(there), gap="small"), there, strict=True):
        trajectory, grid = (
            trajectories[trajectories["net"] == net],
            evidence.grid_of(table, net, evidence.TRAJECTORY),
        )
        with column:
            st.markdown(f"**{_TITLES[net]}**")
            line = said.trajectory_sentence(_TITLES[net], trajectory, _by_chance(len(trajectory)))
            draw(charts.contour(grid, quantity, trajectory), f"trajectory-{net}", line.replace("*", ""))
        lines.append(f"- {line}")
    st.markdown("\n".join(lines))
    st.caption(
        "A point is an epoch; training ends at 0, 0. Axes are distances in weights, of another "
        "scale for each net. The nets were trained for this as the zoo's are, seed 0, their weights kept "
        "after every epoch; the plane goes through the last ones. All parameters move on it, those of BN too."
    )


def own_view(quantity: Quantity, seed: str, statistics: Statistics) -> None:
    """A slice around any net, measured here once it is asked for; a stopped one goes on."""
    left, right, _ = st.columns([7, 4, 5], vertical_alignment="bottom")
    with left:
        choice = choose_epoch(
            choose_net(default=evidence.choice_of("residual-20").key, datasets=usable_datasets())
        )
    side = evidence.COARSE
    asked = (choice.key, seed, statistics)
    if right.button(f"Measure {side} x {side} points", key="landscape-go", type="primary",
                    icon=":material/play_arrow:"):  # fmt: skip
        st.session_state["landscape-asked"] = asked
    if st.session_state.get("landscape-asked") != asked:
        st.markdown(
            f"{side * side} nets are asked about the same images: at 20 layers some 7 s on one core, at 56 "
            "some 20 s. Directions and BN statistics are those chosen above."
        )
        return
    grid = run_cancellable(
        ("landscape", choice, seed, statistics), f"Landscape of {choice.title}",
        lambda told: _measured(choice, seed, statistics, told),
    )  # fmt: skip
    title = choice.title.split(",")[0]
    if grid is None:
        done = _open_grid(asked).done
        st.markdown(f"{done} of {side * side} points are kept: computing it goes on from there.")
        return
    table = evidence.as_table(grid)
    drawn, told = st.columns([3, 2], gap="medium", vertical_alignment="center")
    with drawn:
        draw(charts.contour(table, quantity), "own-slice", charts.describe(title, table, quantity))
    told.markdown(said.around(title, [said.facts(table)]))
    download_panel(lambda: table, lambda: charts.contour(table, quantity), f"landscape-{seed}")


def sources() -> str:
    """Where the numbers come from, as Markdown."""
    about = _kept().attrs
    if not about:
        return f"Not measured yet. In a shell: `{evidence.COMMAND}`"
    return (
        "Digits (scikit-learn), the zoo's nets of seed 0 and the twin built by identity: "
        f"`{evidence.COMMAND}`, commit {about['commit']}, torch {about['versions']['torch']}, "
        f"{about['hardware']}. Slices of batch statistics have 41 x 41 points, everything else 21 x 21. "
        "One net in a shell: `python -m explorer probe "
        "landscape residual-20 --seed 1`; the twin: `python -m explorer probe landscape "
        f"pretrained/{evidence.BUILT_FILE}`."
    )


def _measured(choice: NetChoice, seed: str, statistics: Statistics, told: Callable[[float], None]) -> Grid:
    from explorer.probes.landscape import fill, random_plane
    from explorer.probes.replica import replica

    loaded = opened(choice)
    with PROBING:  # nobody's hooks are copied
        net = replica(loaded.net)
    seen = evidence.images_of(loaded, choice.dataset)
    grid = _open_grid((choice.key, seed, statistics))
    fill(net, random_plane(net, int(seed)), grid, seen.images, seen.labels, statistics=statistics, told=told)
    return grid


def _open_grid(asked: tuple[str, str, str]) -> Grid:
    """What this session has of a slice; the last few are kept, so that a stopped one can go on."""
    from explorer.probes.landscape import square

    grids: dict[tuple[str, str, str], Grid] = st.session_state.setdefault(_OPEN, {})
    grid = grids.pop(asked, None) or square(evidence.COARSE)
    grids[asked] = grid
    while len(grids) > _MOST_OPEN:
        del grids[next(iter(grids))]
    return grid


@st.cache_data(show_spinner=False)
def _kept() -> pd.DataFrame:
    return evidence.kept()


@st.cache_data(show_spinner=False)
def _kept_trajectories() -> pd.DataFrame:
    return evidence.kept_trajectories()


@st.cache_data(show_spinner=False)
def _by_chance(states: int) -> list[float]:
    from explorer.probes.landscape import random_walk_shares

    return random_walk_shares(states)


def _figure(grid: pd.DataFrame, quantity: Quantity, view: str) -> go.Figure:
    return charts.surface(grid, quantity) if view == "surface" else charts.contour(grid, quantity)


@st.cache_data(show_spinner=False)
def _facts(net: str) -> list[said.Facts]:
    """Of every pair of directions that is kept, with batch statistics."""
    return said.by_seed(
        {str(seed): evidence.grid_of(_kept(), net, str(seed)) for seed in evidence.DIRECTIONS}
    )


def _sentences(table: pd.DataFrame, depth: int) -> str:
    found = {net: _facts(net) for net in _BY_DEPTH[depth] if (table["net"] == net).any()}
    lines = [f"- {said.around(_TITLES[net], facts)}" for net, facts in found.items()]
    pairs = max(len(facts) for facts in found.values())
    together = said.compared(
        found.get(f"residual-{depth}", []), found.get(f"plain-{depth}", []),
        found.get(evidence.BUILT, []) if depth == 56 else [],
    )  # fmt: skip
    return f"Over {pairs} pairs of directions:\n\n" + "\n".join(lines) + f"\n\n{together}"


def _misleads(slices: dict[str, pd.DataFrame]) -> str:
    top = max((float(grid["loss"].max()) for grid in slices.values()), default=float("nan"))
    high = f" Here the loss goes up to {magnitude(top)}." if slices else ""
    return (
        "Running statistics mislead: they were measured at the trained weights, and a net that was moved "
        f"makes other means and deviations. What is drawn is mostly that mismatch.{high}"
    )
