"""Actions on all chosen runs together, and help on reading the Runs page."""

from __future__ import annotations

from urllib.parse import urlsplit

import pandas as pd
import streamlit as st

from explorer.charts.words import literal
from explorer.ui.cached_runs import dataset_title
from explorer.ui.runs.edit_run import delete_button
from explorer.ui.runs.export_menu import export_chosen
from explorer.ui.runs.run_list import CHOSEN, MOST_RUNS, choose, choose_none, default_ids

_HOW = """Tick runs in the table; the choice is part of the page's address, so a link to it shows the
same comparison. Runs that are equal but for their **seed** are one group: one line for the mean, and
a band from the lowest to the highest. Colour is the family, as on every page; lightness tells groups
of one family apart. Dashed and thin is training, solid and bold is the test; a small diamond
on the frame's edge is a value beyond it. Means take **finished runs, each seed once**; other chosen runs are
thin lines of their own, and imported runs a group of their own. The table beside the
final errors lists **only the settings that differ**: whatever is not in it is the same for all
groups. Where it lists several settings, no single one of them can be made responsible."""
_FROM = """Training error and loss are means over the batches of an epoch, as they were trained; test
error and loss are over the whole test split after it, BN in eval mode. The final error is that of the
last epoch, not the best one. Every run carries its commit, versions, hardware and a hash of its
training data: see “One run in detail”. Imported runs say so; what they claim was checked for
consistency, not measured again."""


def tools(runs: pd.DataFrame, chosen: pd.DataFrame) -> None:
    """How many are chosen, and what can be done with all of them.

    Args:
        runs: the whole list.
        chosen: its chosen rows.
    """
    own = chosen[chosen["source"] != "zoo"]
    with st.container(horizontal=True, vertical_alignment="center", key="runs-tools"):
        st.markdown(_said(len(chosen), len(runs)), width="stretch")
        if len(chosen):
            export_chosen(list(chosen["run_id"]))
            _link(list(chosen["run_id"]))
        if len(own) > 1:
            delete_button(own, f"Delete {len(own)} of yours", "runs-delete-all", list(chosen["run_id"]))
        defaults = default_ids(runs)
        if list(chosen["run_id"]) != [name for name in runs["run_id"] if name in set(defaults)]:
            st.button(
                "Start over", icon=":material/restart_alt:", key="runs-default", type="tertiary",
                on_click=_start_over, help="Forget the choice and show the first comparison.",
            )  # fmt: skip
        if len(chosen):
            st.button("Choose none", icon=":material/deselect:", key="runs-none", type="tertiary",
                      on_click=choose, args=([],))  # fmt: skip


def explain(chosen: pd.DataFrame) -> None:
    """Fold out how to read the page and where its numbers come from."""
    with st.expander("How to read this"):
        st.markdown(_HOW)
    with st.expander("Where these numbers come from"):
        st.markdown(_FROM)
        for dataset, part in chosen.groupby("dataset"):
            own = int((part["source"] != "zoo").sum())
            title = literal(dataset_title(str(dataset)))
            st.markdown(f"- {title}: {len(part) - own} chosen runs of the zoo, {own} of yours")


def _said(chosen: int, all_of_them: int) -> str:
    drawn = f"; the first {MOST_RUNS} are compared" if chosen > MOST_RUNS else ""
    return f"**{chosen}** of {all_of_them:,} runs chosen{drawn}."


def _link(ids: list[str]) -> None:
    with st.popover("Link", icon=":material/link:"):
        parts = urlsplit(st.context.url or "")
        base = f"{parts.scheme}://{parts.netloc}{parts.path}" if parts.netloc else "runs"
        st.code(f"{base}?{CHOSEN}={','.join(ids)}", language=None, wrap_lines=True)
        st.caption("Opens this comparison for everybody who can open this server.")


def _start_over() -> None:
    choose_none()
