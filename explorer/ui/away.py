"""What a page shows while the run database does not answer: its sentence, until it does."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from explorer.runs.store import StoreBusyError, StoreError
from explorer.ui import places

_AGAIN_S = 5.0


@contextmanager
def told_if_away() -> Iterator[None]:
    """Show the error of a database in place of what needs it; a page whose server is away comes back."""
    try:
        yield
    except StoreError as error:
        st.error(str(error))
        if isinstance(error, StoreBusyError):
            st.caption(f"The page tries it again every {_AGAIN_S:.0f} seconds.")
            places.fragment(_try_again, run_every=_AGAIN_S)(time.monotonic() + _AGAIN_S / 2)


def _try_again(due: float) -> None:
    if time.monotonic() >= due:
        st.rerun()
