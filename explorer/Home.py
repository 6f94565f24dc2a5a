"""Entry of `streamlit run explorer/Home.py`: the pages of app.py, a feed for live charts, an orderly end."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import streamlit as st
from starlette.concurrency import run_in_threadpool
from starlette.routing import Route

root = str(Path(__file__).resolve().parents[1])
if root not in sys.path:
    sys.path.insert(0, root)

from explorer.ui.pending_choices import keep_pending_choices  # noqa: E402 - only found once the root is on the path
from explorer.ui.train.live_api import PATH, live_endpoint  # noqa: E402


@asynccontextmanager
async def until_closed(_app: st.App) -> AsyncIterator[None]:
    """On SIGTERM the server ends without Python's own farewells: workers would train on, as after a crash."""
    try:
        yield
    finally:
        from explorer.jobs.worker_pool import stop_workers

        await run_in_threadpool(stop_workers)


keep_pending_choices()
app = st.App(Path(__file__).with_name("app.py"), lifespan=until_closed, routes=[Route(PATH, live_endpoint)])
