"""What has been measured since a page was drawn? The browser asks over HTTP; made once for all who ask.

No page is run for it, so those who watch cost the training little more than one who does. Why:
docs/decisions/0033-a-feed-beside-the-pages.md.
"""

from __future__ import annotations

import gzip
import threading
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import streamlit as st
from cachetools import FIFOCache
from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse, Response

if TYPE_CHECKING:
    from starlette.requests import Request

    from explorer.ui.train.sight import View

PATH = "/watched"
_FRESH_S = 0.35
_SHARE = 5
_RECENT_S = 5.0
_MOST = 32


@dataclass(frozen=True)
class Answer:
    """What is told of one view.

    Attributes:
        version: changes with the content.
        body: JSON, compressed by gzip.
        at: when it was made, monotonic seconds.
        spent_s: how long that took.
        fresh_s: how long there will be nothing newer.
    """

    version: str
    body: bytes
    at: float
    spent_s: float
    fresh_s: float


class Feed:
    """Answers that are kept for a moment, each made by one thread while the others take the one before.

    Args:
        make: JSON of a view, and the milliseconds until there may be more. What takes long is made less
            often, so that all answers together take at most a fifth of one core.
    """

    def __init__(self, make: Callable[[View], tuple[str, int]]) -> None:
        """Nothing is made yet."""
        self._make = make
        self._making, self._changing = threading.Lock(), threading.Lock()
        self._kept: FIFOCache[View, Answer] = FIFOCache(_MOST)

    def at_hand(self, view: View) -> Answer | None:
        """An answer that is at most a moment old; never waits."""
        kept = self._last(view)
        return None if kept is None or self._is_old(kept) else kept

    def told(self, view: View) -> Answer:
        """The newest answer; one is made where none is at hand."""
        if answer := self.at_hand(view):
            return answer
        kept = self._last(view)
        if not self._making.acquire(blocking=kept is None):
            return kept  # type: ignore[return-value]  # it waits where there is none
        try:
            return self.at_hand(view) or self._renewed(view)
        finally:
            self._making.release()

    def forget(self) -> None:
        """Something was asked of a run: what was known is old."""
        with self._changing:
            self._kept.clear()

    def _last(self, view: View) -> Answer | None:
        with self._changing:
            return self._kept.get(view)

    def _is_old(self, kept: Answer) -> bool:
        now = time.monotonic()
        with self._changing:
            work = sum(one.spent_s for one in self._kept.values() if now - one.at < _RECENT_S)
        return now - kept.at > max(kept.fresh_s, _SHARE * work)

    def _renewed(self, view: View) -> Answer:
        began = time.monotonic()
        text, wait_ms = self._make(view)
        version = f"{zlib.crc32(text.encode()):08x}"
        body = gzip.compress(f'{{"version":"{version}",{text[1:]}'.encode(), 1)
        spent, fresh = time.monotonic() - began, min(_FRESH_S, 0.8e-3 * wait_ms)
        answer = Answer(version, body, began, spent, fresh)
        with self._changing:
            self._kept[view] = answer
        return answer


async def answer(request: Request) -> Response:
    """Tell the newest of one view: 200 with JSON, 204 where the asker has it, 404 where there is none."""
    from explorer.ui.train.sight import View, ViewError

    if not _is_ours(request.headers.get("host", "")):
        return PlainTextResponse("This host is not in server.allowedHosts.", 403)
    try:
        view, feed = View.of_query(request.query_params), _feed()
        found = feed.at_hand(view)
        if found is None:
            found = await run_in_threadpool(feed.told, view)
    except ViewError as error:
        return PlainTextResponse(str(error), 404)
    if found.version == request.query_params.get("had"):
        return Response(status_code=204)
    headers = {"Content-Encoding": "gzip", "Cache-Control": "no-store"}
    return Response(found.body, media_type="application/json", headers=headers)


def look_again() -> None:
    """Let the next answer tell what a run was just asked to do."""
    _feed().forget()


@lru_cache(maxsize=1)
def _feed() -> Feed:
    from explorer.ui.train.sight import sight_now

    def make(view: View) -> tuple[str, int]:
        seen = sight_now(view)
        return seen.json, seen.wait_ms

    return Feed(make)


def _is_ours(host: str) -> bool:
    """Whether `server.allowedHosts` has the host, as Streamlit asks for its own routes."""
    allowed: list[str] = st.get_option("server.allowedHosts") or ["*"]
    name = urlsplit(f"//{host}").hostname or ""
    return any(fnmatchcase(name, one.strip("[]").lower()) for one in allowed)
