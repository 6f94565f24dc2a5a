"""Cached access to runs: tables that pages share, read anew when runs have changed.

The tables are shared by all sessions, not copied for each: nobody may change them in place.
"""

from __future__ import annotations

import pandas as pd
import streamlit as st

from explorer.charts import tables
from explorer.data import facts
from explorer.runs.library import Library, open_library
from explorer.runs.status import Status
from explorer.runs.store import Store, StoreError

_TTL_S = 30
ASIDE = ("digits-small",)
"""Datasets of the zoo for a question of their own, which pages on plain and residual nets leave out."""


@st.cache_resource(show_spinner=False)
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
    raise StoreError(" ".join(there.problems) or "Your own runs cannot be kept here.")


@st.cache_resource(ttl=_TTL_S, max_entries=32, show_spinner=False)
def zoo_runs() -> pd.DataFrame:
    """The finished runs of the zoo with the paper's blocks and width, one row per run."""
    runs = library().runs()
    mine = (runs["source"] == "zoo") & (runs["status"] == Status.DONE) & (runs["width"] == 16)
    return runs[mine & ~runs["dataset"].isin(ASIDE)]


@st.cache_resource(ttl=_TTL_S, max_entries=32, show_spinner=False)
def twin_datasets() -> list[str]:
    """Datasets of the zoo on which plain and residual nets were trained, that with most depths first."""
    runs = zoo_runs()
    twins = runs[runs["family"].isin(("plain", "residual"))]
    depths = twins.groupby(["dataset", "family"])["depth"].nunique().unstack().dropna().min(axis=1)
    return sorted((str(name) for name in depths.index), key=lambda name: (-depths[name], name))


@st.cache_resource(ttl=_TTL_S, max_entries=32, show_spinner=False)
def runs_on(dataset: str) -> pd.DataFrame:
    """The zoo's runs on one dataset."""
    runs = zoo_runs()
    return runs[runs["dataset"] == dataset]


@st.cache_resource(ttl=_TTL_S, max_entries=32, show_spinner=False)
def curves_on(dataset: str) -> pd.DataFrame:
    """Error of every run over its epochs; see `tables.seed_curves`."""
    runs = runs_on(dataset)
    return tables.seed_curves(runs, library().epochs(list(runs["run_id"])))


@st.cache_resource(ttl=_TTL_S, max_entries=32, show_spinner=False)
def finals_on(dataset: str) -> pd.DataFrame:
    """Final errors by family and depth; see `tables.final_errors`."""
    return tables.final_errors(runs_on(dataset))


@st.cache_resource(ttl=_TTL_S, max_entries=32, show_spinner=False)
def depths_on(dataset: str) -> list[int]:
    """The depths trained on one dataset, in order."""
    return sorted(int(depth) for depth in finals_on(dataset)["depth"].unique())


@st.cache_resource(ttl=_TTL_S, max_entries=32, show_spinner=False)
def blocks_of(dataset: str, family: str, depth: int) -> pd.DataFrame:
    """Block records of all seeds of one net."""
    runs = runs_on(dataset)
    chosen = runs[(runs["family"] == family) & (runs["depth"] == depth)]
    return library().blocks(list(chosen["run_id"]))


def chance_pct(dataset: str) -> float:
    """Error of guessing among the dataset's classes, in per cent."""
    classes = int(runs_on(dataset)["spec"].iloc[0]["classes"])
    return 100 * (1 - 1 / classes)


def budget(dataset: str) -> str:
    """How long the zoo's nets were trained, beside the paper's 64,000 iterations."""
    runs = runs_on(dataset)
    return length(int(runs["iterations"].max()), float(runs["fraction_of_paper"].max()))


def length(iterations: int, fraction_of_paper: float) -> str:
    """Iterations of training in words, beside the paper's."""
    return f"{iterations:,} iterations, {100 * fraction_of_paper:.2g} % of the paper's"


def dataset_title(dataset: str) -> str:
    """The dataset's name as people read it."""
    return facts.title(dataset)
