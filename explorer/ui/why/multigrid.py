"""The Multigrid page: smoothing against V-cycles, and one descent with two sets of knobs."""

from __future__ import annotations

import numpy as np
import streamlit as st

from explorer.charts import multigrid as charts
from explorer.charts import words
from explorer.evidence import multigrid
from explorer.ui.cached_runs import library, runs_on, twin_datasets
from explorer.ui.components.figure import draw
from explorer.ui.components.url_widgets import linked_switch

_CYCLES, _STEPS = 12, 100
ANALOGY = """**It is an analogy.** A coarse solution plus corrections: the corrections are small, zero is a
good first guess for them, and the same descent gets there sooner. A residual block writes its output as
input plus correction for that reason. But a net's blocks are not grids, a net is not linear, and nobody
solves it level by level."""
HOW = """The equation is -u'' = f on a line, u = 0 at both ends, the simplest model of what He et al.
(2015) cite: Multigrid and hierarchical bases. A sweep of weighted Jacobi (weight 2/3) lets every point see
its two neighbours, so it removes what changes from point to point and hardly touches what is smooth. A
V-cycle asks a grid of every second point for a correction to what is left, which asks the next one, and
smooths twice before and after.

In the second part one energy is minimised by one method, gradient descent with its best fixed step from
zero. Only the knobs differ: the value at each point, or the height of one hat over the whole line, of two
over what is then missing, of four, and so on. On a line these hats do not disturb each other at all, so
that one step is enough: this is special. On a square they do, and the number of steps grows slowly."""
SOURCES = """Computed on this page, by numpy alone, in milliseconds. First part: error sin(πx) + 0.3 N(0,
1), seed 0, right side 0. Second part: f = π² sin(πx), error in the energy norm. ‖F(x)‖/‖x‖: medians over
the seeds of the zoo's ResNet-20 after its last epoch, on 32 training images. In a shell: `python -m
explorer multigrid --points 63`."""


def cycles_view() -> None:
    """What is left after some cycles, for smoothing alone and with corrections; the URL's `points`."""
    first, second, third = st.columns([5, 4, 4], vertical_alignment="bottom")
    with first:
        sizes = {str(size): str(size) for size in multigrid.SIZES}
        points = int(linked_switch("Points", sizes, "points", default="63", help="2^k - 1 inside the line."))
    most = multigrid.most_levels(points)
    st.session_state["levels"] = min(st.session_state.get("levels", most), most)
    levels = second.slider(
        "Grids in use", 1, most, key="levels", persist_state="session", help="1: smoothing alone."
    )
    count = third.slider(
        "Cycles",
        0,
        _CYCLES,
        3,
        key="cycles",
        persist_state="session",
        help="One is four sweeps of the finest grid.",
    )
    names = ("smoothing alone", f"with {levels - 1} coarser grid{'s' * (levels != 2)}")
    rows = {name: multigrid.cycles(points, n, _CYCLES) for name, n in zip(names, (1, levels), strict=True)}
    start = next(iter(rows.values()))[0]
    shares = {name: np.abs(row).max(1) / np.abs(start).max() for name, row in rows.items()}
    left, right = st.columns(2, gap="medium")
    with left:
        now = {name: row[count] for name, row in rows.items()}
        said = "; ".join(f"{name}: {_share(shares[name][count])} of the error is left" for name in names)
        figure = charts.left_over(multigrid.places(points), now, start)
        draw(figure, "left-over", f"After {count} cycles. {said}.")
    with right:
        draw(charts.shrinking(shares, count), "shrinking", f"Error by cycle. {said}.")
    st.markdown(
        f"**After {count} cycle{'s' * (count != 1)}** smoothing alone leaves "
        f"{_share(shares[names[0]][count])} of the largest error; {names[1]} that give corrections, "
        f"{_share(shares[names[1]][count])}. What smoothing leaves is smooth, so a coarser grid can hold it."
    )


def knobs_view() -> None:
    """One wish, one descent, two sets of knobs, after some steps; then the sizes of corrections."""
    points = 63
    steps = st.slider(
        "Steps of descent",
        0,
        _STEPS,
        1,
        key="descent-steps",
        persist_state="session",
        help="The same descent for both.",
    )
    nodal, hats = (_descents(points)[name] for name in ("points", "hats"))
    solutions = {
        f"{points} knobs, one per point": nodal.solutions[steps],
        f"{points} knobs, coarse and corrections": hats.solutions[steps],
    }
    wish = multigrid.wish(points)
    errors = [100 * found.errors[steps] for found in (nodal, hats)]
    said = f"After {steps} steps {errors[0]:.1f} % and {errors[1]:.1f} % of the error are left."
    draw(charts.found_so_far(multigrid.places(points), wish, solutions), "found-so-far", said)
    left, right = st.columns(2, gap="medium")
    with right:
        _net_bars()
    with left:
        heights = multigrid.by_level(hats)
        st.markdown("**How large the corrections are**, after the last step")
        labels = [str(level + 1) for level in range(len(heights))]
        figure = charts.bars(heights, labels, "level, coarse to fine", "largest height")
        draw(figure, "heights", _listed(heights))
    st.markdown(
        f"**After {steps} step{'s' * (steps != 1)}** the knobs at the points leave "
        f"{words.percent(errors[0])} of the error, coarse knobs with corrections "
        f"{words.percent(errors[1])}. The condition number is {words.number(nodal.condition)} against "
        f"{hats.condition:.2f}. {_square()}"
    )
    st.markdown(ANALOGY)


@st.cache_data(show_spinner=False)
def _descents(points: int) -> dict[str, multigrid.Descent]:
    ways = {"points": False, "hats": True}
    return {name: multigrid.on_a_line(points, hierarchical=way, steps=_STEPS) for name, way in ways.items()}


@st.cache_data(show_spinner=False)
def _square() -> str:
    """The same on a square of 15 x 15 points, in one sentence."""
    side = multigrid.SIDES[0]
    nodal, hats = (multigrid.on_a_square(side, hierarchical=way) for way in (False, True))
    return (
        f"On a square of {side} x {side} points it is {nodal.condition:.0f} against {hats.condition:.1f}, "
        f"and a thousandth of the error is reached after {multigrid.steps_to(nodal):,} steps against "
        f"{multigrid.steps_to(hats)}."
    )


def _net_bars() -> None:
    """‖F(x)‖/‖x‖ by block of the zoo's ResNet-20 on digits, where it is there."""
    if "digits" not in twin_datasets():
        return
    runs = runs_on("digits")
    table = library().blocks(list(runs.loc[runs["id"] == "residual-20", "run_id"]))
    last = table[table["epoch"] == table["epoch"].max()]
    ratios = last.groupby("block")["residual_ratio"].median()
    st.markdown("**Beside it, a net:** what each block of ResNet-20 adds")
    labels = [str(int(block)) for block in ratios.index]
    figure = charts.bars(ratios.tolist(), labels, "block", "‖F(x)‖ / ‖x‖")
    draw(figure, "net-ratios", _listed(ratios.tolist()))
    st.caption(
        f"Each adds {ratios.min():.1f} to {ratios.max():.1f} times the norm of its input: in this net "
        "corrections are not as small as the heights of the hats."
    )


def _listed(values: list[float]) -> str:
    return f"From first to last: {', '.join(f'{value:.2g}' for value in values)}."


def _share(value: float) -> str:
    return words.percent(100 * value) if value >= 0.001 else f"{100 * value:.1g} %"
