"""How many bytes a session has uploaded; every place that takes a file asks here first."""

from __future__ import annotations

import hashlib

import streamlit as st

from explorer.system.limits import most, refuse_above

_SENT = "uploaded-bytes"
_MIB = 2**20


def count_upload(content: bytes | memoryview, name: str) -> None:
    """Count a file that this session sent; one that was sent before is not counted again.

    Raises:
        LimitError: with it the session has sent more than it may.
    """
    if most("upload") is None:
        return
    sent: dict[str, int] = st.session_state.setdefault(_SENT, {})
    key, size = hashlib.sha256(content).hexdigest(), memoryview(content).nbytes
    there = sum(sent.values())
    if key not in sent:
        refuse_above("upload", (there + size) / _MIB, name=name[-60:], there=there / _MIB, more=size / _MIB)
        sent[key] = size


def most_mib(usual: int) -> int:
    """How large a file a place may take in MiB: its usual limit, or that of a session if less."""
    allowed = most("upload")
    return usual if allowed is None else max(min(usual, allowed), 1)
