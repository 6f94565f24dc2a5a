"""One run in detail: where it comes from, what a person says of it, and where to go on with it."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from explorer.charts.words import literal
from explorer.runs.run import Run
from explorer.system.paths import ROOT
from explorer.ui.cached_runs import dataset_title, library
from explorer.ui.runs.edit_run import delete_button, words_of
from explorer.ui.runs.export_menu import export_run_menu
from explorer.ui.url_parameters import Choice, bound, declare

_RUN = declare(Choice("run"))
_WHOSE = {"zoo": "from the zoo", "mine": "one of yours"}
_GOES_ON = (
    ("residuals.py", "Residuals", ":material/stacked_line_chart:", "net"),
    ("inspect.py", "Inspect", ":material/visibility:", "net"),
    ("attributions.py", "Attributions", ":material/center_focus_strong:", "net"),
    ("train.py", "Live training", ":material/play_circle:", "runs"),
)


def show_details(chosen: pd.DataFrame) -> None:
    """Pick one of the chosen runs and show everything that is known of it.

    Args:
        chosen: rows of the list, at least one.
    """
    st.header("One run in detail", anchor=False)
    titles = {row.run_id: _title(row) for row in chosen.itertuples()}
    name = st.selectbox(
        "Run", list(titles), format_func=lambda run_id: titles.get(run_id, run_id),
        label_visibility="collapsed", **bound(_RUN, options=titles.values()),
    )  # fmt: skip
    row = chosen[chosen["run_id"] == (name if name in titles else next(iter(titles)))].iloc[0]
    run = library().run(str(row["run_id"]))
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown(provenance_text(run, str(row["reason"])))
        _ways_on(run)
    with right:
        if run.source == "zoo":
            st.caption("This run came with the explorer: it cannot be renamed or deleted.")
        else:
            words_of(row)
        with st.container(horizontal=True, vertical_alignment="bottom"):
            export_run_menu(run)
            if run.source != "zoo":
                delete_button(
                    chosen[chosen["run_id"] == run.run_id], "Delete", "runs-delete", list(chosen["run_id"])
                )


def provenance_text(run: Run, reason: str = "") -> str:
    """What must be known to make the run again, as Markdown."""
    made: dict[str, Any] = run.provenance
    versions = ", ".join(f"{name} {value}" for name, value in made.get("versions", {}).items())
    status = f"**{run.status}**" + (f": {literal(reason)}" if reason else "")
    said = {name: literal(str(made.get(name) or "unknown")) for name in ("hardware", "commit", "data_hash")}
    rows = [
        f"`{run.run_id}`, {_WHOSE.get(run.source, run.source)}; {status}",
        f"{run.spec.title}, {run.parameters:,} parameters, on {literal(dataset_title(run.dataset))}, "
        f"seed {run.recipe.seed}; {run.epochs} epochs, {run.iterations:,} iterations, "
        f"{run.seconds:.1f} s of training",
        f"Made {run.created or 'at an unknown time'} on {said['hardware']}, commit {said['commit']}",
        f"Training data: sha256 {said['data_hash']}",
        f"Versions: {literal(versions) or 'unknown'}",
    ]
    if "imported" in made:
        imported = {name: literal(str(text)) for name, text in made["imported"].items()}
        at, run_id = imported.get("at", ""), imported.get("run_id", "unknown")
        rows.insert(1, f"**Imported** {at} from the run {run_id}")
    return "\n".join(f"- {row}" for row in rows)


def _title(row: Any) -> str:
    return f"{row.shown}, {dataset_title(row.dataset)}, seed {row.seed} ({row.run_id})"


def _ways_on(run: Run) -> None:
    """Links to the pages that show more of this run."""
    with st.container(horizontal=True, gap="small"):
        for file, label, icon, name in _GOES_ON:
            there = (ROOT / "pages" / file).exists()
            if there and (name == "runs" or run.checkpoint is not None):
                st.page_link(f"../pages/{file}", label=label, icon=icon, query_params={name: run.run_id})
