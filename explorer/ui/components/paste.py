"""Pictures from the clipboard, which Streamlit's uploader does not take."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import streamlit as st

from explorer.data.images import MAX_BYTES
from explorer.ui.components.mount import mount

_JS = Path(__file__).with_suffix(".js")
_KEY = "paste-picture"


def listen(take: Callable[[BytesIO], object]) -> None:
    """Call `take` with every picture that is pasted on the page: a file with a name."""

    def came() -> None:
        pasted = st.session_state.get(_KEY, {}).get("pasted")
        if pasted:
            take(pasted_file(pasted))

    with st.container(key="unseen-paste"):
        mount("paste_picture", _JS, key=_KEY, data={"most": MAX_BYTES}, on_pasted_change=came)


def pasted_file(pasted: object) -> BytesIO:
    """What the browser sent, as a file; an empty one where it is nothing that can be read."""
    sent = pasted if isinstance(pasted, dict) else {}
    try:
        content = base64.b64decode(str(sent.get("content", "")), validate=True)
    except binascii.Error:
        content = b""
    file = BytesIO(content)
    file.name = str(sent.get("name") or "pasted picture")
    return file
