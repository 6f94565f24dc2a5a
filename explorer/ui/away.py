"""What a page shows in place of itself: that the run database does not answer, or a setting that is wrong."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from explorer.runs.store import StoreBusyError, StoreError
from explorer.system.limits import LimitSettingError, check_settings
from explorer.ui import places

_AGAIN_S = 5.0


def check_limits() -> None:
    """End the page with a sentence where a variable that bounds visitors has a value that is not known."""
    try:
        check_settings()
    except LimitSettingError as error:
        st.error(f"This server is set up wrongly. {error} Then start it again.")
        st.stop()


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
