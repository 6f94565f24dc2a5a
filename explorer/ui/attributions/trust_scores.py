"""Scores of how far a map can be trusted, on demand, each with its meaning and a random map's score."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from explorer.charts.trust import (
    describe_masking,
    describe_randomisation,
    masking_figure,
    randomisation_figure,
)
from explorer.probes.methods import METHODS
from explorer.ui.attributions.page import Case
from explorer.ui.components.computation import net_pool, run_cancellable
from explorer.ui.components.figure import download_panel, draw
from explorer.ui.url_parameters import Choice, bound, declare

if TYPE_CHECKING:
    from explorer.probes.attributions import Attribution
    from explorer.probes.trust import Score, Trust

_TRUST = declare(Choice("trust"))
_NONE = "none"
_ABOUT = """
- **Infidelity** (Yeh et al. 2019): the map as a linear model of the score under noise of a tenth of
  the picture's range, scaled at its best; the mean squared error left, in logits squared.
- **Max-sensitivity** (Yeh et al. 2019): the largest change of the map, relative to the map, over
  ten pictures that differ by at most 2 % of the range at any pixel. A map that never looks at the
  picture scores zero.
- **Deletion and insertion** (Petsiuk, Das and Saenko 2018): the area under the class's probability
  as pixels go to the mean colour, or come into the blurred picture, in the map's order. Masked
  pictures are unlike anything that the net has seen, so compare with the random order and not with
  zero.
- **Randomisation** (Adebayo et al. 2018): Spearman's correlation of the absolute map with that of a
  net whose weights were replaced by random ones, from the read-out down. A map that stays shows the
  picture, not the net.

Random maps are normal noise from the page's seed, five of them; curves of the random order are
their mean.
"""


def show_trust(case: Case, found: Sequence[Attribution]) -> None:
    """A list of the maps shown, and the scores of the chosen one; the URL's `trust`."""
    st.header("Can this map be trusted?")
    names = [result.method for result in found]
    titles = {_NONE: "none yet: choose a map to measure"} | {name: METHODS[name].title for name in names}
    chosen = st.selectbox(
        "Measure the trust scores of", list(titles), format_func=lambda key: titles.get(key, key),
        **bound(_TRUST, options=titles.values()),
        help="Takes some twenty times as long as the map itself, and can be stopped.",
    )  # fmt: skip
    result = next((one for one in found if one.method == chosen), None)
    if result is None:
        st.caption(
            "Infidelity, max-sensitivity, deletion and insertion against random maps, and what is left of "
            "the map when the net has forgotten everything."
        )
        return
    trust = _measured(case, result)
    if trust is not None:
        _show(trust, METHODS[result.method].title)


def _measured(case: Case, found: Attribution) -> Trust | None:
    def work(progress: Any) -> Trust:
        from explorer.probes.trust import measure

        with net_pool().acquire(case.loaded) as explainer:
            return measure(explainer, found, case.references(found.method), progress)

    key = (*case.key, "trust", found.method, found.target, found.seed, *sorted(found.parameters.items()))
    return run_cancellable(key, f"Trust scores of {METHODS[found.method].title}", work)


def _show(trust: Trust, title: str) -> None:
    rows = [
        ("Infidelity (logits²), lower is better", *_against(trust.infidelity, lower=True)),
        ("Deletion (area, 0 to 1), lower is better", *_against(trust.deletion, lower=True)),
        ("Insertion (area, 0 to 1), higher is better", *_against(trust.insertion, lower=False)),
        ("Max-sensitivity (relative), lower is better", f"{trust.max_sensitivity:.2f}",
         "0 (random maps never change)", _steadiness(trust.max_sensitivity)),
    ]  # fmt: skip
    head = f"| score | {title} | random maps | verdict |\n|---|---|---|---|\n"
    st.markdown(head + "\n".join(f"| {' | '.join(row)} |" for row in rows))
    st.markdown(_forgetting(trust))
    first, second, third = st.columns(3, gap="medium")
    with first:
        st.markdown("**Deletion**")
        draw(masking_figure(trust.curves, "deletion"), "deletion", describe_masking(trust.curves, "deletion"))
    with second:
        st.markdown("**Insertion**")
        draw(
            masking_figure(trust.curves, "insertion"),
            "insertion",
            describe_masking(trust.curves, "insertion"),
        )
    with third:
        st.markdown("**Randomisation**")
        table = trust.randomisation
        draw(randomisation_figure(table), "randomisation", describe_randomisation(table))
    download_panel(lambda: trust.curves, lambda: masking_figure(trust.curves, "deletion"), "masking-curves")
    with st.expander("What these scores mean"):
        st.markdown(_ABOUT)


def _against(score: Score, *, lower: bool) -> tuple[str, str, str]:
    better = score.value < score.low if lower else score.value > score.high
    worse = score.value > score.high if lower else score.value < score.low
    verdict = "better than all random maps" if better else "no better than random"
    if worse:
        verdict = "**worse than all random maps**"
    return (
        f"{score.value:.3g}",
        f"{score.random:.3g} ({score.low:.3g} to {score.high:.3g})",
        verdict,
    )


def _steadiness(value: float) -> str:
    return f"noise nobody sees changes up to {100 * value:.0f} % of it"


def _forgetting(trust: Trust) -> str:
    last = float(trust.randomisation["correlation"].iloc[-1])
    if math.isnan(last):
        return "With random weights the map is empty: it needs what the net has learned."
    if abs(last) > 0.5:
        return (
            f"**With random weights the map still has a rank correlation of {last:+.2f} with this "
            "one: much of it shows the picture, whatever the net has learned.**"
        )
    return (
        f"With random weights the map has a rank correlation of {last:+.2f} with this one: "
        "it needs what the net has learned."
    )
