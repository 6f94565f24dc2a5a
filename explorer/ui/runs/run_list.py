"""The Runs page's list: search, filters, a table to choose from, and the choice as part of the URL."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from explorer.charts.theme import FAMILY_TITLE, in_order
from explorer.runs.status import Status
from explorer.system.paths import ROOT
from explorer.ui.cached_runs import dataset_title, library
from explorer.ui.url_parameters import Choices, Names, Text, asked, bound, declare, say, titled, unsay

_FIND = declare(Text("find"))
_FILTERS = {key: declare(Choices(key)) for key in ("ofdata", "offamily", "ofdepth", "ofstatus", "ofsource")}
_TTL_S = 1
_REPORTED = "runs-reported"
_TABLE = "runs-table"
CHOSEN = "runs"
_RUNS = declare(Names(CHOSEN))
"""Name in the URL of the chosen runs' ids, separated by commas."""
MOST_RUNS = 60
SOURCE_TITLE = {"zoo": "the zoo", "mine": "yours"}
_COLUMNS = {
    "mark": st.column_config.TextColumn("", width=28, help="★ marks pinned runs"),
    "shown": st.column_config.TextColumn("run", width="medium"),
    "dataset": st.column_config.TextColumn("dataset", width="small"),
    "seed": st.column_config.NumberColumn("seed", width=50),
    "status": st.column_config.TextColumn("status", width="small"),
    "test_error_pct": st.column_config.NumberColumn("test error", format="%.1f %%", width="small"),
    "train_error_pct": st.column_config.NumberColumn("train error", format="%.1f %%", width="small"),
    "epochs": st.column_config.NumberColumn("planned", width=60, help="Epochs that the whole run has"),
    "seconds": st.column_config.NumberColumn("time (s)", format="%.0f", width=70),
    "when": st.column_config.DatetimeColumn("made", format="YYYY-MM-DD HH:mm", width=130),
    "whose": st.column_config.TextColumn("whose", width="small"),
    "run_id": st.column_config.TextColumn("id", width="medium"),
}


@st.cache_resource(ttl=_TTL_S, show_spinner=False)
def all_runs() -> pd.DataFrame:
    """Every run as one light row, pinned first, then the newest; shared by all sessions for a second."""
    table = library().listing()
    table = table.assign(
        mark=table["pinned"].map({True: "★", False: ""}),
        shown=table["name"].where(table["name"] != "", table["net"]),
        when=pd.to_datetime(table["created"], utc=True, errors="coerce", format="ISO8601"),
        whose=table["source"].map(lambda source: SOURCE_TITLE.get(source, source)),
    )
    own = table["source"] != "zoo"
    newest = -table["when"].astype("int64").where(own, 0)
    family = table["family"].map({name: number for number, name in enumerate(FAMILY_TITLE)})
    order = table.assign(unpinned=~table["pinned"], zoo=~own, newest=newest, place=family.where(~own, 0))
    keys = ["unpinned", "zoo", "newest", "dataset", "place"]  # the zoo: CIFAR-10 first, plain before residual
    return order.sort_values(keys, kind="stable", ignore_index=True)[list(table.columns)]


def forget() -> None:
    """Read the list again at once, after this session has changed a run."""
    all_runs.clear()


def invite(runs: pd.DataFrame) -> None:
    """Where there is no run of one's own yet: how to make one."""
    if (runs["source"] != "zoo").any():
        return
    with st.container(horizontal=True, vertical_alignment="center", key="runs-invite", border=True):
        st.markdown(
            "None of these runs is yours yet. Train one here, or in a shell with "
            "`python -m explorer train residual-20`: it appears in this list by itself.",
            width="stretch",
        )
        if (ROOT / "pages" / "train.py").exists():
            st.page_link("../pages/train.py", label="Live training", icon=":material/play_circle:")


def choose_filter(runs: pd.DataFrame) -> pd.DataFrame:
    """The runs that fit the search and the filters; the URL's `find`, `ofdata`, `offamily` and so on."""
    text = st.text_input(
        "Search", **bound(_FIND), placeholder="name, net, note, id",
        help="Every word must occur in a run's name, net, dataset, status, note or id.",
    )  # fmt: skip
    with st.popover("Filter", icon=":material/filter_list:", width="stretch"):
        fits = _one_of("Dataset", "ofdata", runs["dataset"], dataset_title)
        fits &= _one_of("Family", "offamily", runs["family"], lambda name: FAMILY_TITLE.get(name, name))
        fits &= _one_of("Depth", "ofdepth", runs["depth"].astype(str), str)
        fits &= _one_of("Status", "ofstatus", runs["status"], str)
        fits &= _one_of("Whose", "ofsource", runs["source"], lambda name: SOURCE_TITLE.get(name, name))
    if words := (text or "").lower().split():
        searched = _haystack(runs)
        for word in words:
            fits &= searched.str.contains(word, regex=False)
    return runs[fits]


