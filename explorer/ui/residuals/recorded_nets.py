"""Nets that were probed while they were trained, and their records: stored tables, without torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from explorer.analysis import selection
from explorer.charts.responses import NetSeries, Quantity, response_table
from explorer.nets.spec import NetSpec
from explorer.runs.status import Status
from explorer.ui.cached_runs import ASIDE, library, protocols_on

_TTL_S = 30
_WITH_RECORDS = tuple(set(Status) - {Status.QUEUED, Status.FAILED})
FIGURE_7 = ("plain-20", "plain-56", "residual-20", "residual-56", "residual-110")
MOST_NETS = 8
_MOST_EPOCHS = 41
MODE = "BN in eval mode · 32 training images"
"""How the trainer reads its records; see `explorer.training.trainer`."""


@st.cache_resource(ttl=_TTL_S, max_entries=4, show_spinner=False)
def recorded_runs() -> pd.DataFrame:
    """Runs that have records, columns as `selection.keyed` gives them, and net: as which they are drawn.

    Runs of the zoo that count are drawn as one net over its seeds, each of one's own or imported by itself. A
    net of the zoo that was trained under several protocols is a net for each: the usual one by its id alone.
    """
    runs = library().runs()
    keyed = selection.keyed(runs[runs["status"].isin(_WITH_RECORDS) & ~runs["dataset"].isin(ASIDE)])
    zoo = selection.of_zoo(runs, aside=ASIDE)
    shown = keyed[(keyed["origin"] != "zoo") | keyed["run_id"].isin(zoo["run_id"])]
    return shown.assign(net=shown["id"].where(shown["origin"] == "zoo", shown["run_id"]) + _suffixes(shown))


def _suffixes(runs: pd.DataFrame) -> pd.Series:
    """What tells a net of the zoo under another than the usual protocol from its namesake: its short name."""
    names = {
        protocol.key: f"@{name}" if number else ""
        for dataset in runs["dataset"].unique()
        for number, (name, protocol) in enumerate(protocols_on(str(dataset)).items())
    }
    pairs = zip(runs["origin"], runs["protocol"], strict=True)
    ends = [names.get(protocol, "") if origin == "zoo" else "" for origin, protocol in pairs]
    return pd.Series(ends, runs.index, dtype="str")


def recorded_datasets() -> list[str]:
    """Datasets with records: residual nets of several depths first, then photographs."""

    def order(name: str) -> tuple[bool, bool, str]:
        nets = recorded_nets(name).values()
        depths = {net.depth for net in nets if net.family == "residual"}
        return len(depths) < 2, name != "cifar10-jpeg", name

    return sorted(recorded_runs()["dataset"].unique(), key=order)


@st.cache_resource(ttl=_TTL_S, max_entries=16, show_spinner=False)
def recorded_nets(dataset: str) -> dict[str, NetSeries]:
    """The nets with records on one dataset, the zoo's first, by family and depth."""
    runs = recorded_runs()
    runs = runs[runs["dataset"] == dataset].drop_duplicates("net")
    runs = runs.assign(own=runs["source"] != "zoo").sort_values(["own", "family", "depth"])
    return {str(row["net"]): _series(row) for row in runs.to_dict("records")}


def default_nets(nets: Sequence[str]) -> list[str]:
    """The nets of Figure 7 that are there, or the first few."""
    return [net for net in FIGURE_7 if net in nets] or list(nets)[:4]


@st.cache_resource(ttl=_TTL_S, max_entries=32, show_spinner=False)
def recorded_table(dataset: str, nets: tuple[str, ...], quantity: Quantity) -> pd.DataFrame:
    """The quantity of these nets at every recorded epoch; see `responses.response_table`."""
    runs = runs_of(dataset, nets)
    read = library().layers if quantity.of == "layer" else library().blocks
    return response_table(read(list(runs["run_id"])), runs, quantity)


def runs_of(dataset: str, nets: Sequence[str]) -> pd.DataFrame:
    """The runs behind some nets."""
    runs = recorded_runs()
    return runs[(runs["dataset"] == dataset) & runs["net"].isin(nets)]


def shown_epochs(table: pd.DataFrame) -> list[int]:
    """The recorded epochs; of very many, the first, the last and those between in even steps."""
    epochs = sorted(int(epoch) for epoch in table["epoch"].unique())
    if len(epochs) <= _MOST_EPOCHS:
        return epochs
    places = {round(step * (len(epochs) - 1) / (_MOST_EPOCHS - 1)) for step in range(_MOST_EPOCHS)}
    return [epochs[place] for place in sorted(places)]


def _series(row: dict[Any, Any]) -> NetSeries:
    spec = NetSpec.from_dict(row["spec"])
    title = spec.title
    if row["origin"] != "zoo":
        whose = "yours" if row["origin"] == "own" else "imported"
        title = f"{spec.title} ({whose}, {str(row['run_id'])[-8:]})"
    elif "@" in str(row["net"]):
        title = f"{spec.title} ({int(row['iterations']):,} iterations)"
    return NetSeries(str(row["net"]), title, spec.family, spec.depth)
