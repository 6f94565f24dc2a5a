"""Cached access to runs: tables that pages share, read again when runs have changed.

The tables are shared by all sessions, not copied for each: nobody may change them in place.
"""

from __future__ import annotations

import time

import pandas as pd
import streamlit as st

from explorer import paper
from explorer.analysis import aggregates, selection, vanishing
from explorer.analysis.claims import Evidence, gradient_facts
from explorer.analysis.gradients import Gradients
from explorer.data import facts
from explorer.evidence import gradients as gradient_tables
from explorer.evidence.claims import evidence_on
from explorer.runs.database import StoreAwayError
from explorer.runs.library import Library, open_library, store_of
from explorer.runs.store import Store, StoreError

_TTL_S = 30
ASIDE = ("digits-small",)
"""Datasets of the zoo for a question of their own, which pages on plain and residual nets leave out."""


_AGAIN_S = 5.0


def _may_stay(there: Library) -> bool:
    """Whether it need not be opened again: it has its store, or that was tried a moment ago."""
    return store_of(there) is not None or time.monotonic() - there.opened < _AGAIN_S


@st.cache_resource(show_spinner=False, validate=_may_stay)
def library() -> Library:
    """All runs; the object is shared by all sessions and holds no state of theirs."""
    return open_library()


def own_store() -> Store:
    """The store of the user's own runs.

    Raises:
        StoreError: it cannot be opened; the text says why.
    """
    there = library()
    for source in there.sources:
        if isinstance(source, Store):
            return source
    if there.away:
        raise StoreAwayError(" ".join(there.problems))
    raise StoreError(" ".join(there.problems) or "Your own runs cannot be kept here.")


@st.cache_resource(ttl=_TTL_S, max_entries=32, show_spinner=False)
def zoo_runs() -> pd.DataFrame:
    """The zoo's runs that count, one row each, with the paper's blocks and width; see `selection.of_zoo`."""
    return selection.of_zoo(library().finished_runs(), aside=ASIDE)


@st.cache_resource(ttl=_TTL_S, max_entries=32, show_spinner=False)
def twin_datasets() -> list[str]:
    """Datasets of the zoo on which plain and residual nets were trained, that with most depths first."""
    runs = zoo_runs()
    twins = runs[runs["family"].isin(("plain", "residual"))]
    depths = twins.groupby(["dataset", "family"])["depth"].nunique().unstack().dropna().min(axis=1)
    return sorted((str(name) for name in depths.index), key=lambda name: (-depths[name], name))


@st.cache_resource(ttl=_TTL_S, max_entries=32, show_spinner=False)
def protocols_on(dataset: str) -> dict[str, selection.Protocol]:
    """How the zoo's nets were trained on one dataset, by a short name; see `selection.protocols`."""
    runs = zoo_runs()
    return selection.protocols(runs[runs["dataset"] == dataset])


@st.cache_resource(ttl=_TTL_S, max_entries=32, show_spinner=False)
def runs_on(dataset: str, protocol: str = "") -> pd.DataFrame:
    """The zoo's runs on one dataset under one protocol: the named one, or the first of `protocols_on`."""
    there = protocols_on(dataset)
    runs = zoo_runs()
    chosen = there.get(protocol) or next(iter(there.values()), None)
    return runs[(runs["dataset"] == dataset) & (runs["protocol"] == (chosen.key if chosen else ""))]


@st.cache_resource(ttl=_TTL_S, max_entries=32, show_spinner=False)
def curves_on(dataset: str, protocol: str = "") -> pd.DataFrame:
    """Error of every run over its epochs; see `aggregates.seed_curves`."""
    runs = runs_on(dataset, protocol)
    return aggregates.seed_curves(runs, library().epochs(list(runs["run_id"])))


@st.cache_resource(ttl=_TTL_S, max_entries=32, show_spinner=False)
def finals_on(dataset: str, protocol: str = "") -> pd.DataFrame:
    """Final errors by family and depth; see `aggregates.final_errors`."""
    return aggregates.final_errors(runs_on(dataset, protocol))


@st.cache_resource(ttl=_TTL_S, max_entries=32, show_spinner=False)
def depths_on(dataset: str, protocol: str = "") -> list[int]:
    """The depths trained on one dataset, in order."""
    return sorted(int(depth) for depth in finals_on(dataset, protocol)["depth"].unique())


@st.cache_resource(ttl=_TTL_S, max_entries=8, show_spinner=False)
def evidence(dataset: str) -> Evidence:
    """What the paper's claims are judged by on one dataset."""
    return evidence_on(library(), dataset)


@st.cache_resource(ttl=_TTL_S, max_entries=8, show_spinner=False)
def gradients_on(dataset: str) -> Gradients:
    """What was measured of the gradients, before and in training; see `analysis.gradients`."""
    return gradient_facts(evidence(dataset))


@st.cache_resource(show_spinner=False)
def vanishing_facts() -> vanishing.Kept:
    """What the one answer on vanishing gradients rests on; see `analysis.vanishing`."""
    return gradient_tables.facts()


def chance_pct(dataset: str) -> float:
    """Error of guessing among the dataset's classes, in per cent."""
    classes = int(runs_on(dataset)["spec"].iloc[0]["classes"])
    return 100 * (1 - 1 / classes)


def budget(dataset: str, protocol: str = "") -> str:
    """How long the zoo's nets were trained, beside the paper's 64,000 iterations."""
    runs = runs_on(dataset, protocol)
    return length(int(runs["iterations"].max()))


def length(iterations: int) -> str:
    """Iterations of training in words, beside the paper's."""
    share = 100 * iterations / paper.ITERATIONS
    return f"{iterations:,} of the paper's {paper.ITERATIONS:,} iterations ({share:.2g} %)"


def dataset_title(dataset: str) -> str:
    """The dataset's name as people read it."""
    return facts.title(dataset)
