"""What a person may change of a run: its name, note and pin; deleting it, with a way back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from explorer.charts.words import literal
from explorer.jobs import actions
from explorer.runs.library import store_of
from explorer.runs.store import StoreError
from explorer.ui.cached_runs import library
from explorer.ui.runs.run_list import choose, choose_none, forget

_DELETED = "runs-deleted"
_LONGEST_NAME, _LONGEST_NOTE = 80, 4000


def words_of(row: pd.Series) -> None:
    """Name, note and pin of one of the user's own runs.

    Args:
        row: of the list.
    """
    run_id = str(row["run_id"])
    with st.form(f"words-{run_id}", border=False):
        name = st.text_input(
            "Name", row["name"], max_chars=_LONGEST_NAME, placeholder=row["net"], key=f"name-{run_id}"
        )
        note = st.text_area("Note", row["note"], max_chars=_LONGEST_NOTE, height=80, key=f"note-{run_id}")
        pinned = st.toggle("Pin to the top", bool(row["pinned"]), key=f"pin-{run_id}")
        if st.form_submit_button("Save", icon=":material/save:", key=f"save-{run_id}"):
            _save(run_id, name=name.strip() or None, note=note.strip() or None, pinned=pinned)


def delete_button(rows: pd.DataFrame, label: str, key: str, chosen: Sequence[str]) -> None:
    """Delete these runs at once: the undo above the list is there instead of a question.

    Args:
        rows: of the list, all of them the user's own.
        label: of the button.
        key: of the button.
        chosen: ids of all chosen runs; what is left of them stays chosen.
    """
    titles = dict(zip(rows["run_id"], rows["shown"], strict=True))
    st.button(
        label, icon=":material/delete:", key=key, on_click=_delete, args=(titles, list(chosen)),
        help="Can be undone above the list; after a day the runs are removed for good.",
    )  # fmt: skip


def offer_undo() -> None:
    """A line above the list that brings back what was deleted last in this session."""
    kept: dict[str, dict[str, str]] = st.session_state.get(_DELETED, {})
    if "problem" in kept:
        st.error(" ".join(kept["problem"].values()))
    titles = kept.get("titles", {})
    if not titles:
        return
    what = next(iter(titles.values())) if len(titles) == 1 else f"{len(titles)} runs"
    with st.container(horizontal=True, vertical_alignment="center", key="runs-undo", border=True):
        them = "It" if len(titles) == 1 else "They"
        st.markdown(
            f"Deleted **{literal(what)}**. {them} will be removed for good after a day.", width="stretch"
        )
        st.button("Undo", icon=":material/undo:", key="runs-undo-button", on_click=_restore)
        st.button("Close", icon=":material/close:", key="runs-undo-close", type="tertiary",
                  on_click=lambda: st.session_state.pop(_DELETED, None))  # fmt: skip


def _save(run_id: str, **changes: object) -> None:
    store = store_of(library())
    assert store is not None
    try:
        store.update_run(run_id, **changes)
    except StoreError as error:
        st.error(str(error))
        return
    forget()
    st.rerun()


def _delete(titles: Mapping[str, str], chosen: Sequence[str]) -> None:
    store, done = store_of(library()), {}
    assert store is not None
    problem = {}
    for run_id, title in titles.items():
        try:
            actions.delete(store, run_id)
            done[run_id] = title
        except (StoreError, actions.JobError) as error:
            problem[run_id] = str(error)
    st.session_state[_DELETED] = {"titles": done} | ({"problem": problem} if problem else {})
    left = [run_id for run_id in chosen if run_id not in done]
    choose(left) if left else choose_none()
    forget()


def _restore() -> None:
    store = store_of(library())
    assert store is not None
    titles = st.session_state.pop(_DELETED, {}).get("titles", {})
    problem = {}
    for run_id in titles:
        try:
            actions.restore(store, run_id)
        except StoreError as error:
            problem[run_id] = str(error)
    if problem:
        st.session_state[_DELETED] = {"problem": problem}
    else:
        choose(list(titles))
    forget()