def _one_of(label: str, key: str, values: pd.Series, title: Callable[[Any], str]) -> pd.Series:
    options = in_order(values.unique()) if key == "offamily" else sorted(values.unique(), key=_natural)
    chosen = st.multiselect(
        label, options, format_func=title, placeholder="all",
        **bound(_FILTERS[key], options=titled(options, title)),
    )  # fmt: skip
    return values.isin(chosen) if chosen else values.notna()


def _natural(value: str) -> tuple[int, str]:
    return (int(value), "") if value.isdigit() else (0, value)


def _haystack(runs: pd.DataFrame) -> pd.Series:
    searched = (runs[name] for name in ("shown", "net", "dataset", "status", "note", "run_id", "reason"))
    # by columns: a frame's rows take ten times as long
    texts = ["\n".join(row).lower() for row in zip(*searched, strict=True)]
    return pd.Series(texts, index=runs.index, dtype="str")


def choose_runs(runs: pd.DataFrame, shown: pd.DataFrame) -> list[str]:
    """The table; the ids of the chosen runs, also of those that the filters hide."""
    chosen = chosen_ids(runs)
    ids = list(shown["run_id"])
    if not ids:
        st.info("No runs match. Clear the search or remove a filter.")
        return chosen
    marked = set(chosen)
    key = _table_key(ids, marked)
    st.dataframe(
        shown[list(_COLUMNS)], hide_index=True, height=min(38 + 35 * len(ids), 288), width="stretch",
        column_config=_COLUMNS, key=key, placeholder="–", selection_mode="multi-row",
        on_select=lambda: _report(key, ids, chosen),
        selection_default={"selection": {"rows": [n for n, name in enumerate(ids) if name in marked]}},
        alt="All runs; tick rows to compare them",
    )  # fmt: skip
    st.session_state[_REPORTED] = marked
    return chosen


def chosen_ids(runs: pd.DataFrame) -> list[str]:
    """The runs that the URL names, in the order of the list; without one that exists, the default."""
    there = set(runs["run_id"])
    names = asked(_RUNS)
    if names is not None:
        wanted = set(names)
        if wanted & there or not wanted:
            return [name for name in runs["run_id"] if name in wanted]
    return default_ids(runs)


def choose(ids: Sequence[str]) -> None:
    """Make these the chosen runs, in the URL too."""
    say(_RUNS, ids)


def choose_none() -> None:
    """Back to the runs that are compared before anybody chose."""
    unsay(_RUNS)


def default_ids(runs: pd.DataFrame) -> list[str]:
    """Compared before anybody chose: the newest own run with its counterparts, else the zoo's twins."""
    own = runs[(runs["source"] != "zoo") & runs["test_error_pct"].notna()]
    if len(own):
        newest = own.sort_values("created").iloc[-1]
        alike = (runs["dataset"] == newest["dataset"]) & (runs["depth"] == newest["depth"])
        mine = own[alike.reindex(own.index)].sort_values("created").tail(6)
        twins = runs[alike & (runs["source"] == "zoo") & runs["family"].isin(["plain", "residual"])]
        return [*mine["run_id"], *twins["run_id"]]
    zoo = runs[runs["family"].isin(["plain", "residual"]) & (runs["status"] == Status.DONE)]
    for dataset in sorted(zoo["dataset"].unique(), key=lambda name: name != "cifar10-jpeg"):
        twins = zoo[(zoo["dataset"] == dataset) & zoo["depth"].isin([20, 56])]
        if len(twins):
            return list(twins.loc[twins["iterations"] == _fullest_length(twins), "run_id"])
    return list(zoo["run_id"].head(4))


def _fullest_length(twins: pd.DataFrame) -> int:
    """The length of training that most of these nets had, and of those the longest."""
    lengths = twins.drop_duplicates(["family", "depth", "iterations"])["iterations"].value_counts()
    return int(lengths[lengths == lengths.max()].index.max())


def _report(key: str, ids: Sequence[str], chosen: Sequence[str]) -> None:
    """Take over what was ticked; runs that the filters hide stay chosen."""
    rows = st.session_state[key]["selection"]["rows"]
    hidden = [name for name in chosen if name not in set(ids)]
    picked = [*hidden, *(ids[row] for row in rows if row < len(ids))]
    choose(picked)
    st.session_state[_REPORTED] = set(picked)


def _table_key(ids: Sequence[str], marked: set[str]) -> str:
    """A new table where rows differ or the choice changed elsewhere: a tick is a row's place."""
    if st.session_state.get(_REPORTED) != marked:
        st.session_state[f"{_TABLE}-turn"] = st.session_state.get(f"{_TABLE}-turn", 0) + 1
    turn = st.session_state.get(f"{_TABLE}-turn", 0)
    return f"{_TABLE}-{hashlib.sha256(' '.join(ids).encode()).hexdigest()[:12]}-{turn}"
