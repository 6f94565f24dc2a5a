"""The upload of exported runs: checked, and then chosen."""

from __future__ import annotations

import streamlit as st

from explorer.runs.store import StoreError
from explorer.system.limits import LimitError
from explorer.transfer.importing import RunImportError, import_uploads
from explorer.ui.cached_runs import library
from explorer.ui.components.upload_budget import count_upload, most_mib
from explorer.ui.runs.run_list import choose, forget

_SAID = "runs-import-said"
_TURN = "runs-import-turn"


def import_menu() -> None:
    """A popover that takes zips, or a JSON with its CSV and safetensors."""
    turn = st.session_state.get(_TURN, 0)
    with st.popover("Import", icon=":material/upload:"):
        files = st.file_uploader(
            "Exported runs", ["zip", "json", "csv", "safetensors"], accept_multiple_files=True,
            key=f"runs-import-{turn}", max_upload_size=most_mib(64),
            help="A zip made by Export, or a run's JSON together with its CSV and safetensors files.",
        )  # fmt: skip
        st.caption("Everything in them is checked first; a run whose id is taken gets a new one.")
        st.button(
            "Import", disabled=not files, key="runs-import-go", type="primary", on_click=_take,
            args=([(file.name, file) for file in files or []],),
        )  # fmt: skip


def tell_import() -> None:
    """Say once how the last import went."""
    kind, text = st.session_state.pop(_SAID, (None, ""))
    if kind == "error":
        st.error(text)
    elif kind:
        st.success(text)


def _take(files: list[tuple[str, object]]) -> None:
    uploads = [(name, file.getvalue()) for name, file in files]  # type: ignore[attr-defined]
    try:
        for name, content in uploads:
            count_upload(content, name)
        ids = import_uploads(library(), uploads)
    except (RunImportError, StoreError, LimitError) as error:
        st.session_state[_SAID] = ("error", f"Nothing was imported. {error}")
        return
    st.session_state[_TURN] = st.session_state.get(_TURN, 0) + 1
    count = "One run was" if len(ids) == 1 else f"{len(ids)} runs were"
    st.session_state[_SAID] = ("success", f"{count} imported, and chosen below: {', '.join(ids[:5])}.")
    choose(ids)
    forget()
