"""What the path's answers are computed from: the tables that its pages show, read when a station asks."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from explorer.analysis import responses
from explorer.analysis.shortcuts import means
from explorer.charts.responses import QUANTITIES
from explorer.evidence import construct, lesion, shortcuts
from explorer.learn.question import DATASET, Measurements, NotMeasured
from explorer.learn.questions import DEEP
from explorer.learn.stations import PICTURE, PICTURE_NET, RATIO_NETS
from explorer.ui.cached_runs import finals_on, gradients_on, runs_on
from explorer.ui.residuals.recorded_nets import recorded_nets, recorded_table


def measurements() -> Measurements:
    """Nothing is read before a station asks for it."""
    return Measurements(
        finals=lambda: finals_on(DATASET),
        epochs=lambda: int(_runs()["epochs"].max()),
        built=_built,
        gradients=lambda: gradients_on(DATASET),
        ratios=_ratios,
        lesions=_lesions,
        answer=_answer,
        strengths=_strengths,
    )


def _runs() -> pd.DataFrame:
    runs = runs_on(DATASET)
    if runs.empty:
        raise NotMeasured
    return runs


@st.cache_data(show_spinner=False)
def _built() -> pd.DataFrame:
    return construct.kept()


@st.cache_data(show_spinner=False)
def _lesions() -> pd.DataFrame:
    return lesion.kept()


@st.cache_data(show_spinner=False)
def _strengths() -> pd.DataFrame:
    tables = [part for part in (shortcuts.ends(), shortcuts.kept(shortcuts.STRENGTHS)) if len(part)]
    if not tables:
        raise NotMeasured
    return means(pd.concat(tables, ignore_index=True), DEEP, "train_error_pct")


def _ratios() -> pd.DataFrame:
    there = recorded_nets(DATASET)
    nets = [there[net] for net in RATIO_NETS if net in there]
    if not nets:
        raise NotMeasured
    table = recorded_table(DATASET, RATIO_NETS, QUANTITIES["ratio"])
    return responses.typical(table, nets, int(table["epoch"].max()))


def _answer() -> tuple[str, float]:
    # late: they wake torch, which no other station needs
    from explorer.data.sample_photos import photograph
    from explorer.runs.net_catalogue import find_net
    from explorer.ui.components.net_picker import net_choices
    from explorer.ui.inspect.inspection_data import load_inspection

    try:
        found = load_inspection(find_net(net_choices(), PICTURE_NET), photograph(PICTURE), "auto")
    except ValueError as error:
        raise NotMeasured from error
    best = found.read.top(1)[0]
    return found.loaded.classes[best], float(found.read.probabilities[best])
